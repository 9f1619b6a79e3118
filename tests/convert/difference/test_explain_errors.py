"""Errors of `explain_difference`: inputs that do not fit, and arguments that are not a pair of cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convert.pairs import FEATURES, UNITS, C, H, X, built, first, keras
from convert.recorded import L
from layer_errors import ON_DATA_FIRST
from minigrad.compat.v1.nn import rnn_cell
from minigrad.convert import ConversionError, explain_difference
from minigrad.engine.errors import DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("fresh_variables")

# --- inputs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "state", "message"),
    [
        (X[..., :3], None, r"`inputs` of shape \(batch, 4\) or \(batch, time, 4\), got \(3, 5, 3\)"),
        (X[0, 0], None, r"got \(4,\)"),
        (X[:, :0], None, r"got \(3, 0, 4\)"),
        (X, H, r"LSTMStateTuple\(c, h\), or a pair that both cells get unchanged, got ndarray"),
        (X, (H, C, C), "got tuple"),
        (X, (H[:2], C[:2]), r"h \(3, 5\) and c \(3, 5\), got \(2, 5\) and \(2, 5\)"),
    ],
)
def test_inputs_that_do_not_fit(inputs: Any, state: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        explain_difference(built(keras()), built(keras()), inputs, state)


def test_inputs_that_are_no_numbers() -> None:
    with pytest.raises(DTypeError, match="expected `inputs` of real numbers"):
        explain_difference(built(keras()), built(keras()), X.astype(complex))


# --- arguments that are not a pair of cells ---------------------------------------------------------------------------


class OwnCall(L.LSTMCell):
    """A cell that computes something else than its base class."""

    def call(self, inputs: Any, states: Any, training: bool | None = None) -> Any:
        output, new = super().call(inputs, states)
        return output * 2.0, new


@pytest.mark.parametrize(
    ("pair", "error", "message"),
    [
        (lambda: (keras(), built(keras())), ConversionError, r"cell_a: keras.layers.LSTMCell .* has no weights yet"),
        (lambda: (built(keras()), keras()), ConversionError, rf"cell_b: .*{ON_DATA_FIRST}"),
        (
            lambda: (built(keras()), built(keras(L.GRUCell))),
            ConversionError,
            r"expected two cells of one kind, got an LSTM .* and a GRU",
        ),
        (lambda: (built(keras()), built(L.LSTMCell(6))), ShapeError, "the same sizes, got 5 and 6 units"),
        (lambda: (built(first()), built(first(num_proj=2))), ShapeError, "got 5 and 2 outputs"),
        (lambda: (built(keras()), L.Dense(3)), ConversionError, "cell_b: expected an LSTM, GRU .* got a Dense"),
        (lambda: (L.LSTMCell, built(keras())), ConversionError, "the class LSTMCell. Make an instance first"),
        (lambda: (L.Bidirectional(L.LSTM(2)), built(keras())), ConversionError, "pass those one by one"),
        (lambda: (L.StackedRNNCells([keras()]), built(keras())), ConversionError, "got a StackedRNNCells"),
        (lambda: (rnn_cell.DropoutWrapper(first()), built(keras())), ConversionError, "got a DropoutWrapper"),
        (lambda: (None, built(keras())), ConversionError, "got a NoneType"),
        (lambda: (built(keras()), built(OwnCall(UNITS))), ConversionError, "OwnCall may override `call`"),
    ],
)
def test_what_cannot_be_compared(pair: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        explain_difference(*pair())


def test_numbers_that_cannot_be_compared() -> None:
    spoilt = built(keras())
    spoilt.set_weights([w * np.nan for w in spoilt.get_weights()])
    with pytest.raises(ConversionError, match=r"LSTMCell 'lstm_cell.*' outputs NaN or infinite numbers"):
        explain_difference(built(keras()), spoilt)
    with pytest.raises(ConversionError, match="Check its weights and the inputs"):
        explain_difference(built(keras()), built(keras()), X * np.inf)


def test_features_must_agree() -> None:
    other = keras()
    other.build((None, FEATURES + 1))
    with pytest.raises(ShapeError, match="got 4 and 5 features"):
        explain_difference(built(keras()), other)
