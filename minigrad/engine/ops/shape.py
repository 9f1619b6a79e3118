"""Operations that move numbers without changing them. The backward pass moves dy by the inverse."""

from __future__ import annotations

from itertools import accumulate

from minigrad.engine.ops.op import MultiOp, Op
from minigrad.engine.protocol import Array, Axis, Xp


class Reshape(Op):
    """y = the numbers of x, in the same order, in another shape"""

    def forward(xp: Xp, x: Array, *, shape: tuple[int, ...]) -> Array:
        return xp.reshape(x, shape)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, shape: tuple[int, ...]) -> Array:
        return xp.reshape(dy, x.shape)


class Transpose(Op):
    """y = x with axis axes[k] of x as axis k of y"""

    def forward(xp: Xp, x: Array, *, axes: tuple[int, ...]) -> Array:
        return xp.transpose(x, axes)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, axes: tuple[int, ...]) -> Array:
        inverse = sorted(range(x.ndim), key=lambda k: axes[k] % x.ndim)
        return xp.transpose(dy, tuple(inverse))


class BroadcastTo(Op):
    """y = x copied along the axes that x lacks or has with length 1; the tape sums dx over the copies."""

    broadcasts = True

    def forward(xp: Xp, x: Array, *, shape: tuple[int, ...]) -> Array:
        return xp.broadcast_to(x, shape)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, shape: tuple[int, ...]) -> Array:
        return dy


class Concat(Op):
    """y = the xs one after the other along an axis"""

    def forward(xp: Xp, *xs: Array, axis: int) -> Array:
        return xp.concat(xs, axis)

    def backward(xp: Xp, dy: Array, y: Array, *xs: Array, axis: int) -> tuple[Array, ...]:
        stops = list(accumulate(x.shape[axis] for x in xs))
        starts = [0, *stops[:-1]]
        before = (slice(None),) * (axis % dy.ndim)
        return tuple(xp.getitem(dy, (*before, slice(start, stop))) for start, stop in zip(starts, stops, strict=True))


class Split(MultiOp):
    """y = a tuple: x cut along an axis into parts of the given sizes"""

    def forward(xp: Xp, x: Array, *, sizes: tuple[int, ...], axis: int) -> tuple[Array, ...]:
        before = (slice(None),) * (axis % x.ndim)
        stops = list(accumulate(sizes))
        starts = [0, *stops[:-1]]
        return tuple(xp.getitem(x, (*before, slice(start, stop))) for start, stop in zip(starts, stops, strict=True))

    def backward(
        xp: Xp, dy: tuple[Array, ...], y: tuple[Array, ...], x: Array, *, sizes: tuple[int, ...], axis: int
    ) -> Array:
        return xp.concat(dy, axis)


class Stack(Op):
    """y = the xs side by side along a new axis"""

    def forward(xp: Xp, *xs: Array, axis: int) -> Array:
        return xp.stack(xs, axis)

    def backward(xp: Xp, dy: Array, y: Array, *xs: Array, axis: int) -> tuple[Array, ...]:
        parts: tuple[Array, ...] = xp.unstack(dy, axis)
        return parts


class Unstack(MultiOp):
    """y = a tuple: the slices of x along an axis, each without that axis"""

    def forward(xp: Xp, x: Array, *, axis: int) -> tuple[Array, ...]:
        parts: tuple[Array, ...] = xp.unstack(x, axis)
        return parts

    def backward(xp: Xp, dy: tuple[Array, ...], y: tuple[Array, ...], x: Array, *, axis: int) -> Array:
        return xp.stack(dy, axis)


class Flip(Op):
    """y = x in reverse order along the axes"""

    def forward(xp: Xp, x: Array, *, axis: Axis) -> Array:
        return xp.flip(x, axis)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, axis: Axis) -> Array:
        return xp.flip(dy, axis)


class Pad(Op):
    """y = x with zeros around it, (before, after) for each axis"""

    def forward(xp: Xp, x: Array, *, widths: tuple[tuple[int, int], ...]) -> Array:
        return xp.pad(x, widths)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, widths: tuple[tuple[int, int], ...]) -> Array:
        inside = tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True))
        return xp.getitem(dy, inside)


class AsType(Op):
    """y = x in another floating dtype; the tape converts dx to the dtype of x."""

    broadcasts = True

    def forward(xp: Xp, x: Array, *, dtype: str) -> Array:
        return xp.astype(x, dtype)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, dtype: str) -> Array:
        return dy
