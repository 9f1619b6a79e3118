"""Functions that move numbers about, read them by index, or make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.backend import registry
from minigrad.backend.protocol import Axis
from minigrad.creation import as_tensor
from minigrad.errors import DTypeError, ShapeError
from minigrad.ops import indexing
from minigrad.ops import shape as shape_ops
from minigrad.tape import Node
from minigrad.tensor import Tensor, TensorLike, apply

Shape = tuple[int, ...]


# --- new tensors --------------------------------------------------------------------------------------------------------


def zeros(shape: Shape, dtype: Any = "float32") -> Tensor:
    """A tensor of zeros on the current backend."""
    return full(shape, 0, dtype)


def ones(shape: Shape, dtype: Any = "float32") -> Tensor:
    """A tensor of ones on the current backend."""
    return full(shape, 1, dtype)


def full(shape: Shape, value: float, dtype: Any = "float32") -> Tensor:
    """A tensor of one value on the current backend."""
    backend = registry.current()
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    return Tensor(backend.full(sizes, value, dtype=dtype), backend)


def arange(stop: int, dtype: Any = "int64") -> Tensor:
    """0, 1, …, stop − 1 on the current backend."""
    backend = registry.current()
    return Tensor(backend.arange(stop, dtype), backend)


def zeros_like(x: TensorLike) -> Tensor:
    """Zeros of x's shape, dtype and backend."""
    x = as_tensor(x)
    return Tensor(x.backend.zeros(x.shape, x.dtype), x.backend)


def ones_like(x: TensorLike) -> Tensor:
    """Ones of x's shape, dtype and backend."""
    x = as_tensor(x)
    return Tensor(x.backend.ones(x.shape, x.dtype), x.backend)


def outputs_of(node: Node) -> Any:
    """The tensor, or the tuple of tensors, that a node made."""
    current = registry.current()
    if type(node.y) is tuple:
        return tuple(Tensor(part, current, node, k) for k, part in enumerate(node.y))
    return Tensor(node.y, current, node)


# --- shape --------------------------------------------------------------------------------------------------------------


def reshape(x: TensorLike, shape: Shape) -> Tensor:
    """x's numbers, in x's order, in another shape; one axis may be −1."""
    return as_tensor(x).reshape(shape)


def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """y's axis k is x's axis axes[k]; all reversed by default."""
    x = as_tensor(x)
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(axes)
    if sorted(a % x.ndim for a in order if -x.ndim <= a < x.ndim) != list(range(x.ndim)):
        raise ShapeError(f"transpose: expected `axes` to name each of the {x.ndim} axes of x once, got {axes}.")
    return apply(shape_ops.Transpose, x, axes=order)


def swapaxes(x: TensorLike, a: int, b: int) -> Tensor:
    """x with two axes exchanged."""
    x = as_tensor(x)
    order = list(range(x.ndim))
    order[a], order[b] = order[b], order[a]
    return transpose(x, order)


def expand_dims(x: TensorLike, axis: int) -> Tensor:
    """x with a new axis of length 1."""
    x = as_tensor(x)
    at = axis + x.ndim + 1 if axis < 0 else axis
    return x.reshape((*x.shape[:at], 1, *x.shape[at:]))


def squeeze(x: TensorLike, axis: Axis = None) -> Tensor:
    """x without its axes of length 1, or without those named."""
    x = as_tensor(x)
    named = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {a % x.ndim for a in named if axis is not None or x.shape[a] == 1}
    if any(x.shape[a] != 1 for a in gone):
        raise ShapeError(f"squeeze: expected axes of length 1, got axis {axis} of shape {x.shape}.")
    return x.reshape(tuple(n for a, n in enumerate(x.shape) if a not in gone))


def broadcast_to(x: TensorLike, shape: Shape) -> Tensor:
    """x, copied along the axes that it lacks or has with length 1."""
    return apply(shape_ops.BroadcastTo, x, shape=tuple(shape))


def concat(xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """The xs one after the other along an axis."""
    return apply(shape_ops.Concat, *xs, axis=axis)


concatenate = concat  # NumPy's older name


def stack(xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """The xs, all of one shape, side by side along a new axis."""
    return apply(shape_ops.Stack, *xs, axis=axis)


def unstack(x: TensorLike, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices of x along an axis, a tuple."""
    return apply(shape_ops.Unstack, x, axis=axis)


def split(x: TensorLike, sections: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """x cut along an axis: into so many equal parts, or at the given positions, as NumPy's split.

    Raises:
        ShapeError: the axis cannot be cut into equal parts.
    """
    x = as_tensor(x)
    n = x.shape[axis]
    if isinstance(sections, int):
        if sections < 1 or n % sections:
            raise ShapeError(f"split: an axis of length {n} cannot be cut into {sections} equal parts.")
        sizes = (n // sections,) * sections
    else:
        cuts = [0, *sections, n]
        sizes = tuple(stop - start for start, stop in zip(cuts, cuts[1:], strict=False))
    return apply(shape_ops.Split, x, sizes=sizes, axis=axis)


def flip(x: TensorLike, axis: Axis = None) -> Tensor:
    """x read backwards along the axes, along all by default."""
    return apply(shape_ops.Flip, x, axis=axis)


def pad(x: TensorLike, widths: Sequence[tuple[int, int]]) -> Tensor:
    """x with zeros around it, (before, after) for each axis."""
    return apply(shape_ops.Pad, x, widths=tuple((before, after) for before, after in widths))


# --- indexing -----------------------------------------------------------------------------------------------------------


def getitem(x: TensorLike, index: Any) -> Tensor:
    """x[index]"""
    return as_tensor(x)[index]


def scatter_add(x: TensorLike, index: Any, values: TensorLike) -> Tensor:
    """x with values added at the index; what is named twice is added twice."""
    return apply(indexing.ScatterAdd, x, values, index=index)


def take(x: TensorLike, indices: TensorLike, axis: int = 0) -> Tensor:
    """The slices of x along an axis that the integers `indices` name, e.g. the rows of an embedding."""
    x, where = as_tensor(x), as_tensor(indices)
    if "int" not in str(where.dtype):
        raise DTypeError(f"take: expected integer `indices`, got {where.dtype}. Convert with x.astype('int64').")
    if axis % x.ndim == 0:
        return apply(indexing.Take, x, indices=where.array)
    rows = apply(indexing.Take, swapaxes(x, 0, axis), indices=where.array.reshape(-1))
    axis %= x.ndim
    return swapaxes(rows, 0, axis).reshape((*x.shape[:axis], *where.shape, *x.shape[axis + 1 :]))


def one_hot(indices: TensorLike, depth: int, dtype: Any = "float32") -> Tensor:
    """1 at the index and 0 elsewhere, along a new last axis of length `depth`: (…) → (…, depth)."""
    at = as_tensor(indices)
    return Tensor(
        at.backend.astype(at.backend.expand_dims(at.array, -1) == at.backend.arange(depth), dtype), at.backend
    )
