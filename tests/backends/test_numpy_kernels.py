"""Which layers the fused kernels run, and what they say where they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minigrad.keras import layers as L

X = np.random.default_rng(0).standard_normal((2, 3, 4))


def path(kind: Any, training: bool = False, **options: Any) -> str:
    layer = kind(5, dtype="float64", **options)
    layer(X, training=training)
    return str(layer.path)


@pytest.mark.parametrize("kind", [L.LSTM, L.GRU, L.SimpleRNN])
@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"dropout": 0.5, "training": True}])
def test_what_they_run(kind: Any, options: dict[str, Any]) -> None:
    assert path(kind, **options) == "explicit BPTT, fused kernel of the numpy backend"


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        (L.LSTM, {"activation": "relu"}, "the kernel knows tanh as activation, not Relu"),
        (L.SimpleRNN, {"activation": "relu"}, "the kernel knows tanh as activation, not Relu"),
        (L.GRU, {"recurrent_activation": "tanh"}, "the kernel knows sigmoid and hard_sigmoid for the gates, not Tanh"),
        (L.GRU, {"reset_after": False}, "the numpy backend has loops for LSTM, GRU and SimpleRNN alone"),
        (L.LSTM, {"recurrent_dropout": 0.5, "training": True}, "the kernel knows no recurrent dropout"),
        (
            L.GRU,
            {"dropout": 0.5, "implementation": 1, "training": True},
            "the kernel knows one dropout mask, not one for each gate",
        ),
    ],
)
def test_what_they_refuse(kind: Any, options: dict[str, Any], why: str) -> None:
    assert why in path(kind, **options)
    assert path(kind, **options).startswith("explicit BPTT, formulas of")
