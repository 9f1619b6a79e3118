"""What a wrong call is answered: where, what was expected, what came, and the way out. The messages, word for word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minigrad.errors import DTypeError, MinigradError, ShapeError
from minigrad.keras import layers as L
from minigrad.layers.options import OptionError, OptionTypeError

FEATURES, UNITS = 4, 3
X = np.zeros((2, 6, FEATURES), "float32")


def stateful(**kwargs: Any) -> Any:
    layer = L.LSTM(UNITS, stateful=True, name="carrier", **kwargs)
    layer(X)
    return layer


def built(**kwargs: Any) -> Any:
    layer = L.LSTM(UNITS, name="lstm", **kwargs)
    layer(X)
    return layer


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "rank": (
        lambda: L.LSTM(UNITS, name="lstm")(X[0]),
        ShapeError,
        (
            "LSTM.call ('lstm'): expected `inputs` of shape (batch, time, features), got (6, 4). It takes a batch of "
            "sequences: x[None] makes one of a single sequence, Embedding one of integers."
        ),
    ),
    "rank, built": (
        lambda: built()(X[0]),
        ShapeError,
        (
            "LSTM.call ('lstm'): expected `inputs` of shape (batch, time, 4), got (6, 4). It takes a batch of "
            "sequences: x[None] makes one of a single sequence, Embedding one of integers."
        ),
    ),
    "features": (
        lambda: built()(X[..., :3]),
        ShapeError,
        "LSTM.call ('lstm'): expected `inputs` of shape (batch, time, 4), got (2, 6, 3).",
    ),
    "time major": (
        lambda: built(time_major=True)(X[..., :3]),
        ShapeError,
        "LSTM.call ('lstm'): expected `inputs` of shape (time, batch, 4), got (2, 6, 3).",
    ),
    "no steps": (
        lambda: L.LSTM(UNITS, name="lstm")(X[:, :0]),
        ShapeError,
        "lstm: expected at least one time step, got (2, 0, 4).",
    ),
    "four axes": (
        lambda: L.RNN(L.LSTMCell(UNITS, name="cell"))(X[None]),
        ShapeError,
        (
            "LSTMCell.build ('cell'): expected `inputs` of shape (batch, features), got (1, 6, 4). A cell takes one "
            "time step; wrap it in RNN(cell) for a sequence."
        ),
    ),
    "batch of a stateful layer": (
        lambda: stateful()(X[:1]),
        ShapeError,
        (
            "carrier: this stateful layer carries the states of a batch of 2, got a batch of 1. Drop the last, smaller "
            "batch, or make a layer for the other size; reset_states() keeps the size."
        ),
    ),
    "mask's shape": (
        lambda: built()(X, mask=np.ones((6, 2), bool)),
        ShapeError,
        "lstm: expected `mask` of shape (batch, time) = (2, 6), got (6, 2).",
    ),
    "mask's shape, time major": (
        lambda: L.LSTM(UNITS, time_major=True, name="lstm")(X, mask=np.ones((6, 2), bool)),
        ShapeError,
        "lstm: expected `mask` of shape (time, batch) = (2, 6), got (6, 2).",
    ),
    "mask's dtype": (
        lambda: built()(X, mask=np.ones((2, 6), "float32")),
        DTypeError,
        "lstm: expected `mask` of bools, got float32. True is what counts: pass mask > 0.",
    ),
    "number of states": (
        lambda: built()(X, initial_state=[np.zeros((2, 3))]),
        ShapeError,
        "lstm.call: expected `initial_state`, 2 states of shapes (2, 3), (2, 3), got 1: (2, 3).",
    ),
    "shape of a state": (
        lambda: built()(X, initial_state=[np.zeros((2, 3)), np.zeros((2, 4))]),
        ShapeError,
        "lstm.call: expected `initial_state`, 2 states of shapes (2, 3), (2, 3), got 2: (2, 3), (2, 4).",
    ),
    "tbptt on the tape": (
        lambda: L.LSTM(UNITS, unroll=True, tbptt=(1, 2), name="lstm")(X),
        MinigradError,
        "lstm: tbptt=(1, 2) needs the explicit loop over time, but unroll=True.",
    ),
    "tbptt": (
        lambda: L.LSTM(UNITS, tbptt=(3, 2)),
        OptionError,
        (
            "LSTM: `tbptt`: expected (k1, k2), whole numbers with 1 ≤ k1 ≤ k2: after every k1 steps, k2 steps "
            "back; got (3, 2)."
        ),
    ),
    "no cell": (
        lambda: L.RNN(3),
        OptionError,
        "RNN: `cell`: expected a cell, an object with `call` and `state_size`, got 3.",
    ),
    "constants that nobody takes": (
        lambda: L.RNN(L.LSTMCell(UNITS))(X, constants=[np.zeros(2)]),
        OptionTypeError,
        "LSTMCell.call takes no `constants`, and the layer around it got some.",
    ),
    "units": (lambda: L.LSTM(-1), OptionError, "LSTM: `units`: expected a positive integer, got -1."),
    "float units": (lambda: L.GRU(2.0), OptionError, "GRU: `units`: expected a positive integer, got 2.0."),
    "dropout": (
        lambda: L.LSTM(2, dropout=1.5),
        OptionError,
        "LSTM: `dropout`: expected a number from 0 to 1, the fraction to drop, got 1.5.",
    ),
    "a flag": (
        lambda: L.LSTM(2, return_sequences="no"),
        OptionError,
        "LSTM: `return_sequences`: expected True or False, got 'no'.",
    ),
    "an argument": (
        lambda: L.LSTM(2, return_sequence=True),
        TypeError,
        "LSTM: unexpected argument `return_sequence`. Did you mean `return_sequences`?",
    ),
    "no units": (L.LSTM, TypeError, "LSTM: the argument `units` is missing."),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    act, error, message = BAD[name]
    with pytest.raises(error) as caught:
        act()
    assert str(caught.value) == message
