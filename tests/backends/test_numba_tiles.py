"""The products of a step: any number of rows and columns, and no write out of bounds."""

from __future__ import annotations

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from minigrad_numba import tiles  # noqa: E402
from minigrad_numba.compiling import OPTIONS  # noqa: E402


@numba.njit(**OPTIONS)
def add(A, B, C):  # type: ignore[no-untyped-def]
    tiles.add_product(A, B, C)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-13)])
@pytest.mark.parametrize("columns", [0, 1, 7, 8, 16, 33, 70])
@pytest.mark.parametrize("inner", [0, 1, 30])
@pytest.mark.parametrize("rows", range(14))
def test_products(rows: int, inner: int, columns: int, dtype: str, tolerance: float) -> None:
    draw = np.random.default_rng(0).standard_normal
    A, B, C = (draw(s).astype(dtype) for s in ((rows, inner), (inner, columns), (rows, columns)))
    around = np.full((rows + 2, columns), 7, dtype)  # the memory before and after C
    around[1:-1] = C
    add(A, tiles.panels(B), around[1:-1])
    np.testing.assert_allclose(around[1:-1], C + A @ B, rtol=tolerance, atol=tolerance * 10)
    assert (around[0] == 7).all()
    assert (around[-1] == 7).all()


def test_panels_are_padded_with_zeros() -> None:
    B = np.arange(1, 61, dtype="float32").reshape(3, 20)
    first, second = tiles.panels(B)
    np.testing.assert_array_equal(first, B[:, :16])
    np.testing.assert_array_equal(second[:, :4], B[:, 16:])
    assert not second[:, 4:].any()


def test_nan_and_infinity_propagate() -> None:
    A, B = np.array([[np.nan, 1], [2, 3]]), np.array([[1.0, 2], [np.inf, 5]])
    C = np.zeros((2, 2))
    add(A, tiles.panels(B), C)
    np.testing.assert_array_equal(C, [[np.nan, np.nan], [np.inf, 19]])
