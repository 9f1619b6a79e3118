"""LSTM, GRU and SimpleRNN, the cells and the layers, of the third and of the second generation."""

from __future__ import annotations

from typing import Any

from oracle.reader import Case
from oracle.record.draw import BOUNDED, UNBOUNDED
from oracle.record.grids import cells, sequences

THIRD = "keras.layers"
SECOND = "compat.v1.keras.layers"
ACTIVATION = {"activation": [*BOUNDED, "tanh", "tanh", *UNBOUNDED], "use_bias": [True, True, False]}
GATED = {
    **ACTIVATION,
    "recurrent_activation": [*BOUNDED, "sigmoid", "sigmoid", "hard_sigmoid", *UNBOUNDED],
    "implementation": [1, 2],
}
# The generation's own activations: the fast paths of the third are taken with these alone.
USUAL = {"implementation": [2, 1]}
COUNTS = {THIRD: (32, 48, 36, 24), SECOND: (24, 32, 20, 16)}


def _all(family: str, generation: str, name: str, states: int, **grids: dict[str, Any]) -> list[Case]:
    """Cells, layers with any options and with the usual ones, and RNN around cells."""
    layer, cell = f"{generation}.{name}", f"{generation}.{name}Cell"
    drawn, usual = grids["drawn"], grids["usual"]
    n = COUNTS[generation]
    return [
        *cells(family, cell, n[0], states, drawn),
        *sequences(family, layer, n[1], states, drawn),
        *sequences(family, layer, n[2], states, usual, label="usual"),
        *sequences(family, f"{generation}.RNN", n[3], states, drawn, cell=cell),
    ]


def _lstm(family: str, generation: str) -> list[Case]:
    drawn = {**GATED, "unit_forget_bias": [True, False]}
    return _all(family, generation, "LSTM", 2, drawn=drawn, usual=USUAL)


def _gru(family: str, generation: str) -> list[Case]:
    reset_after = {"reset_after": [True, False]}
    drawn, usual = {**GATED, **reset_after}, {**USUAL, **reset_after}
    return _all(family, generation, "GRU", 1, drawn=drawn, usual=usual)


def _simple_rnn(family: str, generation: str) -> list[Case]:
    return _all(family, generation, "SimpleRNN", 1, drawn=ACTIVATION, usual={})


def keras_lstm() -> list[Case]:
    """Third generation."""
    return _lstm("keras_lstm", THIRD)


def keras_gru() -> list[Case]:
    """Third generation."""
    return _gru("keras_gru", THIRD)


def keras_simple_rnn() -> list[Case]:
    """Third generation."""
    return _simple_rnn("keras_simple_rnn", THIRD)


def v1_keras_lstm() -> list[Case]:
    """Second generation."""
    return _lstm("v1_keras_lstm", SECOND)


def v1_keras_gru() -> list[Case]:
    """Second generation."""
    return _gru("v1_keras_gru", SECOND)


def v1_keras_simple_rnn() -> list[Case]:
    """Second generation."""
    return _simple_rnn("v1_keras_simple_rnn", SECOND)
