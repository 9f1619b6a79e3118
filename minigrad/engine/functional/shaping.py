"""Functions that create tensors, change their shape, or read them by index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil, nan, prod
from numbers import Real
from operator import index as index_of
from typing import Any, cast

from minigrad.engine import registry
from minigrad.engine.arguments import at_least, entries, integer
from minigrad.engine.conversion import array_from
from minigrad.engine.creation import as_tensor, as_tensor_like
from minigrad.engine.dtypes import dtype_name, fits, is_floating, is_integer
from minigrad.engine.errors import DTypeError, OptionError, ShapeError, shown
from minigrad.engine.foreign import attempted
from minigrad.engine.functional.elementwise import floor, not_equal
from minigrad.engine.functional.reduction import any as any_
from minigrad.engine.indices import check_on_host, index_array, normalize_index
from minigrad.engine.memory import out_of_memory
from minigrad.engine.ops import indexing
from minigrad.engine.ops import shape as shape_ops
from minigrad.engine.ops.axes import axes_of, axis_of, whole
from minigrad.engine.protocol import Axis, ShapeLike
from minigrad.engine.tape import Node
from minigrad.engine.tensor import Tensor, TensorLike, apply

LARGEST = 2**48  # numbers in an array; no memory holds more

# --- new tensors ------------------------------------------------------------------------------------------------------


def zeros(shape: ShapeLike, dtype: Any = "float32") -> Tensor:
    """A tensor of zeros on the current backend."""
    return _filled("zeros", shape, 0, dtype)


def ones(shape: ShapeLike, dtype: Any = "float32") -> Tensor:
    """A tensor of ones on the current backend."""
    return _filled("ones", shape, 1, dtype)


def full(shape: ShapeLike, value: float, dtype: Any = "float32") -> Tensor:
    """A tensor of one value on the current backend."""
    return _filled("full", shape, value, dtype)


def _filled(where: str, shape: ShapeLike, value: float, dtype: Any) -> Tensor:
    """Return a tensor of one value; messages begin with `where`."""
    backend, name = registry.current(), dtype_name(dtype)
    number = a_number(value, f"{where}: `value`")
    if type(number) is not int or number not in (0, 1):
        host = registry.resolve("numpy")
        number = host.to_numpy(array_from(number, name, host, f"{where}: `value`")).item()
    sizes = sizes_of(shape, where=where)
    try:
        return Tensor(backend.full(sizes, number, dtype=name), backend)
    except MemoryError as error:
        raise out_of_memory(where, backend, error) from error


def a_number(value: Any, what: str) -> Any:
    """Return a Python number for a number or an array with a single one; raise an error for anything else."""
    shape = getattr(value, "shape", None)
    number = value.item() if isinstance(shape, tuple) and prod(shape) == 1 and hasattr(value, "item") else value
    if not isinstance(number, (Real, int, float)) or hasattr(value, "filled"):  # a masked number
        raise DTypeError(f"{what}: expected a number, got {shown(value)}.")
    if isinstance(number, (int, float)):
        return number
    return attempted(float, number, nan)


def several(xs: Any, what: str) -> Any:
    """Return a list or tuple of tensors, or one tensor, which means its slices; raise an error for others."""
    found = xs if isinstance(xs, (list, tuple)) or (isinstance(xs, Tensor) and xs.ndim) else entries(xs)
    if found is None:
        raise DTypeError(f"{what}: expected `xs`, a list of tensors, got {shown(xs)}.")
    if not len(found):
        raise ShapeError(f"{what}: expected `xs`, at least one tensor, got none.")
    return found


def arange(start: float, stop: float | None = None, step: float = 1, dtype: Any = None) -> Tensor:
    """start, start + step, … below stop; with one number n, 0, 1, … below n.

    Integers by default if all arguments are integers, else float32.
    """
    start, stop = (0, start) if stop is None else (start, stop)
    given = {"start": start, "stop": stop, "step": step}
    start, stop, step = (a_number(n, f"arange: `{name}`") for name, n in given.items())
    kind = "int64" if isinstance(start + stop + step, int) else "float64"
    in_range = all(fits(n, kind) for n in (start, stop, step))
    steps = (stop - start) / step if step and in_range else nan
    if not abs(steps) <= LARGEST:
        raise OptionError(
            f"arange: expected finite numbers `start`, `stop` and a `step` other than 0, at most 2⁴⁸ of them, got "
            f"{shown(start)}, {shown(stop)}, {shown(step)}."
        )
    backend = registry.current()
    numbers = backend.arange(max(0, ceil(steps)), dtype=kind) * step + start
    name = dtype_name(dtype) if dtype is not None else "float32" if kind == "float64" else kind
    return Tensor(array_from(numbers, name, backend, "arange"), backend)


def zeros_like(x: TensorLike) -> Tensor:
    """Zeros of x's shape, dtype and backend."""
    x = as_tensor(x, None, "zeros_like: `x`")
    return Tensor(x.backend.zeros(x.shape, x.dtype), x.backend)


def ones_like(x: TensorLike) -> Tensor:
    """Ones of x's shape, dtype and backend."""
    x = as_tensor(x, None, "ones_like: `x`")
    return Tensor(x.backend.ones(x.shape, x.dtype), x.backend)


def outputs_of(node: Node) -> Any:
    """Return the result of a recorded operation: a tensor or a tuple of them."""
    current = registry.current()
    if type(node.y) is tuple:
        return tuple([Tensor(part, current, node, k) for k, part in enumerate(node.y)])
    return Tensor(node.y, current, node)


def as_tensors(node: Node) -> tuple[Any, Any, dict[str, Any]]:
    """Return a node's inputs, result and parameters on Tensors, for a gradient that is recorded.

    The cache of an operation is not on the tape. An operation with a cache runs again, on Tensors.
    """
    if not node.op.caches:
        return node.inputs, outputs_of(node), node.params
    params = {name: value for name, value in node.params.items() if name not in ("cache", "needs")}
    y, cache = node.op.forward(Tensor.functional, *node.inputs, **params)
    return node.inputs, y, {**node.params, "cache": cache}


def sizes_of(shape: ShapeLike, least: int = 0, where: str = "") -> tuple[int, ...]:
    """Return the lengths of axes, none below `least`: 0, or −1 where one length may be left open.

    Raises:
        ShapeError: a value is not a length, or the shape has more numbers than any memory holds. The message begins
            with `where`.
    """
    try:
        sizes = tuple(map(index_of, shape)) if isinstance(shape, (tuple, list)) else (index_of(cast(Any, shape)),)
    except Exception:  # noqa: BLE001  no whole number, or an object whose `__index__` raises anything
        sizes = (least - 1,)
    if shape is True or shape is False or (sizes and min(sizes) < least):
        place = f"{where}: " if where else ""
        raise ShapeError(f"{place}expected `shape`, whole numbers from {least} on, got {shown(shape)}.")
    if prod(sizes) > LARGEST or len(sizes) > 64:
        place = f"{where}: " if where else ""
        raise ShapeError(f"{place}expected `shape` of at most 2⁴⁸ numbers, got {shown(shape)}.")
    return sizes


# --- shape ------------------------------------------------------------------------------------------------------------


def reshape(x: TensorLike, shape: ShapeLike) -> Tensor:
    """x in another shape, with its numbers in the same order; one axis may be −1."""
    return apply(shape_ops.Reshape, x, shape=sizes_of(shape, -1, "reshape"))


def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """x with its axis axes[k] as axis k of the result; the axes are reversed by default."""
    x = as_tensor(x, None, "transpose: `x`")
    order = tuple(range(x.ndim))[::-1] if axes is None else axes_of(cast(Axis, axes), x.ndim, "transpose", "axes")
    if len(order) != x.ndim:
        raise ShapeError(f"transpose: expected `axes` to name each of the {x.ndim} axes of x once, got {axes}.")
    return apply(shape_ops.Transpose, x, axes=order)


def swapaxes(x: TensorLike, a: int, b: int) -> Tensor:
    """x with two axes exchanged."""
    x = as_tensor(x, None, "swapaxes: `x`")
    a, b = axis_of(a, x.ndim, "swapaxes", "a"), axis_of(b, x.ndim, "swapaxes", "b")
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return apply(shape_ops.Transpose, x, axes=tuple(order))


def expand_dims(x: TensorLike, axis: int) -> Tensor:
    """x with a new axis of length 1."""
    x = as_tensor(x, None, "expand_dims: `x`")
    at = axis_of(axis, x.ndim + 1, "expand_dims")
    return reshape(x, (*x.shape[:at], 1, *x.shape[at:]))


def squeeze(x: TensorLike, axis: Axis = None) -> Tensor:
    """x without its axes of length 1, or without those named."""
    x = as_tensor(x, None, "squeeze: `x`")
    gone = [a for a in axes_of(axis, x.ndim, "squeeze") if axis is not None or x.shape[a] == 1]
    if any(x.shape[a] != 1 for a in gone):
        raise ShapeError(
            f"squeeze: expected `axis` to name axes of length 1, got {shown(axis)} of x, of shape {x.shape}."
        )
    return reshape(x, tuple([n for a, n in enumerate(x.shape) if a not in gone]))


def broadcast_to(x: TensorLike, shape: ShapeLike) -> Tensor:
    """x, copied along the axes that it lacks or has with length 1."""
    return apply(shape_ops.BroadcastTo, x, shape=sizes_of(shape, where="broadcast_to"))


def concat(xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """The xs one after the other along an axis."""
    return apply(shape_ops.Concat, *several(xs, "concat"), axis=whole(axis, "concat"))


concatenate = concat  # NumPy's older name


def stack(xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """The xs, all of one shape, side by side along a new axis."""
    return apply(shape_ops.Stack, *several(xs, "stack"), axis=whole(axis, "stack"))


def unstack(x: TensorLike, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices of x along an axis, a tuple."""
    x = as_tensor(x, None, "unstack: `x`")
    return apply(shape_ops.Unstack, x, axis=axis_of(axis, x.ndim, "unstack"))


def split(x: TensorLike, sections: int | Iterable[int], axis: int = 0) -> tuple[Tensor, ...]:
    """x cut along an axis: into a number of equal parts, or at the given positions, as NumPy's split.

    Raises:
        ShapeError: the axis cannot be cut in this way.
    """
    x = as_tensor(x, None, "split: `x`")
    axis = axis_of(axis, x.ndim, "split")
    n = x.shape[axis]
    positions = entries(sections)
    if positions is not None:
        cuts = [0, *[integer("split: `sections`", position) for position in positions], n]
        sizes = tuple([stop - start for start, stop in pairwise(cuts)])
        if any(size < 0 for size in sizes):
            raise ShapeError(
                f"split: expected `sections` as ascending positions from 0 to {n}, got {shown(cuts[1:-1])}."
            )
    else:
        parts = integer("split: `sections`", sections)
        if parts < 1 or n % parts:
            raise ShapeError(
                f"split: an axis of x of length {n} cannot be cut into {shown(parts)} equal parts, `sections`."
            )
        sizes = (n // parts,) * parts
    return apply(shape_ops.Split, x, sizes=sizes, axis=axis)


def flip(x: TensorLike, axis: Axis = None) -> Tensor:
    """x in reverse order along the axes, along all by default."""
    x = as_tensor(x, None, "flip: `x`")
    return apply(shape_ops.Flip, x, axis=axes_of(axis, x.ndim, "flip"))


def pad(x: TensorLike, widths: Sequence[tuple[int, int]]) -> Tensor:
    """x with zeros around it, (before, after) for each axis."""
    x = as_tensor(x, None, "pad: `x`")
    try:
        given = [entries(pair) or [] for pair in entries(widths) or []]
        pairs = tuple([(index_of(before), index_of(after)) for before, after in given])
    except (TypeError, ValueError):
        pairs = ()
    if len(pairs) != x.ndim or any(n < 0 for pair in pairs for n in pair):
        raise ShapeError(
            f"pad: expected `widths` to be {x.ndim} pairs (before, after), one for each axis, got {shown(widths)}, for "
            f"x of shape {x.shape}."
        )
    return apply(shape_ops.Pad, x, widths=pairs)


# --- indexing ---------------------------------------------------------------------------------------------------------


def getitem(x: TensorLike, index: Any) -> Tensor:
    """x[index]"""
    x = x if isinstance(x, Tensor) else as_tensor(x, None, "getitem: `x`")
    return apply(indexing.GetItem, x, index=normalize_index(index, x.backend, x.array.shape))


def scatter_add(x: TensorLike, index: Any, values: TensorLike) -> Tensor:
    """x with values added at the index; a place that is named twice gets both.

    Raises:
        DTypeError: x has a dtype that cannot hold the values.
        IndexRangeError: the index is out of range.
    """
    x = as_tensor(x, None, "scatter_add: `x`")
    if not isinstance(values, Tensor) or not is_floating(x.dtype):
        what = "scatter_add: `values`"
        values = as_tensor_like(x, values, what) if isinstance(values, Tensor) else values
        values = Tensor(array_from(values, x.dtype, x.backend, what), x.backend)
    return apply(indexing.ScatterAdd, x, values, index=normalize_index(index, x.backend, x.shape))


def take(x: TensorLike, indices: TensorLike, axis: int = 0) -> Tensor:
    """The slices of x along an axis that the integers `indices` name, e.g. the rows of an embedding."""
    x = as_tensor(x, None, "take: `x`")
    axis = axis_of(axis, x.ndim, "take")
    rows = as_tensor_like(x, indices, "take: `indices`")
    if not is_integer(rows.array.dtype):
        raise DTypeError(f"take: expected integer `indices`, got {rows.dtype}. Convert with x.astype('int64').")
    if not getattr(x.backend, "on_host", False):
        check_on_host((indices,), x.backend, x.shape[axis : axis + 1])
    at = index_array(rows.array, rows, x.backend, "take: `indices`")
    if axis == 0:
        return apply(indexing.Take, x, indices=at)
    taken = apply(indexing.Take, swapaxes(x, 0, axis), indices=x.backend.reshape(at, (-1,)))
    return reshape(swapaxes(taken, 0, axis), (*x.shape[:axis], *rows.shape, *x.shape[axis + 1 :]))


def whole_numbers(where: str, x: Tensor) -> Tensor:
    """Return x, whole numbers of any dtype, as integers."""
    if is_integer(x.array.dtype):
        return x
    if is_floating(x.dtype) and bool(any_(not_equal(floor(x), x))):
        raise DTypeError(f"{where}: expected integers, got {x.dtype} with fractions or NaN.")
    return x.astype("int64")


def one_hot(indices: TensorLike, depth: int, dtype: Any = "float32") -> Tensor:
    """1 at the index and 0 elsewhere, along a new last axis of length `depth`: (…) → (…, depth).

    As in TensorFlow, an index out of range gives zeros only.
    """
    at = as_tensor(indices, None, "one_hot: `indices`")
    if not is_integer(at.array.dtype):
        raise DTypeError(f"one_hot: expected integer `indices`, got {at.dtype}. Convert with x.astype('int64').")
    depth = at_least("one_hot: `depth`", depth, 0)
    sizes_of((*at.shape, depth), where=f"one_hot: `depth` = {depth}")
    xp = at.backend
    return Tensor(xp.astype(xp.expand_dims(at.array, -1) == xp.arange(depth), dtype_name(dtype)), xp)


def stop_gradient(x: TensorLike) -> Tensor:
    """x as a constant: no gradient passes through it."""
    return as_tensor(x, None, "stop_gradient: `x`").detach()
