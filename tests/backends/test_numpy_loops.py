"""The parts that the fused loops share: transposed copies, masks, gate activations."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad_numpy import loops


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 4), (2, 16, 3), (2, 33, 7), (0, 2, 3), (2, 0, 3), (2, 3, 0)])
def test_copy_transposed(shape: tuple[int, int, int]) -> None:
    rows = np.random.default_rng(0).standard_normal(shape)
    out = np.full((shape[0], shape[2], shape[1]), np.nan)
    loops.copy_transposed(rows, out)
    np.testing.assert_array_equal(out, rows.transpose(0, 2, 1))


def test_no_masked_row() -> None:
    assert loops.read_mask(None, zero_output=False) is None
    assert loops.read_mask(np.ones((2, 3), bool), zero_output=False) is None


def test_an_output_is_zero_until_the_first_step_of_its_row() -> None:
    mask = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], bool)
    read = loops.read_mask(mask, zero_output=False)
    assert read is not None
    np.testing.assert_array_equal(read.masked, ~mask)
    np.testing.assert_array_equal(read.zeroed, [[0, 1, 1], [0, 0, 1], [0, 0, 1]])
    read = loops.read_mask(mask, zero_output=True)
    assert read is not None
    np.testing.assert_array_equal(read.zeroed, ~mask)


def test_steps_without_masked_rows_are_none() -> None:
    read = loops.read_mask(np.array([[True, True], [True, False]]), zero_output=False)
    assert read is not None
    assert read.by_step[0] is None
    np.testing.assert_array_equal(read.by_step[1], [False, True])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", list(loops.GATE_ACTIVATIONS))
def test_gate_activations(name: str, dtype: str) -> None:
    z = np.linspace(-9.0, 9.0, 37, dtype=dtype)
    σ = loops.GATE_ACTIVATIONS[name]
    expected = {"sigmoid": 1 / (1 + np.exp(-z)), "hard_sigmoid": np.clip(0.2 * z + 0.5, 0, 1)}[name]
    y, derivative = (z * σ.scale + σ.shift).astype(dtype), np.empty_like(z)
    σ.activate(y, np.ones((), dtype))
    σ.derivative(y, derivative)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, expected, rtol=1e-5 if dtype == "float32" else 1e-13, atol=1e-7)
    inside = abs(z) < 2.5
    derivatives = {"sigmoid": expected * (1 - expected), "hard_sigmoid": np.where(inside, 0.2, 0.0)}[name]
    np.testing.assert_allclose(derivative, derivatives, rtol=1e-5, atol=1e-6)
