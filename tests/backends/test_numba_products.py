"""The sums over steps of the compiled loops: in plain loops, by BLAS, and by the substitute for BLAS."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from minigrad_numba import products  # noqa: E402
from minigrad_numba.compiling import OPTIONS  # noqa: E402

SHAPES = [(1, 1, 1), (1, 300, 40), (3, 64, 64), (4, 9, 5), (5, 64, 33), (70, 30, 50), (0, 2, 3), (2, 0, 3), (2, 3, 0)]


@numba.njit(**OPTIONS)
def add_transposed(A, B, C):  # type: ignore[no-untyped-def]
    products.add_product_of_transposed(A, B, C)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-12)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products(shape: tuple[int, int, int], dtype: str, tolerance: float) -> None:
    rows, inner, columns = shape
    draw = np.random.default_rng(0).standard_normal
    A, B, C = (draw(s).astype(dtype) for s in ((rows, inner), (inner, columns), (rows, columns)))
    expected = C + A @ B
    found = C.copy()
    add_transposed(np.ascontiguousarray(A.T), B, found)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_numpys_blas_is_found() -> None:
    assert products.BLAS == "NumPy's"


def test_the_substitute_for_blas() -> None:
    """C += Aᵀ B for row-major matrices, called by addresses like BLAS."""
    m, n, k = 4, 3, 5
    draw = np.random.default_rng(0).standard_normal
    A, B, C = draw((k, n)), draw((k, m)), draw((n, m))
    expected = C + A.T @ B
    sizes, one = np.array([m, n, k]), np.ones(1)
    letters = [np.frombuffer(text, np.uint8).copy() for text in (b"N", b"T")]
    gemm = products._in_plain_loops(numba.types.float64)
    at: list[Any] = [array.ctypes.data for array in (*letters, sizes, sizes[1:], sizes[2:], one, B, sizes, A)]
    at += [array.ctypes.data for array in (sizes[1:], one, C, sizes)]
    ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(gemm.address)(*at)
    np.testing.assert_allclose(C, expected, rtol=1e-13)


def test_without_numpys_blas_there_is_scipys_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "symbol", lambda names, part: None)
    monkeypatch.setattr(products.importlib.util, "find_spec", lambda name: None)
    assert products._found("s") == ("none: plain loops", 0)
    monkeypatch.setattr(products.importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(products, "get_cython_function_address", lambda module, name: f"{module}.{name}")
    assert products._found("d") == ("SciPy's", "scipy.linalg.cython_blas.dgemm")
