"""Real functions of integers and bools: the numbers of the same function of floats, also where −x would wrap around."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.dtypes import DTYPES, FLOATING
from minigrad.keras import activations

ACTIVATIONS = [name for name in activations.__all__ if name not in ("get", "serialize", "deserialize")]
REAL = sorted({*ACTIVATIONS, "erf", "exp", "expm1", "log", "log1p", "log_softmax", "logsumexp", "sin", "cos", "sqrt"})
LOSSES = ["binary_cross_entropy", "mean_squared_error"]
INTEGERS = [name for name in DTYPES if name not in FLOATING]
AS_GIVEN = ("linear", "relu")  # they subtract nothing


def numbers(dtype: str) -> np.ndarray:
    """Return numbers of a dtype, the least and the greatest of 8 and 16 bits among them."""
    if dtype == "bool":
        return np.array([[False, True, True]])
    ends = np.iinfo(dtype)
    least, most = max(ends.min, -(2**15)), min(ends.max, 2**16 - 1)
    return np.array([[least, 0, 1, 3, most]], dtype)


def function(name: str):
    """Return a function of `minigrad.functional`, or an activation."""
    return getattr(mg.functional, name, None) or getattr(activations, name)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", REAL)
def test_integers_give_the_numbers_of_floats(name: str, dtype: str) -> None:
    x = numbers(dtype)
    with np.errstate(all="ignore"):
        y, expected = function(name)(x), function(name)(x.astype("float64")).numpy()
        assert np.array_equal(function(name)(mg.tensor(x)).numpy(), y.numpy(), equal_nan=True)
        np.testing.assert_allclose(y.numpy(), expected.astype(y.dtype), rtol=1e-5, atol=1e-6)
    if name not in AS_GIVEN:
        assert y.dtype == str(np.result_type(dtype, np.float32))  # NumPy's dtype of integers with a float32


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_integers(name: str, dtype: str) -> None:
    scores, targets = np.array([[3, 0], [1, 2]], dtype), np.array([[0, 1], [1, 0]], dtype)
    expected = function(name)(scores.astype("float64"), targets.astype("float64"))
    assert function(name)(scores, targets).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_cross_entropy_of_integers(dtype: str) -> None:
    scores, labels = np.array([[3, 0, 1], [0, 2, 0]], dtype), [1, 0]
    expected = mg.functional.softmax_cross_entropy(scores.astype("float64"), labels)
    assert mg.functional.softmax_cross_entropy(scores, labels).item() == pytest.approx(expected.item(), rel=1e-5)
