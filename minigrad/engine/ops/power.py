"""The power aᵇ of two arrays, with derivatives that are finite where a or b is 0."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array, Xp


class Power(Op):
    """y = aᵇ

    da = dy b aᵇ⁻¹, which is 0 for b = 0, also where a = 0;  db = dy y ln a, defined as 0 where a = 0.
    """

    broadcasts = True

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a**b

    def backward(
        xp: Xp, dy: Array, y: Array, a: Array, b: Array, *, needs: Sequence[bool]
    ) -> tuple[Array | None, Array | None]:
        da = dy * (b * a ** _less_one(xp, a, b)) if needs[0] else None
        db = dy * y * _log(xp, a, y) if needs[1] else None
        return da, db


def _less_one(xp: Xp, a: Array, b: Array) -> Array:
    """Return b − 1, but b itself where a and b are 0, since b 0⁻¹ would be NaN."""
    if isinstance(b, (int, float)):
        return b - 1 if b != 0 else b
    return xp.where((a == 0) & (b == 0), b, b - 1)


def _log(xp: Xp, a: Array, y: Array) -> Array:
    """Return ln a in the dtype of y, and 0 where a is 0."""
    if isinstance(a, (int, float)):
        return xp.log(xp.full((), a if a != 0 else 1, y.dtype))
    return xp.log(xp.where(a == 0, 1, a))
