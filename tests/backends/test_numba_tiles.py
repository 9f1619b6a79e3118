"""The products of a step: any number of rows and columns, and no write out of bounds."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from minigrad_numba import tiles  # noqa: E402
from minigrad_numba.compiling import OPTIONS  # noqa: E402


@functools.cache
def adding(of_avx512: bool) -> Any:
    """Return the product by the tiles of AVX-512, or those of other processors, on any processor."""

    @numba.njit(**OPTIONS)
    def add(A, B, C):  # type: ignore[no-untyped-def]
        tiles._add_product(A, B, C)

    def of_tiles(*arrays: Any) -> None:
        with pytest.MonkeyPatch.context() as patch:  # while Numba compiles
            patch.setattr(tiles, "TILES", tiles.OF_AVX512 if of_avx512 else tiles.OF_OTHERS)
            add(*arrays)

    return of_tiles


@pytest.fixture(params=[True, False], ids=["avx512", "others"])
def add(request: pytest.FixtureRequest) -> Any:
    return adding(request.param)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-13)])
@pytest.mark.parametrize("columns", [0, 1, 7, 8, 16, 33, 70, 150])
@pytest.mark.parametrize("inner", [0, 1, 30])
def test_products(add: Any, inner: int, columns: int, dtype: str, tolerance: float) -> None:
    for rows in range(16):
        check_product(add, rows, inner, columns, dtype, tolerance)


def check_product(add: Any, rows: int, inner: int, columns: int, dtype: str, tolerance: float) -> None:
    draw = np.random.default_rng(0).standard_normal
    A, B, C = (draw(s).astype(dtype) for s in ((rows, inner), (inner, columns), (rows, columns)))
    around = np.full((rows + 2, columns), 7, dtype)  # the memory before and after C
    around[1:-1] = C
    add(A, tiles.panels(B), around[1:-1])
    np.testing.assert_allclose(around[1:-1], C + A @ B, rtol=tolerance, atol=tolerance * 10)
    add(np.full_like(A, np.nan), tiles.panels(B), around[1:-1])  # 0 NaN in a column that C lacks is not stored
    assert (around[0] == 7).all()
    assert (around[-1] == 7).all()


def test_panels_are_padded_with_zeros() -> None:
    B = np.arange(1, 61, dtype="float32").reshape(3, 20)
    first, second = tiles.panels(B)
    np.testing.assert_array_equal(first, B[:, :16])
    np.testing.assert_array_equal(second[:, :4], B[:, 16:])
    assert not second[:, 4:].any()


def test_a_row_gives_the_same_bits_in_any_batch(add: Any) -> None:
    """Threads share the rows, so the number of threads does not change the outputs."""
    draw = np.random.default_rng(0).standard_normal
    A, B = draw((15, 30)).astype("float32"), tiles.panels(draw((30, 150)).astype("float32"))
    whole = np.zeros((15, 150), "float32")
    add(A, B, whole)
    for rows in range(1, 15):
        part = np.zeros((rows, 150), "float32")
        add(A[:rows], B, part)
        np.testing.assert_array_equal(part, whole[:rows])


def test_nan_and_infinity_propagate(add: Any) -> None:
    A, B = np.array([[np.nan, 1], [2, 3]]), np.array([[1.0, 2], [np.inf, 5]])
    C = np.zeros((2, 2))
    add(A, tiles.panels(B), C)
    np.testing.assert_array_equal(C, [[np.nan, np.nan], [np.inf, 19]])
