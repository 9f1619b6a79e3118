"""Reductions and clipping: `reduce_sum`, `argmax`, `clip_by_global_norm` … `tf.math`, second part."""

from __future__ import annotations

from typing import Any

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.ops.arrays import convert
from minigrad.compat.ops.dtypes import as_dtype, int64
from minigrad.compat.ops.elementwise import wide
from minigrad.compat.ops.shaping import axes
from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.arguments import name as checked_name
from minigrad.engine.dtypes import is_floating
from minigrad.engine.errors import ShapeError
from minigrad.engine.tensor import Tensor


@recordable
def reduce_sum(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Σ x over the axes, over all by default."""
    x = convert(input_tensor)
    return F.sum(x, axes(axis), bool(keepdims)).astype(x.dtype)


@recordable
def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Σ x / n over the axes; of whole numbers, a whole number."""
    x = convert(input_tensor)
    found = F.mean(x, axes(axis), bool(keepdims))
    return found if is_floating(x.dtype) else found.astype(x.dtype)


@recordable
def reduce_max(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The largest over the axes; those that share the first place share the gradient."""
    return F.max(convert(input_tensor), axes(axis), bool(keepdims))


@recordable
def reduce_min(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The smallest over the axes; those that share the first place share the gradient."""
    return F.min(convert(input_tensor), axes(axis), bool(keepdims))


@recordable
def reduce_prod(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Π x over the axes."""
    x = convert(input_tensor)
    return F.prod(x, axes(axis), bool(keepdims)).astype(x.dtype)


@recordable
def reduce_all(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether all are true."""
    return F.all(convert(input_tensor), axes(axis), bool(keepdims))


@recordable
def reduce_any(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether any is true."""
    return F.any(convert(input_tensor), axes(axis), bool(keepdims))


@recordable
def reduce_logsumexp(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """ln Σ eˣ over the axes, without overflow."""
    return F.logsumexp(convert(input_tensor), axes(axis), bool(keepdims))


@recordable
def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Σ (x − mean)² / n over the axes."""
    return F.var(convert(input_tensor), axes(axis), bool(keepdims))


@recordable
def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """√(Σ (x − mean)² / n) over the axes."""
    return F.sqrt(F.var(convert(input_tensor), axes(axis), bool(keepdims)))


@recordable
def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """The mean and the variance over the axes."""
    a, over = convert(x), tuple(axes)
    return F.mean(a, over, bool(keepdims)), F.var(a, over, bool(keepdims))


@recordable
def count_nonzero(input: Any, axis: Any = None, keepdims: bool = False, dtype: Any = int64) -> Tensor:  # noqa: A002
    """The number of entries that are not 0 over the axes."""
    found = convert(input) != 0
    return F.sum(wide(found), axes(axis), bool(keepdims)).astype(as_dtype(dtype))


@recordable
def argmax(input: Any, axis: Any = None, output_type: Any = int64) -> Tensor:  # noqa: A002
    """The position of the largest along an axis, the first by default."""
    return F.argmax(convert(input), 0 if axis is None else int(axis)).astype(as_dtype(output_type))


@recordable
def argmin(input: Any, axis: Any = None, output_type: Any = int64) -> Tensor:  # noqa: A002
    """The position of the smallest along an axis, the first by default."""
    return F.argmax(-convert(input), 0 if axis is None else int(axis)).astype(as_dtype(output_type))


@recordable
def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A002
    """√(Σ x²) over the axes; Σ |x| for ord=1."""
    x = convert(tensor)
    if ord == 1:
        return F.sum(F.abs(x), axes(axis), bool(keepdims))
    checked_name("norm: `ord`", "euclidean" if ord == 2 else ord, ("euclidean",), "Or 1.")
    return F.sqrt(F.sum(F.square(x), axes(axis), bool(keepdims)))


# --- clipping ---------------------------------------------------------------------------------------------------------


@recordable
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Tensor:
    """min(max(t, low), high), for numbers or tensors."""
    x = convert(t)
    low, high = (convert(n, x.dtype) for n in (clip_value_min, clip_value_max))
    inside = F.where(x >= low, x, low)
    return F.where(inside <= high, inside, high)


@recordable
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None) -> Tensor:
    """t, scaled down to a norm of `clip_norm` where its norm is larger."""
    x = convert(t)
    limit = convert(clip_norm, x.dtype)
    squares = F.sum(F.square(x), None if axes is None else tuple(axes), True)
    some = squares > 0
    length = F.where(some, F.sqrt(F.where(some, squares, F.ones_like(squares))), squares)
    return x * limit / F.where(length >= limit, length, limit)


@recordable
def global_norm(t_list: Any) -> Tensor:
    """The norm of all tensors of a list as one vector; None counts as nothing."""
    squares = [F.sum(F.square(convert(t))) for t in t_list if t is not None]
    if not squares:
        raise ShapeError("global_norm: expected at least one tensor in `t_list`, got none.")
    total = squares[0]
    for square in squares[1:]:
        total = total + square
    return F.sqrt(total)


@recordable
def clip_by_global_norm(t_list: Any, clip_norm: Any, use_norm: Any = None) -> tuple[list[Any], Tensor]:
    """The tensors of a list, scaled down together to a norm of `clip_norm` where theirs is larger, and their norm."""
    whole = global_norm(t_list) if use_norm is None else convert(use_norm)
    limit = convert(clip_norm, whole.dtype)
    scale = limit * F.where(whole >= limit, 1.0 / F.where(whole > 0, whole, 1.0), 1.0 / limit)
    return [None if t is None else convert(t) * scale.astype(convert(t).dtype) for t in tree.leaves(t_list)], whole
