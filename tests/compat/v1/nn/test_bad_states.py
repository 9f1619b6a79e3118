"""Errors of the first generation for states of another generation, or of another size."""

from __future__ import annotations

import numpy as np
import pytest

from answered import Wrong, assert_answered
from layer_errors import FLAT_STATE, ONE_TENSOR_STATE, OTHER_ORDER, STATE_TENSOR, states_of_the_first_generation
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.engine.errors import ShapeError
from minigrad.keras import layers as L
from minigrad.layers.states import StateError
from wrong_calls import FIRST, TUPLES_IN_A_FLAT_STACK, S, X, dynamic, lstm

LIST_OF_KERAS = (
    "LSTMCell: expected the state LSTMStateTuple(c, h), got a list of 2. Keras' cells have the list [h, c], "
    f"{OTHER_ORDER} Write LSTMStateTuple(c=…, h=…)."
)
ONE_TENSOR = (
    "LSTMCell: expected the state LSTMStateTuple(c, h), got a ndarray of shape (2, 5). Or make the cell with "
    "state_is_tuple=False. Write LSTMStateTuple(c=…, h=…)."
)
FLAT = f"LSTMCell: with state_is_tuple=False {FLAT_STATE}, got a {{}} of 2. Write concat([c, h], 1)."

LOOP = "dynamic_rnn: `initial_state`: "

BAD: dict[str, Wrong] = {
    "Keras' list": (lambda: dynamic(lstm(), None, [S, S]), StateError, LOOP + LIST_OF_KERAS),
    "Keras' list, one step": (lambda: lstm()(X[:, 0], [S, S]), StateError, LIST_OF_KERAS),
    "Keras' list in a wrapper": (
        lambda: dynamic(rc.DropoutWrapper(lstm(), 0.5), None, [S, S]),
        StateError,
        LOOP + LIST_OF_KERAS,
    ),
    "Keras' lists in a stack": (
        lambda: dynamic(rc.MultiRNNCell([lstm(), lstm()]), None, [[S, S], [S, S]]),
        StateError,
        LOOP + LIST_OF_KERAS,
    ),
    "a named tuple for a cell of Keras": (
        lambda: dynamic(L.LSTMCell(5), None, FIRST),
        StateError,
        f"dynamic_rnn: `initial_state`: {states_of_the_first_generation('LSTMCell')}",
    ),
    "one tensor": (
        lambda: dynamic(lstm(), None, S),
        StateError,
        LOOP + ONE_TENSOR,
    ),
    "a tuple for state_is_tuple=False": (
        lambda: dynamic(lstm(state_is_tuple=False), None, (S, S)),
        StateError,
        LOOP + FLAT.format("tuple"),
    ),
    "a named tuple for state_is_tuple=False": (
        lambda: lstm(state_is_tuple=False)(X[:, 0], FIRST),
        StateError,
        FLAT.format("LSTMStateTuple"),
    ),
    "half of a flat state": (
        lambda: dynamic(lstm(state_is_tuple=False), None, S),
        ShapeError,
        "LSTMCell: expected a state of shape (batch, 10), got (2, 5). Concatenate its parts.",
    ),
    "an LSTM's state for a GRU": (
        lambda: dynamic(rc.GRUCell(5), None, FIRST),
        StateError,
        LOOP + f"GRUCell: {ONE_TENSOR_STATE}LSTMStateTuple of 2.",
    ),
    "a state's size": (
        lambda: dynamic(lstm(), None, rc.LSTMStateTuple(S[:, :3], S)),
        ShapeError,
        (
            "dynamic_rnn: expected `initial_state` of shapes [(2, 5), (2, 5)], got [(2, 3), (2, 5)]. "
            "cell.zero_state(2, dtype) has them, unless `time_major` is wrong."
        ),
    ),
    "a state's batch": (
        lambda: dynamic(rc.GRUCell(5), None, S[:1]),
        ShapeError,
        (
            "dynamic_rnn: expected `initial_state` of shapes [(2, 5)], got [(1, 5)]. "
            "cell.zero_state(2, dtype) has them, unless `time_major` is wrong."
        ),
    ),
    "a state's size, one step": (
        lambda: lstm()(X[:, 0], rc.LSTMStateTuple(S[:, :3], S)),
        ShapeError,
        (
            "LSTMCell: expected `state` of shapes [(2, 5), (2, 5)] for `inputs` of shape (2, 3), got [(2, 3), (2, 5)]. "
            "cell.zero_state(2, dtype) makes zeros."
        ),
    ),
    "one cell's state for a stack": (
        lambda: dynamic(rc.MultiRNNCell([lstm(), lstm(), lstm()]), None, FIRST),
        StateError,
        LOOP + "MultiRNNCell: expected `state`, a tuple of 3 states, one for each cell, got a LSTMStateTuple of 2.",
    ),
    "one cell's state for a stack of two": (
        lambda: dynamic(rc.MultiRNNCell([lstm(), lstm()]), None, FIRST),
        StateError,
        LOOP + ONE_TENSOR,
    ),
    "a tuple for a flat stack": (
        lambda: dynamic(rc.MultiRNNCell([lstm(state_is_tuple=False)], state_is_tuple=False), None, (S,)),
        StateError,
        (
            LOOP + f"MultiRNNCell: with state_is_tuple=False {STATE_TENSOR} those of the cells "
            "concatenated, got a tuple of 1. Write concat(states, 1)."
        ),
    ),
    "tuples in a flat stack": (
        lambda: rc.MultiRNNCell([lstm()], state_is_tuple=False),
        StateError,
        TUPLES_IN_A_FLAT_STACK,
    ),
    "a flat state without a batch": (
        lambda: lstm(state_is_tuple=False)(X[:, 0], S[0]),
        ShapeError,
        "LSTMCell: expected a state of shape (batch, 10), got (5,). Concatenate its parts.",
    ),
    "a flat state of a stack": (
        lambda: dynamic(rc.MultiRNNCell([rc.GRUCell(5), rc.GRUCell(4)], state_is_tuple=False), None, S),
        ShapeError,
        "MultiRNNCell: expected a state of shape (batch, 9), got (2, 5). Concatenate its parts.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    assert_answered(BAD[name])


def test_a_plain_tuple_is_taken_as_c_and_h() -> None:
    """A tuple without names, which does not distinguish (c, h) from (h, c), as in TensorFlow."""
    c, h = S + 1.0, S - 1.0
    one, _ = dynamic(lstm(), None, (c, h))
    other, state = v1.nn.dynamic_rnn(lstm(reuse=True), X, initial_state=rc.LSTMStateTuple(c, h))
    np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert isinstance(state, rc.LSTMStateTuple)


def test_a_state_that_is_refused_leaves_no_variables() -> None:
    with pytest.raises(ShapeError):
        dynamic(lstm(), None, rc.LSTMStateTuple(S, S[:, :3]))
    assert v1.global_variables() == []
    dynamic(lstm(), None, rc.LSTMStateTuple(S, S))
