"""Shared code of the tests of traces: layers of every kind, and one run under random cotangents."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.keras import layers as L

B, T, I, H = 3, 5, 4, 3
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)  # a hole; a fully masked row

LAYERS: dict[str, Any] = {
    "lstm": lambda **o: L.LSTM(H, **o),
    "lstm of another activation": lambda **o: L.LSTM(H, activation="gelu", recurrent_activation="hard_sigmoid", **o),
    "lstm with recurrent dropout": lambda **o: L.LSTM(H, recurrent_dropout=0.3, dropout=0.2, **o),
    "second generation": lambda **o: mg.compat.v1.keras.layers.LSTM(H, **o),
    "gru": lambda **o: L.GRU(H, **o),
    "gru that resets before": lambda **o: L.GRU(H, reset_after=False, recurrent_dropout=0.3, **o),
    "gru of another activation": lambda **o: L.GRU(H, activation="swish", reset_after=False, **o),
    "simple": lambda **o: L.SimpleRNN(H, **o),
    "truncated": lambda **o: L.LSTM(H, tbptt=(2, 3), **o),
}


def run(layer: Any, masked: bool = True, training: bool = True) -> tuple[mg.Tensor, mg.Tensor, Any]:
    """Return x, the loss under random cotangents of all outputs, and the outputs."""
    rng = np.random.default_rng(3)
    x = mg.tensor(rng.standard_normal((B, T, I)), requires_grad=True)
    ys = layer(x, mask=mg.tensor(MASK) if masked else None, training=training)
    loss = sum(((y * rng.standard_normal(y.shape)).sum() for y in ys), start=mg.tensor(0.0, dtype="float64"))
    return x, loss, ys


def made(kind: str, **options: Any) -> Any:
    return LAYERS[kind](return_sequences=True, return_state=True, dtype="float64", **options)
