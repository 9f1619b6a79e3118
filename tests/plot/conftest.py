"""Traces to draw: an LSTM with a hole in its mask, and one without a backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from drawn import MASK, B, T, U


def run(layer: Any, masked: bool = False, back: bool = True) -> Any:
    """The tracer of one run, from a loss of the last output."""
    x = mg.tensor(np.random.default_rng(0).standard_normal((B, T, 3)), dtype="float64", requires_grad=True)
    with mg.trace(layer) as seen:
        y = layer(x, mask=mg.tensor(MASK) if masked else None)
        if back:
            (y[:, -1] if y.ndim == 3 else y).sum().backward()
    return seen


@pytest.fixture
def make() -> Callable[..., Any]:
    """A tracer of a layer of a kind: make("LSTM", masked=True)."""

    def made(kind: str = "LSTM", masked: bool = False, back: bool = True, **options: Any) -> Any:
        layer = getattr(mg.keras.layers, kind)(U, dtype="float64", **{"return_sequences": True, **options})
        return run(layer, masked, back)

    return made


@pytest.fixture
def seen(make: Any) -> Any:
    return make(masked=True)
