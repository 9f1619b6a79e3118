"""The NumPy backend of minigrad: array functions, nearly all of them NumPy's own.

This package imports nothing from minigrad. It satisfies `minigrad.engine.protocol` by offering the names listed there.
Some functions that NumPy also has are written out here: a call of the underlying ufunc or method takes a third of the
time of NumPy's Python wrapper, and on small arrays that overhead is nearly the whole cost.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy import (
    absolute,
    argmax,
    concatenate,
    cos,
    exp,
    expm1,
    flip,
    floor,
    isfinite,
    log,
    log1p,
    maximum,
    minimum,
    sign,
    sin,
    sqrt,
    tanh,
    where,
)

from minigrad_numpy.compile import compile as hand_written
from minigrad_numpy.memory import raise_mmap_threshold

Array = Any
Axis = int | tuple[int, ...] | None

compile = hand_written  # noqa: A001  (the protocol's name)
name = "numpy"
on_host = True  # reading a number needs no transfer

raise_mmap_threshold()

abs = absolute  # noqa: A001  (the protocol's names are NumPy's, which are also Python's)
concat = concatenate

__all__ = [
    "abs", "all", "any", "arange", "argmax", "asarray", "astype", "broadcast_to", "clip", "concat", "cos", "cumsum",
    "erf", "exp", "expand_dims", "expm1", "flip", "floor", "full", "getitem", "is_array", "isfinite", "log",
    "log1p", "matmul", "max", "maximum", "min", "minimum", "name", "on_host", "ones", "pad", "prod", "reshape",
    "scatter_add", "setitem", "sign", "sin", "split", "sqrt", "squeeze", "stack", "sum", "take", "tanh", "to_numpy",
    "transpose", "unstack", "where", "zeros",
]  # fmt: skip


# --- in and out -----------------------------------------------------------------------------------------------------


def asarray(data: Any, dtype: Any = None, copy: bool = False) -> Array:
    """Return an array from nested lists or any other data that NumPy reads; a copy with `copy=True`."""
    return np.array(data, dtype=dtype) if copy else np.asarray(data, dtype=dtype)


def to_numpy(x: Array) -> Any:
    """Return a copy of x."""
    return np.array(x)


def is_array(x: object) -> bool:
    """Return True for NumPy's arrays and scalars."""
    return isinstance(x, (np.ndarray, np.generic))


def astype(x: Array, dtype: Any) -> Array:
    """Return x with another dtype."""
    return x.astype(dtype)


def zeros(shape: tuple[int, ...], dtype: Any = "float32") -> Array:
    """Return an array of zeros."""
    return np.zeros(shape, dtype)


def ones(shape: tuple[int, ...], dtype: Any = "float32") -> Array:
    """Return an array of ones."""
    y = np.empty(shape, dtype)
    y.fill(1)
    return y


def full(shape: tuple[int, ...], value: Any, dtype: Any = "float32") -> Array:
    """Return an array filled with one value."""
    return np.full(shape, value, dtype)


def arange(stop: int, dtype: Any = "int64") -> Array:
    """0, 1, …, stop − 1."""
    return np.arange(stop, dtype=dtype)


# --- elementwise ----------------------------------------------------------------------------------------------------

_erf = np.frompyfunc(math.erf, 1, 1)


def erf(x: Array) -> Array:
    """The error function; NumPy has none, so this calls Python's for each number."""
    return np.asarray(_erf(x)).astype(x.dtype if x.dtype.kind == "f" else "float64")


def clip(x: Array, low: Any, high: Any) -> Array:
    """min(max(x, low), high)."""
    return minimum(maximum(x, low), high)


# --- products and reductions ------------------------------------------------------------------------------------------


def matmul(a: Array, b: Array) -> Array:
    """The matrix product; many matrices times one matrix run as one large product, where NumPy runs many small ones."""
    if a.ndim < 3 or b.ndim != 2:
        return np.matmul(a, b)
    *many, n = a.shape
    return np.matmul(a.reshape(math.prod(many), n), b).reshape(*many, b.shape[1])


HALF, SINGLE = np.dtype("float16"), np.dtype("float32")
_sum: Any = np.add.reduce
_prod: Any = np.multiply.reduce
_max: Any = np.maximum.reduce
_min: Any = np.minimum.reduce
_all: Any = np.logical_and.reduce
_any: Any = np.logical_or.reduce


def sum(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """Σ x over the axes, float16 summed in float32."""
    if x.dtype == HALF:
        return _sum(x, axis=axis, dtype=SINGLE, keepdims=keepdims).astype(HALF)
    return _sum(x, axis=axis, keepdims=keepdims)


def prod(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Π x over the axes, float16 multiplied in float32."""
    if x.dtype == HALF:
        return _prod(x, axis=axis, dtype=SINGLE, keepdims=keepdims).astype(HALF)
    return _prod(x, axis=axis, keepdims=keepdims)


def max(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The maximum of x over the axes; of several contiguous rows by `argmax`, which takes a third of the time."""
    if x.ndim > 1 and axis in (-1, x.ndim - 1) and 0 < x.shape[-1] < x.size and x.flags.c_contiguous:
        n = x.shape[-1]
        places = x.reshape(-1, n).argmax(1) + np.arange(0, x.size, n)
        return x.reshape(-1).take(places).reshape(x.shape[:-1] + (1,) * keepdims)
    return _max(x, axis=axis, keepdims=keepdims)


def min(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The minimum of x over the axes."""
    return _min(x, axis=axis, keepdims=keepdims)


def all(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """Logical and over the axes."""
    return _all(x, axis=axis, keepdims=keepdims)


def any(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """Logical or over the axes."""
    return _any(x, axis=axis, keepdims=keepdims)


def cumsum(x: Array, axis: int) -> Array:
    """The running sum along an axis, float16 summed in float32."""
    if x.dtype == HALF:
        return np.add.accumulate(x, axis=axis, dtype=SINGLE).astype(HALF)
    return np.add.accumulate(x, axis=axis)


# --- shape ----------------------------------------------------------------------------------------------------------


def reshape(x: Array, shape: tuple[int, ...]) -> Array:
    """Return x in another shape, one axis of which may be −1."""
    return x.reshape(shape)


def transpose(x: Array, axes: tuple[int, ...] | None = None) -> Array:
    """Permute the axes of x; reverse them by default."""
    return x.transpose(axes)


def broadcast_to(x: Array, shape: tuple[int, ...]) -> Array:
    """Return x, repeated along the axes that it lacks or has with length 1, as a view. Do not write to it."""
    if x.ndim == 0:  # the memory of a NumPy scalar, x[()], is read-only
        return np.ndarray(shape, x.dtype, x[()], 0, (0,) * len(shape))
    return x if x.shape == shape else np.broadcast_to(x, shape)


def expand_dims(x: Array, axis: int) -> Array:
    """Insert an axis of length 1."""
    axis += x.ndim + 1 if axis < 0 else 0
    return x.reshape(x.shape[:axis] + (1,) + x.shape[axis:])


def squeeze(x: Array, axis: Axis = None) -> Array:
    """Remove axes of length 1."""
    return x.squeeze(axis)


def split(x: Array, sections: int, axis: int = 0) -> tuple[Array, ...]:
    """Split x into equal parts along an axis, as views."""
    n = x.shape[axis] // sections
    before = (slice(None),) * (axis % x.ndim)
    return tuple([x[(*before, slice(k * n, (k + 1) * n))] for k in range(sections)])


def stack(arrays: Sequence[Array], axis: int = 0) -> Array:
    """Join arrays of one shape along a new axis."""
    if axis == 0 and len(arrays):
        with suppress(ValueError):  # unequal shapes; np.stack says so more clearly
            return np.array(arrays)  # in a third of the time
    return np.stack(arrays, axis)


def unstack(x: Array, axis: int = 0) -> tuple[Array, ...]:
    """Return the slices of x along an axis."""
    return tuple(x if axis == 0 else np.moveaxis(x, axis, 0))


def pad(x: Array, widths: Sequence[tuple[int, int]]) -> Array:
    """Pad x with zeros."""
    return np.pad(x, widths)


# --- indexing -------------------------------------------------------------------------------------------------------


def getitem(x: Array, index: Any) -> Array:
    """x[index]."""
    return x[index]


def take(x: Array, indices: Array, axis: int = 0) -> Array:
    """Return the slices of x at the indices along an axis."""
    return x.take(indices, axis)


def setitem(x: Array, index: Any, values: Any) -> Array:
    """Return a copy of x with the values assigned at the index."""
    y = np.array(x)
    y[index] = values
    return y


def scatter_add(x: Array, index: Any, values: Array) -> Array:
    """Return a copy of x with the values added at the index.

    Values at repeated positions are summed, float16 in float32.
    """
    if x.dtype == HALF:
        return scatter_add(x.astype(SINGLE), index, values).astype(HALF)
    y = np.array(x, order="C")
    if isinstance(index, np.ndarray) and index.dtype != bool and index.ndim and index.size and y.ndim > 1:
        _add_rows(y, index.reshape(-1), np.broadcast_to(values, index.shape + y.shape[1:]))
    elif _has_no_repeats(index):
        y[index] += values
    else:
        np.add.at(y, index, values if y.ndim > 1 else _broadcast_values(y, index, values))
    return y


def _broadcast_values(y: Array, index: Any, values: Array) -> Array:
    """Return the values broadcast to the shape of the index: on one axis `np.add.at` broadcasts them wrongly.

    NumPy 2.4.6: of values (2,) at positions (3, 2) only the first two are added.
    """
    shape = index.shape if isinstance(index, np.ndarray) and index.dtype != bool else y[index].shape
    return values if np.shape(values) == shape else np.array(np.broadcast_to(values, shape))


def _add_rows(y: Array, rows: Array, values: Array) -> None:
    """y[rows] += values, one row after the other in their order.

    The positions of single numbers take a third of the time of whole rows: `np.add.at` is compiled for one axis alone.
    """
    rows = rows.astype(np.intp)
    n = len(y)
    if not -n <= rows.min() <= rows.max() < n:
        raise IndexError(f"index {rows[(rows < -n) | (rows >= n)][0]} is out of bounds for axis 0 with size {n}")
    rows[rows < 0] += n
    width = math.prod(y.shape[1:])
    positions = np.add.outer(rows * width, np.arange(width))
    np.add.at(y.reshape(-1), positions.reshape(-1), values.reshape(-1))


def _has_no_repeats(index: Any) -> bool:
    """Return True for slices, integers and masks; only integer arrays need `np.add.at`, which is ten times slower."""
    parts = index if isinstance(index, tuple) else (index,)
    return not builtins.any(isinstance(p, (np.ndarray, list, tuple)) and np.asarray(p).dtype != bool for p in parts)
