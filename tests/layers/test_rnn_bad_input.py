"""Messages for masks as lists, cells that return something else, and states in another order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import MASK_OF_BOOLS, NEW_STATES, OUTPUT_AND_STATES, RETURN, states_of_the_first_generation
from minigrad.compat.v1.nn.rnn_cell import LSTMStateTuple
from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.keras import layers as L
from minigrad.layers.states import CellError, StateError

X = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
S = np.zeros((2, 5), "float32")
MASK = [[True, True, False, False], [False, True, True, True]]


# --- masks as nested lists --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mask",
    [
        MASK,
        tuple(map(tuple, MASK)),
        [[int(m) for m in row] for row in MASK],
        [list(np.array(row)) for row in MASK],
        [np.array(MASK)],
        mg.tensor(MASK),
    ],
)
def test_a_mask_may_be_lists(mask: Any) -> None:
    layer = L.LSTM(5, return_sequences=True)
    expected = layer(X, mask=np.array(MASK))
    y = layer(X, mask=mask)
    np.testing.assert_array_equal(y.numpy(), expected.numpy())
    np.testing.assert_array_equal(y._keras_mask.numpy(), MASK)


def test_a_mask_as_lists_beside_those_of_the_states() -> None:
    layer = L.LSTM(5, return_sequences=True)
    y = layer([X, S, S], mask=[MASK, None, None])
    np.testing.assert_array_equal(y.numpy(), layer(X, mask=np.array(MASK)).numpy())


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        ([True, False], ShapeError, "lstm.call: expected `mask` of shape (batch, time) = (2, 4), got (2,)."),
        (True, ShapeError, "lstm.call: expected `mask` of shape (batch, time) = (2, 4), got ()."),
        ([[True], [False]], ShapeError, "lstm.call: expected `mask` of shape (batch, time) = (2, 4), got (2, 1)."),
        (
            [[1.0, 1.0, 0.0, 0.0]] * 2,
            DTypeError,
            f"lstm.call: {MASK_OF_BOOLS}",
        ),
    ],
)
def test_a_mask_that_does_not_fit(mask: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        L.LSTM(5, name="lstm")(X, mask=mask)
    assert str(caught.value) == message


# --- what a cell returns ----------------------------------------------------------------------------------------------


class Bare(L.Layer):
    """A cell that does not return what it should."""

    state_size = 3

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def call(self, inputs: Any, states: Any) -> Any:
        return self.answer(inputs, states)


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (lambda x, s: x, CellError, f"{OUTPUT_AND_STATES}a Tensor of shape (2, 3). {RETURN}"),
        (lambda x, s: None, CellError, f"{OUTPUT_AND_STATES}a NoneType. {RETURN}"),
        (lambda x, s: (x, *s, *s), CellError, f"{OUTPUT_AND_STATES}a tuple of 3. {RETURN}"),
        (
            lambda x, s: (x, [*s, *s]),
            ShapeError,
            f"{NEW_STATES}(2, 3), got (2, 3), (2, 3).",
        ),
        (lambda x, s: (x, []), ShapeError, f"{NEW_STATES}(2, 3), got none."),
        (
            lambda x, s: (x, [s[0][:1]]),
            ShapeError,
            f"{NEW_STATES}(2, 3), got (1, 3).",
        ),
    ],
)
def test_a_cell_that_does_not_return_what_it_should(
    answer: Any, error: type[Exception], message: str, stacked: bool
) -> None:
    cell = Bare(answer)
    with pytest.raises(error) as caught:
        L.RNN([cell, L.GRUCell(2)] if stacked else cell)(X)
    assert str(caught.value) == f"Bare.call: {message}"


# --- states of another generation -------------------------------------------------------------------------------------

FIRST = LSTMStateTuple(c=S, h=S)


@pytest.mark.parametrize("cell_class", [L.LSTMCell, L.GRUCell])
@pytest.mark.parametrize("unroll", [False, True])
def test_the_state_of_the_first_generation_is_refused(cell_class: Any, unroll: bool) -> None:
    """The order (c, h), with shapes that fit: the classic silent bug."""
    layer = L.RNN(cell_class(5), unroll=unroll, name="rnn")
    calls = [lambda: layer(X, initial_state=FIRST), lambda: layer([X, FIRST]), lambda: layer(X, initial_state=[FIRST])]
    for call in calls:
        with pytest.raises(StateError) as caught:
            call()
        assert str(caught.value) == f"rnn.call: `initial_state`: {states_of_the_first_generation(cell_class.__name__)}"


def test_the_state_of_the_first_generation_is_refused_at_a_reset() -> None:
    layer = L.LSTM(5, stateful=True, name="carrier")
    layer(X)
    with pytest.raises(StateError) as caught:
        layer.reset_states(FIRST)
    assert str(caught.value) == f"carrier.reset_states: `states`: {states_of_the_first_generation('LSTMCell')}"


def test_the_state_of_the_first_generation_is_refused_by_bidirectional() -> None:
    layer = L.Bidirectional(L.LSTM(5), name="both")
    with pytest.raises(StateError) as caught:
        layer(X, initial_state=[FIRST, FIRST])
    assert str(caught.value) == f"both.call: `initial_state`: {states_of_the_first_generation('LSTMCell')}"


def test_bidirectional_takes_a_mask_of_lists() -> None:
    layer = L.Bidirectional(L.LSTM(5, return_sequences=True))
    expected = layer(X, mask=np.array(MASK))
    y = layer(X, mask=MASK)
    np.testing.assert_array_equal(y.numpy(), expected.numpy())
    np.testing.assert_array_equal(y._keras_mask.numpy(), MASK)


@pytest.mark.parametrize(
    "weights", [[np.zeros((6, 12)), np.zeros(12)], [np.zeros((12, 3)), np.zeros((12, 3)), np.zeros(12)]]
)
def test_weights_in_another_layout(weights: Any) -> None:
    """Those of 2016, and those of PyTorch: the shapes give them away."""
    for made in (L.LSTM(3), L.LSTMCell(3)):
        made.build((2, 3) if isinstance(made, L.LSTMCell) else (2, 4, 3))
        with pytest.raises(ShapeError, match=r"Weights in another layout are moved by minigrad\.convert\.relayout\."):
            made.set_weights(weights)
    with pytest.raises(ShapeError, match=r"got 1\. It has none yet: .*[^t]\.$"):
        L.Dense(2).set_weights([np.zeros(2)])
