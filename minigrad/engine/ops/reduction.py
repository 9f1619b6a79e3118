"""Reductions: many numbers in, fewer out. The backward pass spreads dy along the axes that forward reduced.

`axis` is an int, a tuple of ints, or None for all. With `keepdims` the reduced axes stay, with length 1.
"""

from __future__ import annotations

from minigrad.engine.ops.axes import axes_of
from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array, Axis, Xp


def along(xp: Xp, y: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    """Return y with the reduced axes restored, each of length 1, so that it broadcasts against x."""
    if keepdims or x.ndim == 0:
        return y
    reduced = axes_of(axis, x.ndim, "reduction")
    return xp.reshape(y, tuple([1 if a in reduced else n for a, n in enumerate(x.shape)]))


class Sum(Op):
    """y = Σ x over the axes"""

    def forward(xp: Xp, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        return xp.sum(x, axis, keepdims)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        return xp.broadcast_to(along(xp, dy, x, axis, keepdims), x.shape)


class Prod(Op):
    """y = Π x along an axis; dxᵢ = dy Π_{j≠i} xⱼ, which needs no division and so holds where an x is 0."""

    def forward(xp: Xp, x: Array, *, axis: int, keepdims: bool = False) -> Array:
        return xp.prod(x, axis, keepdims)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, axis: int, keepdims: bool = False) -> Array:
        axis %= x.ndim
        n = x.shape[axis]
        last, back = _exchange(axis, x.ndim), _exchange_back(axis, x.ndim)
        factors = xp.expand_dims(xp.transpose(x, last), -2)  # (…, 1, n)
        identity = xp.expand_dims(xp.arange(n), -1) == xp.arange(n)
        others = xp.prod(xp.where(identity, 1.0, factors), -1)  # (…, n): at i, the product of all but xᵢ
        return along(xp, dy, x, axis, keepdims) * xp.transpose(others, back)


def _exchange(axis: int, ndim: int) -> tuple[int, ...]:
    """Return the order of axes that moves one axis to the end."""
    return (*range(axis), *range(axis + 1, ndim), axis)


def _exchange_back(axis: int, ndim: int) -> tuple[int, ...]:
    """Return the order of axes that moves the last axis back."""
    return (*range(axis), ndim - 1, *range(axis, ndim - 1))


class Max(Op):
    """y = the largest x over the axes; those that share the first place share dy."""

    def forward(xp: Xp, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        return xp.max(x, axis, keepdims)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        return _shared_among_ties(xp, dy, y, x, axis, keepdims)


class Min(Op):
    """y = the smallest x over the axes; those that share the first place share dy."""

    def forward(xp: Xp, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        return xp.min(x, axis, keepdims)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        return _shared_among_ties(xp, dy, y, x, axis, keepdims)


def _shared_among_ties(xp: Xp, dy: Array, y: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    # Counted in float32 at least: more than 65,519 equal numbers would be infinitely many in float16.
    is_extreme = xp.astype(x == along(xp, y, x, axis, keepdims), "float64" if "64" in str(x.dtype) else "float32")
    return along(xp, dy, x, axis, keepdims) * (is_extreme / xp.sum(is_extreme, axis, True))


class CumSum(Op):
    """yₜ = Σ_{s≤t} xₛ along an axis; dxₜ = Σ_{s≥t} dyₛ, the same sum run backwards."""

    def forward(xp: Xp, x: Array, *, axis: int) -> Array:
        return xp.cumsum(x, axis)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, axis: int) -> Array:
        return xp.flip(xp.cumsum(xp.flip(dy, axis), axis), axis)


class LogSumExp(Op):
    """y = ln Σ eˣ over the axes, with the largest x taken out first; dx = dy softmax(x).

    Where y is infinite it is the largest x, and the x that are +∞ share dy; those that are all −∞ get 0.
    """

    def forward(xp: Xp, x: Array, *, axis: Axis = -1, keepdims: bool = False) -> Array:
        top = xp.max(x, axis, True)
        y = xp.log(xp.sum(xp.exp(_minus_top(xp, x, top)), axis, True)) + top
        return y if keepdims else xp.squeeze(y, axes_of(axis, x.ndim, "logsumexp"))

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, axis: Axis = -1, keepdims: bool = False) -> Array:
        top, dy = along(xp, y, x, axis, keepdims), along(xp, dy, x, axis, keepdims)
        at_infinity = xp.astype((x == top) & (x > 0), x.dtype)
        at_infinity = at_infinity / xp.maximum(xp.sum(at_infinity, axis, True), 1.0)
        otherwise = xp.where(top == top, at_infinity, top)  # NaN stays NaN
        return dy * xp.where(xp.isfinite(top), xp.exp(_minus_top(xp, x, top)), otherwise)


def _minus_top(xp: Xp, x: Array, top: Array) -> Array:
    """Return x − top, and 0 where top is not finite: ∞ − ∞ would be NaN."""
    finite = xp.isfinite(top)
    return xp.where(finite, x - xp.where(finite, top, 0.0), 0.0)


class Softmax(Op):
    """yᵢ = e^xᵢ / Σ e^xⱼ along an axis; dx = y (dy − Σ dy y)."""

    from_output = True

    def forward(xp: Xp, x: Array, *, axis: int = -1) -> Array:
        e = xp.exp(x - xp.max(x, axis, True))
        return e / xp.sum(e, axis, True)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, axis: int = -1) -> Array:
        return y * (dy - xp.sum(dy * y, axis, True))


class LogSoftmax(Op):
    """y = x − ln Σ eˣ along an axis; dx = dy − eʸ Σ dy."""

    from_output = True

    def forward(xp: Xp, x: Array, *, axis: int = -1) -> Array:
        shifted = x - xp.max(x, axis, True)
        return shifted - xp.log(xp.sum(xp.exp(shifted), axis, True))

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, axis: int = -1) -> Array:
        return dy - xp.exp(y) * xp.sum(dy, axis, True)
