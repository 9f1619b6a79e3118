"""tanh and σ of the compiled loops: their accuracy for all kinds of numbers, and their vectorization."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from minigrad_numba import activations  # noqa: E402
from minigrad_numba.compiling import OPTIONS  # noqa: E402

Array = Any
DTYPES = ["float32", "float64"]


@numba.njit(**OPTIONS)
def _tanh(x, y):  # type: ignore[no-untyped-def]
    for k in range(len(x)):
        y[k] = activations.tanh(x[k])


@numba.njit(**OPTIONS)
def _gate(x, y, hard):  # type: ignore[no-untyped-def]
    for k in range(len(x)):
        y[k] = activations.gate(x[k], hard)


@numba.njit(**OPTIONS)
def _slope(x, y, hard):  # type: ignore[no-untyped-def]
    for k in range(len(x)):
        y[k] = activations.gate_slope(x[k], hard)


def call(function: Any, x: Array, *hard: bool) -> Array:
    y = np.empty_like(x)
    function(x, y, *hard)
    return y


def sigmoid(x: Array) -> Array:
    e = np.exp(-abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


FUNCTIONS: dict[str, tuple[Any, tuple[bool, ...], Callable[[Array], Array]]] = {
    "tanh": (_tanh, (), np.tanh),
    "sigmoid": (_gate, (False,), sigmoid),
}


def every_kind(dtype: str) -> Array:
    """Return numbers of all magnitudes, from the smallest to the largest, denser where the functions bend."""
    info, rng = np.finfo(dtype), np.random.default_rng(0)
    sizes = np.geomspace(float(info.smallest_normal), float(info.max) / 2, 20_001)
    denormal = np.arange(1, 1000) * info.smallest_subnormal
    bends = [np.linspace(-limit, limit, 100_001) for limit in (1.0, 10.0, 120.0, 800.0)]
    positive = np.concatenate([sizes, denormal, rng.exponential(3.0, 100_000)]).astype(dtype)
    return np.concatenate([positive, -positive, *[bend.astype(dtype) for bend in bends]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_at_most_two_units_in_the_last_place_off(name: str, dtype: str) -> None:
    function, hard, exact = FUNCTIONS[name]
    x = every_kind(dtype)
    found = call(function, x, *hard)
    expected = exact(x.astype("float64" if dtype == "float32" else "longdouble"))
    assert found.dtype == dtype
    unit = np.spacing(abs(expected).astype(dtype)).astype(expected.dtype)
    wider = np.finfo(expected.dtype).nmant > np.finfo(dtype).nmant
    slack = 0.0 if wider else 2.0  # without a longer double: the error of np.tanh itself
    assert (abs(found - expected) / unit).max() <= 2.0 + slack


def test_numpys_float32_tanh_is_at_most_two_floats_away() -> None:
    x = every_kind("float32")
    bits = [y.view("int32").astype("int64") for y in (call(_tanh, x), np.tanh(x))]
    ordinals = [np.where(b < 0, -(b & 0x7FFFFFFF), b) for b in bits]
    assert abs(ordinals[0] - ordinals[1]).max() <= 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_limits_zeros_and_nan(dtype: str) -> None:
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0], dtype)
    np.testing.assert_array_equal(call(_tanh, x), np.array([1, -1, np.nan, 0, -0.0], dtype))
    assert np.signbit(call(_tanh, x)[4])
    np.testing.assert_array_equal(call(_gate, x, False), np.array([1, 0, np.nan, 0.5, 0.5], dtype))
    np.testing.assert_array_equal(call(_gate, x, True), np.array([1, 0, np.nan, 0.5, 0.5], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_hard_sigmoid_and_slopes(dtype: str) -> None:
    x = np.linspace(-4.0, 4.0, 33, dtype=dtype)
    y = call(_gate, x, True)
    np.testing.assert_allclose(y, np.clip(0.2 * x + 0.5, 0, 1), rtol=1e-6)
    np.testing.assert_allclose(call(_slope, y, True), np.where((y > 0) & (y < 1), 0.2, 0.0), rtol=1e-6)
    y = call(_gate, x, False)
    np.testing.assert_allclose(call(_slope, y, False), y * (1 - y), rtol=1e-5)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads the assembly of x86")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_loop_is_vectorized(name: str, dtype: str) -> None:
    """Packed divisions appear in the assembly only if the loop is vectorized."""
    function, hard, _ = FUNCTIONS[name]
    x = np.ones(3, dtype)
    call(function, x, *hard)
    types = (numba.typeof(x), numba.typeof(x), *map(numba.typeof, hard))
    assembly = function.inspect_asm(types)
    packed = "divps" if dtype == "float32" else "divpd"
    assert re.search(rf"\bv?{packed}\b", assembly), f"no {packed}: the loop over {name} is not vectorized"


def test_the_same_in_plain_python() -> None:
    x = np.array([-3.0, 0.1, 2.0])
    np.testing.assert_allclose(activations.tanh(x), call(_tanh, x), rtol=1e-15)
    for hard in (False, True):
        y = activations.gate(x, hard)
        np.testing.assert_allclose(y, call(_gate, x, hard), rtol=1e-15)
        np.testing.assert_allclose(activations.gate_slope(y, hard), call(_slope, y, hard), rtol=1e-13, atol=1e-16)
