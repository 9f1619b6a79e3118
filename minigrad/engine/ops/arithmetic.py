"""Arithmetic of two arrays, with NumPy's broadcasting, and the matrix product.

Broadcasting copies a number along an axis, so its gradient is a sum over that axis. No rule here computes that sum:
`broadcasts` leaves it to the caller.
"""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array, Xp

Needs = Sequence[bool]
Pair = tuple[Array, Array]


class Add(Op):
    """y = a + b"""

    broadcasts = True

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a + b

    def backward(xp: Xp, dy: Array, y: Array, a: Array, b: Array) -> Pair:
        return dy, dy


class Subtract(Op):
    """y = a − b"""

    broadcasts = True

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a - b

    def backward(xp: Xp, dy: Array, y: Array, a: Array, b: Array, *, needs: Needs) -> Pair:
        return dy, -dy if needs[1] else None


class Multiply(Op):
    """y = a b"""

    broadcasts = True

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a * b

    def backward(xp: Xp, dy: Array, y: Array, a: Array, b: Array, *, needs: Needs) -> Pair:
        return dy * b if needs[0] else None, dy * a if needs[1] else None


class Divide(Op):
    """y = a / b"""

    broadcasts = True

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a / b

    def backward(xp: Xp, dy: Array, y: Array, a: Array, b: Array, *, needs: Needs) -> Pair:
        da = dy / b
        return da, -da * y if needs[1] else None


class Negative(Op):
    """y = −x"""

    def forward(xp: Xp, x: Array) -> Array:
        return -x

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return -dy


class MatMul(Op):
    """y = a b, the matrix product over the last two axes; the axes before them broadcast.

    da = dy bᵀ,  db = aᵀ dy. A vector on the left counts as one row, on the right as one column; y lacks that axis.
    """

    broadcasts = True
    of_arrays = True

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return xp.matmul(a, b)

    def backward(xp: Xp, dy: Array, y: Array, a: Array, b: Array, *, needs: Needs) -> Pair:
        row, column = a.ndim == 1, b.ndim == 1
        a = xp.expand_dims(a, 0) if row else a
        b = xp.expand_dims(b, 1) if column else b
        dy = xp.expand_dims(dy, -1) if column else dy
        dy = xp.expand_dims(dy, -2) if row else dy
        da = xp.matmul(dy, _transposed(xp, b)) if needs[0] else None
        db = _product_with_rows(xp, a, dy, b.ndim) if needs[1] else None
        da = xp.squeeze(da, -2) if row and needs[0] else da
        db = xp.squeeze(db, -1) if column and needs[1] else db
        return da, db


def _product_with_rows(xp: Xp, a: Array, dy: Array, ndim: int) -> Array:
    """Return aᵀ dy. For one matrix b and a batch of a, the sum over the batch is one product of all rows."""
    if ndim == 2 and a.ndim > 2:
        a = xp.reshape(a, (-1, a.shape[-1]))
        dy = xp.reshape(dy, (-1, dy.shape[-1]))
    return xp.matmul(_transposed(xp, a), dy)


def _transposed(xp: Xp, x: Array) -> Array:
    """Return x with its last two axes exchanged."""
    if x.ndim == 2:
        return xp.transpose(x)
    axes = tuple(range(x.ndim))
    return xp.transpose(x, (*axes[:-2], axes[-1], axes[-2]))
