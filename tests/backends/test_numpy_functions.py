"""The NumPy backend's own versions of NumPy's functions give the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy as xp
from minigrad_numpy.loops import FusedLoop

DTYPES = ("float16", "float32", "float64", "int32", "uint8", "bool")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 5), (1, 1), (4, 1), (5,)])
@pytest.mark.parametrize("axis", [-1, 0, None])
@pytest.mark.parametrize("keepdims", [False, True])
def test_max(dtype: str, shape: tuple[int, ...], axis: int | None, keepdims: bool) -> None:
    x = (5 * np.random.default_rng(0).standard_normal(shape)).astype(dtype)
    for array in (x, np.asfortranarray(x), x[..., ::-1]):
        found, expected = xp.max(array, axis, keepdims), np.max(array, axis, keepdims=keepdims)
        np.testing.assert_array_equal(found, expected)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)


def test_max_of_rows_with_nan_and_infinities() -> None:
    x = np.array([[1.0, np.nan, 3.0], [np.inf, -np.inf, 1.0], [-np.inf] * 3])
    np.testing.assert_array_equal(xp.max(x, -1), [np.nan, np.inf, -np.inf])
    with pytest.raises(ValueError, match="zero-size"):
        xp.max(np.zeros((3, 0)), -1)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_rows_are_added_one_after_the_other(dtype: str) -> None:
    rng = np.random.default_rng(1)
    table, rows = rng.normal(0, 9, (7, 3, 2)).astype(dtype), rng.integers(-7, 7, (40, 5))
    values = rng.normal(0, 9, (40, 5, 3, 2)).astype(dtype)
    expected = table.copy()
    for row, value in zip(rows.reshape(-1), values.reshape(-1, 3, 2), strict=True):
        expected[row] += value
    for start in (table, np.asfortranarray(table)):
        np.testing.assert_array_equal(xp.scatter_add(start, rows, values), expected)
        assert not np.array_equal(start, expected)


@pytest.mark.parametrize("x", [np.float32(2.0), np.array(2.0, "float16"), np.array(True), np.ones((1, 3)), np.ones(3)])
@pytest.mark.parametrize("shape", [(2, 3), (0, 3), (4, 2, 3)])
def test_broadcast_to(x: Any, shape: tuple[int, ...]) -> None:
    found, expected = xp.broadcast_to(x, shape), np.broadcast_to(x, shape)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert not found.flags.writeable


@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])
def test_outputs_that_no_operation_reads_have_no_gradient(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upstream, backward = [], FusedLoop.backward
    monkeypatch.setattr(FusedLoop, "backward", lambda self, dy, *args: upstream.append(dy) or backward(self, dy, *args))
    layer = getattr(mg.keras.layers, cell)(4, return_sequences=True, return_state=True, dtype="float64")
    x, dh = mg.random.normal((2, 5, 3), dtype="float64"), mg.random.normal((2, 4), dtype="float64")
    layer(x)
    given = [mg.grad(layer(x)[1], layer.trainable_weights, dh)]
    outputs = layer(x)[0]
    given.append(mg.grad(outputs, layer.trainable_weights, mg.stack([0.0 * dh] * 4 + [dh], 1)))
    assert [dy is None for dy in upstream] == [True, False]
    for found, expected in zip(*given, strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_stack_of_the_slices_of_an_array(axis: int) -> None:
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(xp.stack(x, axis), np.stack(x, axis))


def test_stack_of_unequal_shapes_says_what_numpy_says() -> None:
    with pytest.raises(ValueError, match="all input arrays must have the same shape"):
        xp.stack([np.ones(2), np.ones(3)])
