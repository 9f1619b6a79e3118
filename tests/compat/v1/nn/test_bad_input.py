"""What a wrong call is answered in the first generation: where, what was expected, what came, and the way out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.compat import v1
from minigrad.compat.v1.layers import ScopeError
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.compat.v1.nn.rnn import StepsError
from minigrad.compat.v1.variables import VariableError
from minigrad.errors import DTypeError, ShapeError, UnknownBackendError, UnknownNameError
from minigrad.keras import layers as L
from minigrad.layers.cell_protocol import CellError, StateError
from minigrad.layers.options import OptionError

X = np.zeros((2, 4, 3), "float32")
S = np.zeros((2, 5), "float32")
FIRST = rc.LSTMStateTuple(S, S)


def lstm(**options: Any) -> Any:
    return rc.LSTMCell(5, **options)


def dynamic(cell: Any, *args: Any, x: Any = X, dtype: Any = "float32", **how: Any) -> Any:
    return v1.nn.dynamic_rnn(cell, x, *args, dtype=dtype, **how)


def shared(cell: Any, x: Any = X) -> Any:
    dynamic(lstm())
    return dynamic(cell, x=x)


def used(x: Any) -> Any:
    cell = lstm()
    dynamic(cell)
    return dynamic(cell, x=x)


LIST_OF_KERAS = (
    "LSTMCell: expected the state LSTMStateTuple(c, h), got a list of 2. Keras' cells have the list [h, c], in the "
    "other order. Write LSTMStateTuple(c=…, h=…)."
)
FLAT = (
    "LSTMCell: made with state_is_tuple=False, its state is one tensor, c and h side by side, got a {} of 2. Write "
    "concat([c, h], 1)."
)
NO_CELL = "expected a cell, an object with state_size, output_size and call, got "
EXISTS = (
    "Variable rnn/lstm_cell/kernel already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE "
    "in VarScope? (reset_default_graph() forgets all variables.)"
)
ABSENT = (
    "Variable rnn/lstm_cell/kernel does not exist, or was not created with tf.get_variable(). Did you mean to set "
    "reuse=tf.AUTO_REUSE in VarScope?"
)
NO_DTYPE = "lstm_cell_1.build: the dtype is not known, for there were no floating inputs yet. Pass dtype='float32'."
INTEGERS = (
    "LSTMCell: expected `inputs` of a floating dtype, got int64. inputs.astype('float32') makes numbers of integers, "
    "an embedding makes vectors of words."
)

BAD: dict[str, tuple[Any, type[Exception], str]] = {
    # --- lengths
    "lengths that are no integers": (
        lambda: dynamic(lstm(), [1.5, 2.5]),
        DTypeError,
        "dynamic_rnn: expected `sequence_length` of integers, got float32.",
    ),
    "a mask for lengths": (
        lambda: dynamic(lstm(), [True, False]),
        DTypeError,
        "dynamic_rnn: expected `sequence_length` of integers, got bool.",
    ),
    "a length beyond the inputs": (
        lambda: dynamic(lstm(), [4, 5]),
        ShapeError,
        "dynamic_rnn: expected `sequence_length` from 0 to 4, the length of the inputs, got 5 in row 1.",
    ),
    "a negative length": (
        lambda: v1.nn.bidirectional_dynamic_rnn(lstm(), lstm(), X, [-1, 2], dtype="float32"),
        ShapeError,
        "bidirectional_dynamic_rnn: expected `sequence_length` from 0 to 4, the length of the inputs, got -1 in row 0.",
    ),
    "one length for all": (
        lambda: dynamic(lstm(), 3),
        ShapeError,
        "dynamic_rnn: expected `sequence_length` of shape (batch,) = (2,), got ().",
    ),
    "too few lengths": (
        lambda: v1.nn.static_rnn(lstm(), list(X), dtype="float32", sequence_length=[3]),
        ShapeError,
        "static_rnn: expected `sequence_length` of shape (batch,) = (4,), got (1,).",
    ),
    # --- inputs and dtypes
    "one step": (
        lambda: dynamic(lstm(), x=X[0]),
        ShapeError,
        "dynamic_rnn: expected `inputs` of shape (batch, time, features), got (4, 3). The cell alone takes one step.",
    ),
    "one step, time major": (
        lambda: dynamic(lstm(), x=X[0], time_major=True),
        ShapeError,
        "dynamic_rnn: expected `inputs` of shape (time, batch, features), got (4, 3). The cell alone takes one step.",
    ),
    "four axes": (
        lambda: dynamic(lstm(), x=X[None]),
        ShapeError,
        (
            "lstm_cell_1.build: expected `inputs` of shape (batch, features), got (1, 4, 3). A cell takes "
            "one time step; dynamic_rnn(cell, inputs) takes a sequence."
        ),
    ),
    "no steps": (
        lambda: dynamic(lstm(), x=X[:, :0]),
        ShapeError,
        "dynamic_rnn: expected at least one time step, got `inputs` of shape (2, 0, 3).",
    ),
    "features": (
        lambda: used(X[..., :2]),
        ShapeError,
        (
            "lstm_cell_1.call: expected `inputs` of shape (batch, 3), got (2, 2). A cell takes one time "
            "step; dynamic_rnn(cell, inputs) takes a sequence."
        ),
    ),
    "no dtype and no state": (
        lambda: v1.nn.dynamic_rnn(lstm(), X),
        DTypeError,
        "dynamic_rnn: expected a `dtype` where there is no `initial_state`. Pass dtype='float32'.",
    ),
    "no dtype and one state of two": (
        lambda: v1.nn.bidirectional_dynamic_rnn(lstm(), lstm(), X, initial_state_fw=FIRST),
        DTypeError,
        "bidirectional_dynamic_rnn: expected a `dtype` where there is no `initial_state`. Pass dtype='float32'.",
    ),
    "another dtype": (
        lambda: dynamic(lstm(dtype="float64")),
        DTypeError,
        (
            "dynamic_rnn: expected the dtype of the cell, float64, got dtype='float32'. Make the cell with "
            "dtype='float32', or leave that to its first use."
        ),
    ),
    "another dtype than the wrapped cell's": (
        lambda: dynamic(rc.ResidualWrapper(rc.DropoutWrapper(lstm(dtype="float64")))),
        DTypeError,
        (
            "dynamic_rnn: expected the dtype of the cell, float64, got dtype='float32'. Make the cell with "
            "dtype='float32', or leave that to its first use."
        ),
    ),
    "no dtype of that name": (
        lambda: dynamic(lstm(), dtype="flot32"),
        UnknownNameError,
        (
            "dtype: unknown name 'flot32'. Did you mean 'float32'? Known are: bool, float16, float32, float64, int16, "
            "int32, int64, int8, uint16, uint32, uint64, uint8."
        ),
    ),
    "integers": (lambda: dynamic(lstm(), x=X.astype("int64")), DTypeError, INTEGERS),
    "integers, one step": (lambda: lstm()(X[:, 0].astype("int64"), FIRST), DTypeError, INTEGERS),
    "a tensor for a list": (
        lambda: v1.nn.static_rnn(lstm(), mg.tensor(X), dtype="float32"),
        StepsError,
        (
            "static_rnn: expected `inputs`, a list over time of tensors (batch, features), got a Tensor of shape "
            "(2, 4, 3). mg.unstack(inputs, 1) makes the list; dynamic_rnn takes the tensor."
        ),
    ),
    "an empty list": (
        lambda: v1.nn.static_rnn(lstm(), [], dtype="float32"),
        ShapeError,
        "static_rnn: expected at least one time step, got an empty list.",
    ),
    # --- states of another generation
    "Keras' list": (lambda: dynamic(lstm(), None, [S, S]), StateError, LIST_OF_KERAS),
    "Keras' list, one step": (lambda: lstm()(X[:, 0], [S, S]), StateError, LIST_OF_KERAS),
    "Keras' list in a wrapper": (
        lambda: dynamic(rc.DropoutWrapper(lstm(), 0.5), None, [S, S]),
        StateError,
        LIST_OF_KERAS,
    ),
    "Keras' lists in a stack": (
        lambda: dynamic(rc.MultiRNNCell([lstm(), lstm()]), None, [[S, S], [S, S]]),
        StateError,
        LIST_OF_KERAS,
    ),
    "a named tuple for a cell of Keras": (
        lambda: dynamic(L.LSTMCell(5), None, FIRST),
        StateError,
        (
            "dynamic_rnn: got LSTMStateTuple(c, h), the state of the first generation. The states of LSTMCell have no "
            "names; those of Keras' LSTM are the list [h, c], in the other order. Pass [state.h, state.c]."
        ),
    ),
    "one tensor": (
        lambda: dynamic(lstm(), None, S),
        StateError,
        (
            "LSTMCell: expected the state LSTMStateTuple(c, h), got a ndarray of shape (2, 5). Or make the cell with "
            "state_is_tuple=False. Write LSTMStateTuple(c=…, h=…)."
        ),
    ),
    "a tuple for state_is_tuple=False": (
        lambda: dynamic(lstm(state_is_tuple=False), None, (S, S)),
        StateError,
        FLAT.format("tuple"),
    ),
    "a named tuple for state_is_tuple=False": (
        lambda: lstm(state_is_tuple=False)(X[:, 0], FIRST),
        StateError,
        FLAT.format("LSTMStateTuple"),
    ),
    "half of a flat state": (
        lambda: dynamic(lstm(state_is_tuple=False), None, S),
        ShapeError,
        "LSTMCell: expected a state of shape (batch, 10), got (2, 5).",
    ),
    "an LSTM's state for a GRU": (
        lambda: dynamic(rc.GRUCell(5), None, FIRST),
        StateError,
        "GRUCell: expected the state, one tensor, got a LSTMStateTuple of 2.",
    ),
    "a state's size": (
        lambda: dynamic(lstm(), None, rc.LSTMStateTuple(S[:, :3], S)),
        ShapeError,
        "dynamic_rnn: expected `initial_state` of shapes [(2, 5), (2, 5)], got [(2, 3), (2, 5)].",
    ),
    "a state's batch": (
        lambda: dynamic(rc.GRUCell(5), None, S[:1]),
        ShapeError,
        "dynamic_rnn: expected `initial_state` of shapes [(2, 5)], got [(1, 5)].",
    ),
    "a state's size, one step": (
        lambda: lstm()(X[:, 0], rc.LSTMStateTuple(S[:, :3], S)),
        ShapeError,
        (
            "LSTMCell: expected a state of shapes [(2, 5), (2, 5)], got [(2, 3), (2, 5)]. cell.zero_state(2, dtype) "
            "makes zeros."
        ),
    ),
    "one cell's state for a stack": (
        lambda: dynamic(rc.MultiRNNCell([lstm(), lstm(), lstm()]), None, FIRST),
        StateError,
        "MultiRNNCell: expected a tuple of 3 states, one a cell, got a LSTMStateTuple of 2.",
    ),
    "one cell's state for a stack of two": (
        lambda: dynamic(rc.MultiRNNCell([lstm(), lstm()]), None, FIRST),
        StateError,
        (
            "LSTMCell: expected the state LSTMStateTuple(c, h), got a ndarray of shape (2, 5). Or make the cell with "
            "state_is_tuple=False. Write LSTMStateTuple(c=…, h=…)."
        ),
    ),
    "a tuple for a flat stack": (
        lambda: dynamic(rc.MultiRNNCell([lstm(state_is_tuple=False)], state_is_tuple=False), None, (S,)),
        StateError,
        (
            "MultiRNNCell: made with state_is_tuple=False, its state is one tensor, those of the cells side by side, "
            "got a tuple of 1. Write concat(states, 1)."
        ),
    ),
    "tuples in a flat stack": (
        lambda: rc.MultiRNNCell([lstm()], state_is_tuple=False),
        StateError,
        (
            "MultiRNNCell: with state_is_tuple=False each cell's state must be one tensor. Make the cells with "
            "state_is_tuple=False too."
        ),
    ),
    "a flat state without a batch": (
        lambda: lstm(state_is_tuple=False)(X[:, 0], S[0]),
        ShapeError,
        "LSTMCell: expected a state of shape (batch, 10), got (5,).",
    ),
    "a flat state of a stack": (
        lambda: dynamic(rc.MultiRNNCell([rc.GRUCell(5), rc.GRUCell(4)], state_is_tuple=False), None, S),
        ShapeError,
        "MultiRNNCell: expected a state of shape (batch, 9), got (2, 5).",
    ),
    "steps of two shapes": (
        lambda: v1.nn.static_rnn(lstm(), [X[:, 0], X[:1, 0]], dtype="float32"),
        ShapeError,
        "static_rnn: expected `inputs` of one shape at all steps, (2, 3), got (1, 3) at step 1.",
    ),
    "both ways over a list": (
        lambda: v1.nn.static_bidirectional_rnn(lstm(), lstm(), list(X), sequence_length=[1, 2]),
        ShapeError,
        "static_bidirectional_rnn: expected `sequence_length` of shape (batch,) = (4,), got (2,).",
    ),
    "both ways without a dtype": (
        lambda: v1.nn.static_bidirectional_rnn(lstm(), lstm(), list(X)),
        DTypeError,
        "static_bidirectional_rnn: expected a `dtype` where there is no `initial_state`. Pass dtype='float32'.",
    ),
    "lists of numbers": (
        lambda: dynamic(lstm(), x=X.tolist()),
        ShapeError,
        "dynamic_rnn: expected `inputs`, a tensor, got a list of numbers. mg.tensor(inputs) makes it one.",
    ),
    "whole numbers to compute in": (
        lambda: dynamic(lstm(), dtype="int32"),
        DTypeError,
        "dynamic_rnn: expected a floating `dtype`, got int32.",
    ),
    "a cell of whole numbers": (
        lambda: lstm(dtype="int32"),
        DTypeError,
        "LSTMCell: `dtype`: expected a floating one, got int32.",
    ),
    "features not known": (
        lambda: lstm(dtype="float32").build((None, None)),
        ShapeError,
        "lstm_cell_1.build: expected `input_shape` with the number of features, got (None, None). Write (None, 8).",
    ),
    "a call before the weights": (
        lambda: lstm().call(mg.tensor(X[:, 0]), FIRST),
        StateError,
        "LSTMCell.call: the cell has no weights yet. Call the cell itself, cell(inputs, state).",
    ),
    **{
        f"a batch of {batch!r}": (
            lambda batch=batch: lstm().zero_state(batch, "float32"),
            ShapeError,
            f"LSTMCell.zero_state: expected `batch_size`, a whole number, got {batch!r}.",
        )
        for batch in (None, "a", -1, [2, 3], 2.5)
    },
    # --- cells
    "no cell": (lambda: dynamic(3), CellError, f"dynamic_rnn: {NO_CELL}3."),
    "a class": (lambda: dynamic(rc.RNNCell), CellError, f"dynamic_rnn: {NO_CELL}{rc.RNNCell!r}."),
    "a list of cells": (
        lambda: v1.nn.raw_rnn([], None),
        CellError,
        f"raw_rnn: {NO_CELL}[]. MultiRNNCell(cells) makes one cell of several.",
    ),
    "proj_clip without a projection": (
        lambda: lstm(proj_clip=1.0),
        OptionError,
        "LSTMCell: `proj_clip` clips a projection, but `num_proj` is not given: there is none.",
    ),
    "a projection to nothing": (
        lambda: lstm(num_proj=0),
        OptionError,
        "LSTMCell: `num_proj`: expected a positive integer, got 0.",
    ),
    "a clip below zero": (
        lambda: lstm(cell_clip=-1.0),
        OptionError,
        "LSTMCell: `cell_clip`: expected a limit above 0, got -1.0. None does not clip.",
    ),
    "a clip of the projection below zero": (
        lambda: lstm(num_proj=2, proj_clip=-1.0),
        OptionError,
        "LSTMCell: `proj_clip`: expected a limit above 0, got -1.0. None does not clip.",
    ),
    "no cells": (
        lambda: rc.MultiRNNCell([]),
        OptionError,
        "MultiRNNCell: `cells`: expected a list of cells, at least one, got [].",
    ),
    "less than nothing kept": (
        lambda: rc.DropoutWrapper(lstm(), -0.5),
        OptionError,
        "DropoutWrapper: `input_keep_prob`: expected the probability to keep a number, from 0 to 1, got -0.5.",
    ),
    "more than all kept, a tensor": (
        lambda: rc.DropoutWrapper(lstm(), 1.0, mg.tensor(2.0)),
        OptionError,
        "DropoutWrapper: `output_keep_prob`: expected the probability to keep a number, from 0 to 1, got 2.0.",
    ),
    "a word for a probability": (
        lambda: rc.DropoutWrapper(lstm(), "half"),
        OptionError,
        "DropoutWrapper: `input_keep_prob`: expected the probability to keep a number, from 0 to 1, got 'half'.",
    ),
    "masks of another size": (
        lambda: dynamic(
            rc.DropoutWrapper(lstm(), 0.5, variational_recurrent=True, input_size=7, dtype="float32"),
        ),
        ShapeError,
        (
            "DropoutWrapper: its mask of the input was drawn for the size 7, got one of shape (4, 2, 3). `input_size` "
            "is the number of features."
        ),
    ),
    "no function": (
        lambda: rc.ResidualWrapper(lstm(), 3),
        OptionError,
        "ResidualWrapper: `residual_fn`: expected a function, got 3.",
    ),
    "reuse of a word": (
        lambda: lstm(reuse="maybe"),
        VariableError,
        "LSTMCell: `reuse`: expected True, False, None or AUTO_REUSE, got 'maybe'.",
    ),
    "cells of Keras in a flat stack": (
        lambda: rc.MultiRNNCell([L.LSTMCell(5)], state_is_tuple=False),
        StateError,
        (
            "MultiRNNCell: with state_is_tuple=False each cell's state must be one tensor. Make the cells with "
            "state_is_tuple=False too."
        ),
    ),
    "a class in a stack": (
        lambda: rc.MultiRNNCell([rc.LSTMCell]),
        OptionError,
        (
            "MultiRNNCell: `cells`: expected a cell, an object with `call` and `state_size`, got the class LSTMCell. "
            "Make an object of it: LSTMCell(…)."
        ),
    ),
    "a class in a wrapper": (
        lambda: rc.DropoutWrapper(rc.LSTMCell),
        OptionError,
        (
            "DropoutWrapper: `cell`: expected a cell, an object with `call` and `state_size`, got the class LSTMCell. "
            "Make an object of it: LSTMCell(…)."
        ),
    ),
    "variational without a dtype": (
        lambda: rc.DropoutWrapper(lstm(), 0.5, variational_recurrent=True),
        OptionError,
        "DropoutWrapper: `variational_recurrent` draws its masks at once: pass `dtype`.",
    ),
    "variational without a size": (
        lambda: rc.DropoutWrapper(lstm(), 0.5, variational_recurrent=True, dtype="float32"),
        OptionError,
        "DropoutWrapper: `variational_recurrent` with `input_keep_prob` needs `input_size`.",
    ),
    "a residual of another size": (
        lambda: dynamic(rc.ResidualWrapper(lstm())),
        ShapeError,
        (
            "ResidualWrapper: expected the cell's output to have the size of its inputs, 3, got 5. residual_fn brings "
            "other sizes together."
        ),
    ),
    "no device": (
        lambda: rc.DeviceWrapper(lstm(), 0),
        OptionError,
        "DeviceWrapper: `device`: expected the name of a backend, or of a device of TensorFlow's, got 0.",
    ),
    # --- variables
    "built before a call without a dtype": (lambda: lstm().build((None, 3)), DTypeError, NO_DTYPE),
    "a stack built before a call without a dtype": (
        lambda: rc.MultiRNNCell([lstm()]).build((None, 3)),
        DTypeError,
        NO_DTYPE,
    ),
    "the same name twice": (lambda: shared(lstm()), VariableError, EXISTS),
    "reuse without a first use": (lambda: dynamic(lstm(reuse=True)), VariableError, ABSENT),
    "reuse for other inputs": (
        lambda: shared(lstm(reuse=True), X[..., :2]),
        ShapeError,
        "get_variable: expected rnn/lstm_cell/kernel of shape (7, 20), but it exists with (8, 20).",
    ),
    "the scope of a cell that was not used": (
        lambda: lstm().scope_name,
        ScopeError,
        'No name available for layer scope because the layer "lstm_cell_1" has not been used yet.',
    ),
    "no scope": (
        lambda: dynamic(lstm(), scope=3),
        VariableError,
        "variable_scope: expected a name, a scope, or else a default_name, got 3.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    act, error, message = BAD[name]
    with pytest.raises(error) as caught:
        act()
    assert str(caught.value) == message


def test_no_backend_of_that_name() -> None:
    with pytest.raises(UnknownBackendError, match="unknown name 'nump'"):
        dynamic(rc.DeviceWrapper(lstm(), "nump"))


def test_a_plain_tuple_is_taken_as_c_and_h() -> None:
    """As in TensorFlow: nothing tells (c, h) from (h, c) in a tuple without names."""
    c, h = S + 1.0, S - 1.0
    one, _ = dynamic(lstm(), None, (c, h))
    other, state = v1.nn.dynamic_rnn(lstm(reuse=True), X, initial_state=rc.LSTMStateTuple(c, h))
    np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert isinstance(state, rc.LSTMStateTuple)


class Bare(rc.RNNCell):
    """A cell that does not return what it should."""

    state_size = output_size = 3  # type: ignore[assignment]

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def call(self, inputs: Any, state: Any) -> Any:
        return self.answer(inputs, state)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (
            lambda x, s: x,
            CellError,
            (
                "Bare.call: expected the output and the new states, got a Tensor of shape (2, 3). End it with `return "
                "output, states`, the states in the structure of state_size."
            ),
        ),
        (
            lambda x, s: (x, s, s),
            CellError,
            (
                "Bare.call: expected the output and the new states, got a tuple of 3. End it with `return output, "
                "states`, the states in the structure of state_size."
            ),
        ),
        (
            lambda x, s: (x, (s, s)),
            ShapeError,
            "Bare.call: expected new states of the shapes of the old ones, (2, 3), got (2, 3), (2, 3).",
        ),
        (
            lambda x, s: (x, s[:, :2]),
            ShapeError,
            "Bare.call: expected new states of the shapes of the old ones, (2, 3), got (2, 2).",
        ),
        (
            lambda x, s: (x, []),
            ShapeError,
            "Bare.call: expected new states of the shapes of the old ones, (2, 3), got none.",
        ),
    ],
)
def test_a_cell_that_does_not_return_what_it_should(answer: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        dynamic(Bare(answer))
    assert str(caught.value) == message
