"""The affine map of a dense layer, in one operation."""

from __future__ import annotations

from minigrad.engine.ops.arithmetic import MatMul, Needs
from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array, Xp


class Affine(Op):
    """y = x W + b, for x (…, features), W (features, units) and b (units,).

    dx = dy Wᵀ,  dW = xᵀ dy,  db = dy; the caller sums db over the rows.
    """

    broadcasts = True
    of_arrays = True

    def forward(xp: Xp, x: Array, W: Array, b: Array) -> Array:
        return xp.matmul(x, W) + b

    def backward(xp: Xp, dy: Array, y: Array, x: Array, W: Array, b: Array, *, needs: Needs) -> tuple[Array, ...]:
        return (*MatMul.backward(xp, dy, y, x, W, needs=needs), dy)
