"""The sums over steps of compiled loops, dW = Σ xᵀ dz: matrix products with a long inner dimension.

Large products run in the BLAS that NumPy has loaded: the same routine on the same threads, called without Python. (It
is a fifth faster at these than `tiles`: it reads its packed copies many times.) Small products, which cost less than
such a call, run in plain loops.

If NumPy's BLAS is not found, SciPy's is used if it is installed; otherwise plain loops of the same signature, which are
correct but slow at large sizes. `BLAS` names the one in use.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any

from llvmlite import binding, ir
from numba import carray, cfunc, types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from minigrad_numba.compiling import inlined

SMALL = 4096  # multiplications up to which plain loops are faster, as measured

# Names of the routine in NumPy's wheels, in other builds of OpenBLAS, in Apple's library, in any other.
NAMES = ("scipy_{}gemm_64_", "{}gemm_64_", "{}gemm$NEWLAPACK$ILP64", "{}gemm$NEWLAPACK", "{}gemm_")


# --- xGEMM: C ← α op(A) op(B) + β C -------------------------------------------------------------------------------
# By its Fortran interface: all arguments by address, matrices column by column, `op` the letter N or T (transposed).
# A BLAS with 32-bit integers reads the lower half of these 64-bit ones.


def _signature(real: Any) -> Any:
    letter, number, reals = types.CPointer(types.uint8), types.CPointer(types.int64), types.CPointer(real)
    sizes = (number, number, number)
    return types.void(letter, letter, *sizes, reals, reals, number, reals, number, reals, reals, number)


def _in_plain_loops(real: Any) -> Any:
    """Return the routine in plain loops, for the arguments of this module: op(A) = A, op(B) = Bᵀ, α = β = 1."""

    @cfunc(_signature(real))
    def gemm(op_A, op_B, m, n, k, α, A, lda, B, ldb, β, C, ldc):  # type: ignore[no-untyped-def]
        m, n, k = m[0], n[0], k[0]
        A, C = carray(A, (k, m)), carray(C, (n, m))
        for r, row in enumerate(carray(B, (k, n))):
            for i in range(n):
                for j in range(m):
                    C[i, j] += row[i] * A[r, j]

    return gemm


def symbol(names: Sequence[str], part: str) -> Any:
    """Return a function of the BLAS that NumPy has loaded, by the first name that exists; None if none does."""
    library = ctypes.CDLL(importlib.import_module("numpy._core._multiarray_umath").__file__)
    return next((getattr(library, name.format(part)) for name in names if hasattr(library, name.format(part))), None)


def _found(letter: str) -> tuple[str, int]:
    """Return the origin of the routine, and its address; address 0 if there is none."""
    function = symbol(NAMES, letter)
    if function is not None:
        return "NumPy's", ctypes.cast(function, ctypes.c_void_p).value or 0
    if importlib.util.find_spec("scipy") is not None:
        return "SciPy's", get_cython_function_address("scipy.linalg.cython_blas", f"{letter}gemm")
    return "none: plain loops", 0


def _routine(letter: str, real: Any) -> str:
    """Return the name by which compiled code finds the routine, also when it is read from the cache."""
    global BLAS
    BLAS, address = _found(letter)
    if not address:
        _kept_alive.append(_in_plain_loops(real))
        address = _kept_alive[-1].address
    name = f"minigrad_numba_{letter}gemm"
    binding.add_symbol(name, address)
    return name


BLAS = ""
_kept_alive: list[Any] = []
_ROUTINES = {types.float32: _routine("s", types.float32), types.float64: _routine("d", types.float64)}


@intrinsic
def _gemm(typing_context, A, B, C):  # type: ignore[no-untyped-def]
    """C += Aᵀ B."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        A, B, C = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        )

        def at(value: Any) -> Any:
            return cgutils.alloca_once_value(builder, value)

        letter = ir.IntType(8)
        # A row-major matrix is its transpose in column-major order: Cᵀ += Bᵀ (Aᵀ)ᵀ.
        columns, (inner, rows) = at(builder.extract_value(B.shape, 1)), map(at, cgutils.unpack_tuple(builder, A.shape))
        one = at(context.get_data_type(signature.args[0].dtype)(1))
        pointers = [
            at(letter(ord("N"))), at(letter(ord("T"))), columns, rows, inner, one, B.data, columns, A.data, rows, one,
            C.data, columns,
        ]  # fmt: skip
        kind = ir.FunctionType(ir.VoidType(), [pointer.type for pointer in pointers])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, _ROUTINES[signature.args[0].dtype]), pointers)
        return context.get_dummy_value()

    return types.void(A, B, C), code


# --- for the printed loops ----------------------------------------------------------------------------------------


@inlined
def add_product_of_transposed(A, B, C):  # type: ignore[no-untyped-def]
    """C += Aᵀ B."""
    if A.size * B.shape[1] > SMALL:
        _gemm(A, B, C)
        return
    for k in range(len(A)):
        for i in range(A.shape[1]):
            for j in range(B.shape[1]):
                C[i, j] += A[k, i] * B[k, j]
