"""Third generation: LSTMCell, LSTM, and RNN around an LSTMCell."""

from __future__ import annotations

from oracle.reader import Case
from oracle.record.draw import BOUNDED, UNBOUNDED
from oracle.record.grids import cells, sequences

OPTIONS = {
    "activation": [*BOUNDED, "tanh", "tanh", *UNBOUNDED],
    "recurrent_activation": [*BOUNDED, "sigmoid", "sigmoid", "hard_sigmoid", *UNBOUNDED],
    "use_bias": [True, True, False],
    "unit_forget_bias": [True, False],
    "implementation": [1, 2],
}
USUAL = {"activation": ["tanh"], "recurrent_activation": ["sigmoid"], "implementation": [2, 1]}


def keras_lstm() -> list[Case]:
    """Any activations, and as often those that the fast path of the layer asks for."""
    family, layer, cell = "keras_lstm", "keras.layers.LSTM", "keras.layers.LSTMCell"
    return [
        *cells(family, cell, 32, 2, OPTIONS),
        *sequences(family, layer, 48, 2, OPTIONS),
        *sequences(family, layer, 36, 2, USUAL, label="usual"),
        *sequences(family, "keras.layers.RNN", 24, 2, OPTIONS, cell=cell),
    ]
