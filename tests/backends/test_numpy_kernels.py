"""Layers that run in fused kernels, and the reasons given for those that do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernel_reasons import NO_RECURRENT_DROPOUT, ONE_DROPOUT_MASK, ONLY_THREE, only_sigmoids, only_tanh
from minigrad.keras import layers as L

X = np.random.default_rng(0).standard_normal((2, 3, 4))


def path(kind: Any, training: bool = False, **options: Any) -> str:
    layer = kind(5, dtype="float64", **options)
    layer(X, training=training)
    return str(layer.path)


@pytest.mark.parametrize("kind", [L.LSTM, L.GRU, L.SimpleRNN])
@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"dropout": 0.5, "training": True}])
def test_layers_that_run_in_a_kernel(kind: Any, options: dict[str, Any]) -> None:
    assert path(kind, **options) == "explicit BPTT, fused kernel of the numpy backend"


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        (L.LSTM, {"activation": "relu"}, only_tanh("Relu")),
        (L.SimpleRNN, {"activation": "relu"}, only_tanh("Relu")),
        (L.GRU, {"recurrent_activation": "tanh"}, only_sigmoids("Tanh")),
        (L.GRU, {"reset_after": False}, ONLY_THREE),
        (L.LSTM, {"recurrent_dropout": 0.5, "training": True}, NO_RECURRENT_DROPOUT),
        (
            L.GRU,
            {"dropout": 0.5, "implementation": 1, "training": True},
            ONE_DROPOUT_MASK,
        ),
    ],
)
def test_layers_that_run_in_the_formulas(kind: Any, options: dict[str, Any], why: str) -> None:
    assert why in path(kind, **options)
    assert path(kind, **options).startswith("explicit BPTT, formulas of")
