"""Selection between two arrays, number by number: the chosen one gets the gradient."""

from __future__ import annotations

from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array, Xp


class Maximum(Op):
    """y = max(a, b); where the two are equal, each gets half of dy."""

    broadcasts = True

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return xp.maximum(a, b)

    def backward(xp: Xp, dy: Array, y: Array, a: Array, b: Array) -> tuple[Array, Array]:
        return _to_the_chosen(xp, dy, a > b, a == b)


class Minimum(Op):
    """y = min(a, b); where the two are equal, each gets half of dy."""

    broadcasts = True

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return xp.minimum(a, b)

    def backward(xp: Xp, dy: Array, y: Array, a: Array, b: Array) -> tuple[Array, Array]:
        return _to_the_chosen(xp, dy, a < b, a == b)


def _to_the_chosen(xp: Xp, dy: Array, is_a: Array, tie: Array) -> tuple[Array, Array]:
    """Return dy where y is a, dy where y is b, and half of it in both where the two are equal."""
    half = xp.where(tie, 0.5 * dy, 0.0)
    return xp.where(is_a, dy, half), xp.where(is_a, 0.0, xp.where(tie, half, dy))


class Where(Op):
    """y = a where the condition holds, else b"""

    broadcasts = True

    def forward(xp: Xp, condition: Array, a: Array, b: Array) -> Array:
        return xp.where(condition, a, b)

    def backward(xp: Xp, dy: Array, y: Array, condition: Array, a: Array, b: Array) -> tuple[None, Array, Array]:
        return None, xp.where(condition, dy, 0.0), xp.where(condition, 0.0, dy)
