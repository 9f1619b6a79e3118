"""What the tests of the fused loops share: inputs, masks, comparisons."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Array = Any


def drawing(rng: np.random.Generator, dtype: str) -> Callable[..., Array]:
    """Draws arrays that refuse to be written to: a loop may not touch what it is handed."""

    def draw(*shape: int) -> Array:
        array = rng.standard_normal(shape).astype(dtype)
        array.flags.writeable = False
        return array

    return draw


def of_all_backends(loop: str) -> list[Any]:
    """The loops of that name, as parameters of a test; of those backends whose library is installed."""
    return [
        pytest.param(importlib.import_module(f"minigrad_{library}").kernels[loop].loop, id=library)
        for library in ("numpy", "numba")
        if importlib.util.find_spec(library)
    ]


def masks(rng: np.random.Generator, T: int, B: int, kind: str) -> Array | None:
    """Ragged with holes; or with rows that begin late, rest throughout, or never rest."""
    if kind == "none":
        return None
    mask = np.arange(T)[:, None] < rng.integers(1, T + 1, B)
    mask &= rng.random((T, B)) < 0.8
    if kind == "late":
        mask[: T // 2, 0] = False
        mask[-1, 0] = True
        mask[:, -1] = B == 1
    return mask


def assert_same(found: tuple[Array, ...], expected: tuple[Array, ...], tolerance: float) -> None:
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1.0, abs(b).max(initial=0.0)))


def assert_slopes(loss: Callable[..., float], inputs: dict[str, Array], gradients: tuple[Array, ...]) -> None:
    """Compares every element of the gradients with finite differences of the loss, of fourth order in ε."""
    ε = 1e-5
    for (name, value), gradient in zip(inputs.items(), gradients, strict=True):
        for index in np.ndindex(value.shape):
            step = np.zeros_like(value)
            step[index] = ε
            near = loss(**{name: value + step}) - loss(**{name: value - step})
            far = loss(**{name: value + 2 * step}) - loss(**{name: value - 2 * step})
            assert gradient[index] == pytest.approx((8 * near - far) / (12 * ε), rel=1e-6, abs=1e-8), (name, index)
