"""Comparisons and other operations with bools or positions as results. They have no backward: no gradient passes."""

from __future__ import annotations

from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array, Axis, Xp


class Equal(Op):
    """y = (a = b)"""

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a == b


class NotEqual(Op):
    """y = (a ≠ b)"""

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a != b


class Less(Op):
    """y = (a < b)"""

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a < b


class LessEqual(Op):
    """y = (a ≤ b)"""

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a <= b


class Greater(Op):
    """y = (a > b)"""

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a > b


class GreaterEqual(Op):
    """y = (a ≥ b)"""

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a >= b


class And(Op):
    """y = a and b, bit by bit where they are integers"""

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a & b


class Or(Op):
    """y = a or b, bit by bit where they are integers"""

    def forward(xp: Xp, a: Array, b: Array) -> Array:
        return a | b


class Not(Op):
    """y = not x, bit by bit where x is of integers"""

    def forward(xp: Xp, x: Array) -> Array:
        return ~x


class IsFinite(Op):
    """y = (x is neither infinite nor NaN)"""

    def forward(xp: Xp, x: Array) -> Array:
        return xp.isfinite(x)


class All(Op):
    """y = every x over the axes is true"""

    def forward(xp: Xp, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        return xp.all(x, axis, keepdims)


class Any(Op):
    """y = some x over the axes is true"""

    def forward(xp: Xp, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        return xp.any(x, axis, keepdims)


class ArgMax(Op):
    """y = the position of the largest x along an axis, the first of equals"""

    def forward(xp: Xp, x: Array, *, axis: int | None = None) -> Array:
        return xp.argmax(x, axis)
