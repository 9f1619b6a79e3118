"""Functions that the printed loops call: products for a block of steps, sums over rows, dropout."""

from __future__ import annotations

from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from minigrad_numba.compiling import inlined, substituted
from minigrad_numba.products import add_product_of_transposed
from minigrad_numba.tiles import add_product

__all__ = [
    "add_dropout", "add_product", "add_projection", "add_row", "add_rows", "add_weight_gradient", "apply_dropout",
    "apply_dropout_to_steps", "copy_row", "project", "rows_of", "set_rows",
]  # fmt: skip


@intrinsic
def rows_of(typing_context, x):  # type: ignore[no-untyped-def]
    """Reshape (time, batch, n) to (time · batch, n)."""
    rows_type = types.Array(x.dtype, 2, "C")

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        x = context.make_array(signature.args[0])(context, builder, arguments[0])
        rows = context.make_array(rows_type)(context, builder)
        T, B, n = cgutils.unpack_tuple(builder, x.shape)
        shape, strides = [builder.mul(T, B), n], cgutils.unpack_tuple(builder, x.strides)[1:]
        populate_array(rows, x.data, shape, strides, x.itemsize, x.meminfo)
        return impl_ret_borrowed(context, builder, rows_type, rows._getvalue())

    return rows_type(x), code


@inlined
def add_row(x, y):  # type: ignore[no-untyped-def]
    """y += x, for one row."""
    for k in range(len(y)):
        y[k] += x[k]


@inlined
def copy_row(x, y):  # type: ignore[no-untyped-def]
    """y = x, for one row."""
    for k in range(len(y)):
        y[k] = x[k]


@inlined
def set_rows(z, b):  # type: ignore[no-untyped-def]
    """z[row] = b, for all rows."""
    for row in range(len(z)):
        for k in range(len(b)):
            z[row, k] = b[k]


@inlined
def add_rows(dz, db):  # type: ignore[no-untyped-def]
    """db += Σ dz, over all rows."""
    for row in range(len(dz)):
        for k in range(len(db)):
            db[k] += dz[row, k]


@substituted
def project(x, W, b, z):  # type: ignore[no-untyped-def]
    """z = x W + b, for a block of steps."""
    rows = rows_of(z)
    set_rows(rows, b)
    add_product(rows_of(x), W, rows)


@substituted
def add_weight_gradient(h, dz, dU):  # type: ignore[no-untyped-def]
    """dU += Σ hᵀ dz, over the steps and rows of a block."""
    add_product_of_transposed(rows_of(h), rows_of(dz), dU)


@substituted
def add_projection(x, W, z):  # type: ignore[no-untyped-def]
    """z += x W, for a block of steps; with Wᵀ, dx += dz Wᵀ."""
    add_product(rows_of(x), W, rows_of(z))


@inlined
def apply_dropout(h, mask, out):  # type: ignore[no-untyped-def]
    """out = h ∘ mask, for a step: recurrent dropout. `out` may be `h`."""
    for row in range(len(h)):
        for k in range(h.shape[1]):
            out[row, k] = h[row, k] * mask[row, k]


@inlined
def add_dropout(dh, mask, out):  # type: ignore[no-untyped-def]
    """out += dh ∘ mask, for a step."""
    for row in range(len(dh)):
        for k in range(dh.shape[1]):
            out[row, k] += dh[row, k] * mask[row, k]


@inlined
def apply_dropout_to_steps(h, mask, out):  # type: ignore[no-untyped-def]
    """out = h ∘ mask, for a block of steps."""
    for t in range(len(h)):
        apply_dropout(h[t], mask, out[t])
