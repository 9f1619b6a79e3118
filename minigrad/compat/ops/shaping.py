"""Shapes and indices of tensors: `reshape`, `concat`, `split` by sizes, `unstack`, `gather` …"""

from __future__ import annotations

from typing import Any

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.ops.arrays import convert, sizes
from minigrad.engine import functional as F
from minigrad.engine.arguments import name as checked_name
from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import DTypeError, ShapeError, shown
from minigrad.engine.ops.axes import axis_of
from minigrad.engine.tensor import Tensor


def axes(axis: Any) -> Any:
    """Return axes, given as numbers, a list or a tensor, as NumPy takes them."""
    if isinstance(axis, Tensor) or hasattr(axis, "tolist"):
        axis = axis.tolist()
    return tuple([int(a) for a in axis]) if isinstance(axis, (list, tuple)) else axis


@recordable
def reshape(tensor: Any, shape: Any) -> Tensor:
    """The tensor in another shape, with its numbers in the same order; one size may be −1."""
    return F.reshape(convert(tensor), sizes(shape))


@recordable
def transpose(a: Any, perm: Any = None, conjugate: bool = False) -> Tensor:
    """a with its axis perm[k] as axis k of the result; the axes are reversed by default."""
    return F.transpose(convert(a), None if perm is None else sizes(perm))


@recordable
def expand_dims(input: Any, axis: Any = None) -> Tensor:  # noqa: A002  (TensorFlow's name, as below)
    """The input with a new axis of length 1."""
    if axis is None:
        raise ShapeError("expand_dims: expected `axis`, the place of the new axis, got none.")
    return F.expand_dims(convert(input), int(axis))


@recordable
def squeeze(input: Any, axis: Any = None, squeeze_dims: Any = None) -> Tensor:  # noqa: A002
    """The input without its axes of length 1, or without those named."""
    axis = squeeze_dims if axis is None else axis
    return F.squeeze(convert(input), None if axis is None or axis == [] else axes(axis))


@recordable
def concat(values: Any, axis: Any) -> Tensor:
    """The values one after the other along an axis."""
    parts = [convert(value) for value in values] if isinstance(values, (list, tuple)) else [convert(values)]
    if isinstance(axis, (list, tuple)):
        raise ShapeError("concat: expected `concat(values, axis)`, got them in the order of TensorFlow 0.x.")
    return F.concat(parts, int(axis)) if len(parts) > 1 else parts[0]


@recordable
def stack(values: Any, axis: int = 0) -> Tensor:
    """The values, all of one shape, side by side along a new axis."""
    return F.stack([convert(value) for value in values], axis)


@recordable
def unstack(value: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices along an axis, a list.

    Raises:
        ShapeError: there are not `num` of them.
    """
    parts = F.unstack(convert(value), axis)
    if num is not None and num != len(parts):
        raise ShapeError(f"unstack: expected `num`, the length of axis {axis}, {len(parts)}, got {num}.")
    return list(parts)


@recordable
def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None) -> list[Tensor]:
    """The value cut along an axis, into a number of equal parts or into parts of the given sizes; one may be −1."""
    x = convert(value)
    axis = axis_of(int(axis), x.ndim, "split")
    if not isinstance(num_or_size_splits, (list, tuple)) and not getattr(num_or_size_splits, "ndim", 0):
        return list(F.split(x, int(num_or_size_splits), axis))
    parts, n = sizes(num_or_size_splits), x.shape[axis]
    rest = n - sum(size for size in parts if size >= 0)
    parts = [rest if size == -1 else size for size in parts]
    if min(parts, default=-1) < 0 or sum(parts) != n:
        raise ShapeError(
            f"split: expected `num_or_size_splits` with the sum {n}, the length of axis {axis}, got "
            f"{shown(num_or_size_splits)}."
        )
    return list(F.split(x, [sum(parts[:k]) for k in range(1, len(parts))], axis))


@recordable
def tile(input: Any, multiples: Any) -> Tensor:  # noqa: A002
    """The input repeated, multiples[k] times along axis k."""
    x = convert(input)
    times = sizes(multiples)
    if len(times) != x.ndim:
        raise ShapeError(f"tile: expected `multiples`, a number for each of {x.ndim} axes, got {shown(multiples)}.")
    for axis, n in enumerate(times):
        if n != 1:
            x = F.concat([x] * n, axis) if n else x[(slice(None),) * axis + (slice(0, 0),)]
    return x


@recordable
def repeat(input: Any, repeats: Any, axis: int | None = None) -> Tensor:  # noqa: A002
    """Each entry of the input repeated, along an axis or of all numbers in a row."""
    x = convert(input)
    if axis is None:
        x, axis = F.reshape(x, -1), 0
    axis = axis_of(axis, x.ndim, "repeat")
    times = sizes(repeats)
    times = times * x.shape[axis] if len(times) == 1 else times
    return F.take(x, convert([k for k, n in enumerate(times) for _ in range(n)]), axis)


@recordable
def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Tensor:
    """The tensor with a number around it, (before, after) for each axis."""
    checked_name("pad: `mode`", mode.upper(), ("CONSTANT",), "Mirrored borders belong to images, out of scope here.")
    x = convert(tensor)
    widths = paddings.tolist() if hasattr(paddings, "tolist") else paddings
    pairs = [(before, after) for before, after in map(sizes, widths)]
    padded = F.pad(x, pairs)
    if not isinstance(constant_values, Tensor) and constant_values == 0:
        return padded
    inside = F.pad(F.ones(x.shape, "bool"), pairs)
    return F.where(inside, padded, convert(constant_values, x.dtype))


@recordable
def reverse(tensor: Any, axis: Any) -> Tensor:
    """The tensor in reverse order along the axes."""
    return F.flip(convert(tensor), axes(axis))


@recordable
def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int | None = None, batch_axis: int | None = None,  # noqa: A002
    seq_dim: int | None = None, batch_dim: int | None = None,
) -> Tensor:  # fmt: skip
    """Each row reversed up to its length; the steps beyond stay."""
    x, lengths = convert(input), convert(seq_lengths).astype("int64")
    time = next((a for a in (seq_axis, seq_dim) if a is not None), 1)
    batch = next((a for a in (batch_axis, batch_dim) if a is not None), 0)
    order = [time, batch, *[a for a in range(x.ndim) if a not in (time, batch)]]
    y = F.transpose(x, order)
    t = F.broadcast_to(F.expand_dims(F.arange(y.shape[0]), 1), y.shape[:2])
    from_the_end = F.where(t < lengths, lengths - 1 - t, t)
    rows = F.broadcast_to(F.arange(y.shape[1]), y.shape[:2])
    return F.transpose(y[from_the_end, rows], [order.index(a) for a in range(x.ndim)])


@recordable
def broadcast_to(input: Any, shape: Any) -> Tensor:  # noqa: A002
    """The input, copied along the axes that it lacks or has with length 1."""
    return F.broadcast_to(convert(input), sizes(shape))


@recordable
def slice_(input_: Any, begin: Any, size: Any) -> Tensor:
    """The part of `size` numbers from `begin` along each axis; −1 for all that follow."""
    pairs = zip(sizes(begin), sizes(size), strict=True)
    return F.getitem(convert(input_), tuple([slice(b, None if n == -1 else b + n) for b, n in pairs]))


@recordable
def gather(params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: int = 0) -> Tensor:
    """The slices along an axis that the indices name.

    Args:
        params: the tensor to read.
        indices: whole numbers, or a nested list of them.
        validate_indices: without effect: indices are always checked.
        axis: the axis, `batch_dims` by default.
        batch_dims: the number of leading axes that params and indices share: 0, or 1 with axis 1.
    """
    x, at = convert(params), convert(indices)
    axis = axis_of(batch_dims if axis is None else int(axis), x.ndim, "gather")
    if batch_dims == 0:
        return F.take(x, at, axis)
    if batch_dims != 1 or axis != 1:
        raise ShapeError(f"gather: expected `batch_dims` of 0, or of 1 with `axis` 1, got {batch_dims} and {axis}.")
    rows = F.arange(x.shape[0]).reshape((-1,) + (1,) * (at.ndim - 1))
    return F.getitem(x, (F.broadcast_to(rows, at.shape), at))


@recordable
def gather_nd(params: Any, indices: Any, batch_dims: int = 0) -> Tensor:
    """The numbers or slices at indices (…, n), each of n numbers for the first n axes."""
    if batch_dims:
        raise ShapeError(f"gather_nd: expected `batch_dims` of 0, got {batch_dims}. Add the batch to the indices.")
    return F.getitem(convert(params), tuple(F.unstack(convert(indices), -1)))


@recordable
def boolean_mask(tensor: Any, mask: Any) -> Tensor:
    """The slices of the first axes where the mask is true."""
    kept = convert(mask)
    if dtype_name(kept.dtype) != "bool":
        raise DTypeError(f"boolean_mask: expected `mask` of bools, got {dtype_name(kept.dtype)}.")
    return F.getitem(convert(tensor), kept)


@recordable
def where(condition: Any, x: Any = None, y: Any = None) -> Tensor:
    """x where the condition holds, else y; the three broadcast.

    Raises:
        ShapeError: only one of x and y is given, or none: indices of true numbers have no fixed number.
    """
    if x is None or y is None:
        raise ShapeError("where: expected `x` and `y` with the condition. For indices use NumPy's np.argwhere.")
    a, b = convert(x), convert(y)
    return F.where(convert(condition), a, b)
