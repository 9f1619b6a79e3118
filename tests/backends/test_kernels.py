"""Every kernel of every backend gives the numbers of the formulas in `minigrad.recurrent`, whatever the options."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from kernel_cases import (
    MAKERS,
    anything,
    assert_numbers_of_the_formulas,
    assert_precise_to_the_dtype,
    flat,
    trying,
)
from minigrad.backend import registry
from minigrad.ops.pointwise import Relu, Sigmoid
from rows import drawing

KERNELS = [
    pytest.param(backend, kind, id=f"{backend}-{kind}")
    for backend in ("numpy", "numba")
    if importlib.util.find_spec(backend)
    for kind in registry.resolve(backend).kernels
]


@pytest.mark.parametrize(("backend", "kind"), KERNELS)
@anything
@trying
def test_kernel_and_formulas(backend: str, kind: str, **case: Any) -> None:
    assert_numbers_of_the_formulas(registry.resolve(backend).kernels[kind], kind, **case)


@pytest.mark.parametrize(("backend", "kind"), KERNELS)
@pytest.mark.parametrize("shape", [(30, 40, 5, 9), (7, 3, 60, 70)], ids=str)  # products by BLAS, and several threads
@pytest.mark.parametrize("after", [True, False])
def test_kernel_and_formulas_at_larger_sizes_and_in_float32(backend: str, kind: str, shape: Any, after: bool) -> None:
    assert_precise_to_the_dtype(registry.resolve(backend).kernels[kind], kind, shape, after=after)


@pytest.mark.parametrize(("backend", "kind"), KERNELS)
def test_backward_again_and_without_dx(backend: str, kind: str) -> None:
    options = dict.fromkeys(["bias", "peepholes", "outputs", "cell_clip", "proj_clip"]) | {"σ": Sigmoid, "after": True}
    draw = drawing(np.random.default_rng(0), "float64")
    step, weights, sizes = MAKERS[kind](options, draw, 2, 3, 4)
    x, dy, state = draw(5, 2, 3), draw(5, 2, 4), tuple(draw(2, size) for size in sizes)
    kernel = registry.resolve(backend).kernels[kind]
    y, state_T, kept = kernel.forward(step, x, state, weights, None, False)
    first = flat(kernel.backward(step, dy, state, x, weights, kept, True))
    expected = [d.copy() for d in first]
    for array in (y, *state_T, *first):
        array[...] = np.nan  # they are the caller's: whatever becomes of them, `kept` is not touched
    for a, b in zip(flat(kernel.backward(step, dy, state, x, weights, kept, True)), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    dx, *rest = kernel.backward(step, dy, state, x, weights, kept, False)
    assert dx is None
    for a, b in zip(flat((0.0, *rest))[1:], expected[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-15)  # dh is a part of a larger product where dx is wanted


@pytest.mark.parametrize(("backend", "kind"), KERNELS)
def test_what_a_kernel_does_not_know_it_refuses(backend: str, kind: str) -> None:
    kernel = registry.resolve(backend).kernels[kind]
    options = dict.fromkeys(["bias", "peepholes", "outputs", "cell_clip", "proj_clip"]) | {"σ": Sigmoid, "after": True}
    rng = np.random.default_rng(0)
    step, weights, _ = MAKERS[kind](options, drawing(rng, "float64"), 2, 3, 4)
    assert kernel.refuses(step, weights) == ""
    half = type(weights)(*[None if w is None else w.astype("float16") for w in weights])
    assert kernel.refuses(step, half) == "the kernel knows no float16"
    relu = type(step)(activation=Relu)
    assert kernel.refuses(relu, weights) == "the kernel knows tanh as activation, not Relu"
