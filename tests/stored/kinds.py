"""The layers, models and runs whose files are stored: one small example of each kind."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg

FEATURES = 3
L, V1, V1_NN = mg.keras.layers, mg.compat.v1.keras.layers, mg.compat.v1.nn.rnn_cell


def step(n: int = FEATURES) -> Any:
    """One time step for a cell, (batch, features)."""
    return np.linspace(-1.0, 1.0, 2 * n).reshape(2, n)


def sequence(n: int = FEATURES) -> Any:
    """A short sequence, (batch, time, features)."""
    return np.linspace(-1.0, 1.0, 2 * 4 * n).reshape(2, 4, n)


def words() -> Any:
    """Numbers of words, (batch, time)."""
    return np.array([[1, 2, 0, 0], [3, 1, 4, 0]])


def dense_chain() -> Any:
    """A model of three layers."""
    return mg.keras.Sequential([L.LSTM(4, dtype="float64"), L.Dense(3, dtype="float64"), L.Dense(1, dtype="float64")])


def layers() -> dict[str, tuple[Any, Any]]:
    """Return an example of each kind of layer with its arguments, and the inputs to call it on."""
    f64 = {"dtype": "float64"}
    return {
        "dense": (L.Dense(4, activation="relu", kernel_regularizer="l2", **f64), step()),
        "embedding": (L.Embedding(6, 3, mask_zero=True, **f64), words()),
        "dropout": (L.Dropout(0.25, seed=3, **f64), step()),
        "activation": (L.Activation("softsign", **f64), step()),
        "masking": (L.Masking(0.5, **f64), sequence()),
        "time_distributed": (L.TimeDistributed(L.Dense(2, **f64), **f64), sequence()),
        "bidirectional": (L.Bidirectional(L.GRU(3, return_sequences=True, **f64), merge_mode="sum", **f64), sequence()),
        "simple_rnn": (L.SimpleRNN(4, activation="relu", return_sequences=True, **f64), sequence()),
        "lstm": (L.LSTM(4, return_sequences=True, go_backwards=True, **f64), sequence()),
        "lstm_gelu": (L.LSTM(4, activation="gelu", unit_forget_bias=False, use_bias=False, **f64), sequence()),
        "gru": (L.GRU(4, return_sequences=True, **f64), sequence()),
        "gru_reset_before": (L.GRU(4, reset_after=False, recurrent_dropout=0.1, **f64), sequence()),
        "rnn_of_stacked": (
            L.RNN([L.LSTMCell(3, implementation=1, **f64), L.GRUCell(2, **f64), L.SimpleRNNCell(2, **f64)], **f64),
            sequence(),
        ),
        "v1_lstm": (V1.LSTM(4, dropout=0.2, return_sequences=True, **f64), sequence()),
        "v1_gru": (V1.GRU(4, **f64), sequence()),
        "v1_rnn_of_lstm_cell": (V1.RNN(V1.LSTMCell(3, **f64), return_sequences=True, **f64), sequence()),
        "rnn_of_first_generation": (
            L.RNN(V1_NN.LSTMCell(5, use_peepholes=True, num_proj=3, cell_clip=1.0, dtype="float64"), **f64),
            sequence(),
        ),
    }


RUNS = {
    "adding": ["--units", "4", "--length", "6", "--batch", "4", "--dropout", "0.2"],
    "reber": ["--units", "3", "--cell", "gru", "--layers", "2", "--batch", "2"],
    "temporal-order": ["--units", "3", "--batch", "2"],
    "copy": ["--units", "3", "--cell", "simple_rnn", "--batch", "2"],
    "series": ["--units", "3", "--batch", "2", "--file", "series.csv", "--column", "level", "--window", "4"],
    "text": ["--units", "3", "--batch", "2", "--file", "text.txt"],
}
"""For each task the options of the stored run, four steps of six."""
