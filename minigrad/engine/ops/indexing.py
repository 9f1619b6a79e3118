"""Reading by index. Its gradient adds by index: a number that was read twice gets two contributions."""

from __future__ import annotations

from typing import Any

from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array, Xp


class GetItem(Op):
    """y = x[index]; dx = 0 with dy added at the index."""

    def forward(xp: Xp, x: Array, *, index: Any) -> Array:
        return xp.getitem(x, index)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, index: Any) -> Array:
        return xp.scatter_add(xp.zeros(x.shape, x.dtype), index, dy)


class ScatterAdd(Op):
    """y = x with values added at the index; dx = dy, dvalues = dy[index]."""

    broadcasts = True

    def forward(xp: Xp, x: Array, values: Array, *, index: Any) -> Array:
        return xp.scatter_add(x, index, values)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, values: Array, *, index: Any) -> tuple[Array, Array]:
        return dy, xp.getitem(dy, index)


class Take(Op):
    """y = the rows of x, (n, …), that the integer array `indices`, (…), names: an embedding."""

    def forward(xp: Xp, x: Array, *, indices: Array) -> Array:
        return xp.take(x, indices, 0)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, indices: Array) -> Array:
        return xp.scatter_add(xp.zeros(x.shape, x.dtype), indices, dy)
