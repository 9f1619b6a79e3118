"""What the fused loops share."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad_numpy import loops


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 4), (2, 16, 3), (2, 33, 7), (0, 2, 3), (2, 0, 3), (2, 3, 0)])
def test_turned(shape: tuple[int, int, int]) -> None:
    rows = np.random.default_rng(0).standard_normal(shape)
    out = np.full((shape[0], shape[2], shape[1]), np.nan)
    loops.turned(rows, out)
    np.testing.assert_array_equal(out, rows.transpose(0, 2, 1))


def test_no_row_rests() -> None:
    assert loops.read_mask(None, zero_output=False) is None
    assert loops.read_mask(np.ones((2, 3), bool), zero_output=False) is None


def test_a_row_is_silent_until_its_first_step() -> None:
    mask = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], bool)
    read = loops.read_mask(mask, zero_output=False)
    assert read is not None
    np.testing.assert_array_equal(read.hold, ~mask)
    np.testing.assert_array_equal(read.silent, [[0, 1, 1], [0, 0, 1], [0, 0, 1]])
    read = loops.read_mask(mask, zero_output=True)
    assert read is not None
    np.testing.assert_array_equal(read.silent, ~mask)


def test_steps_at_which_every_row_goes_on_are_marked() -> None:
    read = loops.read_mask(np.array([[True, True], [True, False]]), zero_output=False)
    assert read is not None
    assert read.rows[0] is None
    np.testing.assert_array_equal(read.rows[1], [False, True])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", list(loops.GATE_ACTIVATIONS))
def test_gate_activations(name: str, dtype: str) -> None:
    z = np.linspace(-9.0, 9.0, 37, dtype=dtype)
    σ = loops.GATE_ACTIVATIONS[name]
    expected = {"sigmoid": 1 / (1 + np.exp(-z)), "hard_sigmoid": np.clip(0.2 * z + 0.5, 0, 1)}[name]
    y, slope = (z * σ.scale + σ.shift).astype(dtype), np.empty_like(z)
    σ.squash(y, np.ones((), dtype))
    σ.slope(y, slope)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, expected, rtol=1e-5 if dtype == "float32" else 1e-13, atol=1e-7)
    inside = abs(z) < 2.5
    slopes = {"sigmoid": expected * (1 - expected), "hard_sigmoid": np.where(inside, 0.2, 0.0)}[name]
    np.testing.assert_allclose(slope, slopes, rtol=1e-5, atol=1e-6)
