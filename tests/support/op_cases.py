"""Cases of operations, one line each, and the checks that every operation must pass.

A test module lists its `CASES` and imports the checks; `tests/engine/ops/conftest.py` brings the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.testing import check_gradient

Array = Any


@dataclass
class Case:
    """An operation on some inputs.

    Attributes:
        name: for the report.
        ours: the function of Tensors.
        theirs: the same function of NumPy arrays.
        inputs: float64 arrays; those of a function with kinks lie at a distance from them.
    """

    name: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    inputs: tuple[Array, ...]


def numbers(*shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0) -> Array:
    """Random numbers, all different, none nearer to 0 than 0.05."""
    count = int(np.prod(shape, dtype=int))
    grid = np.linspace(low, high, 4 * count + 7)
    grid = grid[np.abs(grid) > 0.05]
    return np.random.default_rng(seed).choice(grid, count, replace=False).reshape(shape)


def listed(y: Any) -> list[Any]:
    return list(y) if isinstance(y, (tuple, list)) else [y]


def test_value(case: Case, backend: ModuleType) -> None:
    ours = listed(case.ours(*[mg.tensor(x) for x in case.inputs]))
    theirs = listed(case.theirs(*case.inputs))
    assert len(ours) == len(theirs)
    for y, expected in zip(ours, theirs, strict=True):
        assert y.backend is backend
        assert y.shape == np.shape(expected)
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-14)
        assert y.numpy().dtype == np.asarray(expected).dtype


def test_float32_stays_float32(case: Case) -> None:
    """Check that no step of an operation widens its dtype, forward or backward, with Python floats in its formula."""
    xs = [mg.tensor(x, "float32", requires_grad=True) for x in case.inputs]
    ys = [y for y in listed(case.ours(*xs)) if y.numpy().dtype.kind == "f"]
    for y in ys:
        assert y.dtype == "float32"
        if y.requires_grad:
            dxs = mg.grad(y, xs, np.ones(y.shape, "float32"))
            assert {str(dx.dtype) for dx in dxs if dx is not None} <= {"float32"}


def test_gradients(case: Case, backend: ModuleType) -> None:
    """Check the gradient and its gradient for every input, with random cotangents on every output.

    Along random directions, which miss no wrong element; one by one the elements are looked at where they are few.
    """
    check_gradient(case.ours, *case.inputs, second_order=True, max_elements=4)
