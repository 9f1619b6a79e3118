"""The CuPy backend of minigrad: array functions on one NVIDIA GPU, nearly all of them CuPy's own.

This package imports nothing from minigrad. It satisfies `minigrad.engine.protocol` by offering the names listed there.
`to_numpy` is the only exit to the host, and `transfers` counts its calls: a training step makes none.

CuPy can be imported on a machine without a GPU; `probe` checks that a GPU works.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import cupy as cp
from cupy import (
    absolute,
    argmax,
    broadcast_to,
    concatenate,
    cos,
    exp,
    expand_dims,
    expm1,
    flip,
    floor,
    isfinite,
    log,
    log1p,
    matmul,
    maximum,
    minimum,
    sign,
    sin,
    sqrt,
    squeeze,
    stack,
    tanh,
    transpose,
    where,
)
from cupyx.scipy.special import erf

from minigrad_cuda import text
from minigrad_cupy.device import probe, shortage
from minigrad_cupy.loop import compile  # noqa: A004  (the protocol's name)
from minigrad_numpy import astype, getitem, reshape, split  # they call methods that CuPy's arrays have too

Array = Any
Axis = int | tuple[int, ...] | None

name = "cupy"
transfers = 0
"""The number of arrays that `to_numpy` has copied to the host."""

abs = absolute  # noqa: A001  (the protocol's names are NumPy's, which are also Python's)
concat = concatenate

__all__ = [
    "abs", "all", "any", "arange", "argmax", "asarray", "astype", "broadcast_to", "clip", "compile", "concat", "cos",
    "cumsum", "erf", "exp", "expand_dims", "expm1", "flip", "floor", "full", "getitem", "is_array", "isfinite", "log",
    "log1p", "matmul", "max", "maximum", "min", "minimum", "name", "ones", "pad", "probe", "prod", "reshape",
    "scatter_add", "setitem", "shortage", "sign", "sin", "split", "sqrt", "squeeze", "stack", "sum", "take", "tanh",
    "text", "to_numpy", "transpose", "unstack", "where", "zeros",
]  # fmt: skip


# --- in and out -----------------------------------------------------------------------------------------------------


def asarray(data: Any, dtype: Any = None, copy: bool = False) -> Array:
    """Return an array on the GPU from nested lists or any other data that NumPy reads; a copy with `copy=True`."""
    return cp.array(data, dtype=dtype) if copy else cp.asarray(data, dtype=dtype)


def to_numpy(x: Array) -> Any:
    """Return a NumPy copy of x on the host; wait for the GPU and count the transfer."""
    global transfers
    transfers += 1
    return cp.asnumpy(x)


def is_array(x: object) -> bool:
    """Return True for CuPy's arrays."""
    return isinstance(x, cp.ndarray)


def zeros(shape: tuple[int, ...], dtype: Any = "float32") -> Array:
    """Return an array of zeros."""
    return cp.zeros(shape, dtype)


def ones(shape: tuple[int, ...], dtype: Any = "float32") -> Array:
    """Return an array of ones."""
    return cp.ones(shape, dtype)


def full(shape: tuple[int, ...], value: Any, dtype: Any = "float32") -> Array:
    """Return an array filled with one value."""
    return cp.full(shape, value, dtype)


def arange(stop: int, dtype: Any = "int64") -> Array:
    """0, 1, …, stop − 1."""
    return cp.arange(stop, dtype=dtype)


# --- elementwise and reductions ---------------------------------------------------------------------------------------


def clip(x: Array, low: Any, high: Any) -> Array:
    """min(max(x, low), high)."""
    return minimum(maximum(x, low), high)


def sum(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """Σ x over the axes."""
    return x.sum(axis, keepdims=keepdims)


def prod(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Π x over the axes."""
    return x.prod(axis, keepdims=keepdims)


def cumsum(x: Array, axis: int) -> Array:
    """The running sum along an axis, float16 summed in float32, as in CuPy's other sums."""
    return cp.cumsum(x, axis, dtype="float32").astype(x.dtype) if x.dtype == "float16" else cp.cumsum(x, axis)


def max(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The maximum of x over the axes."""
    return x.max(axis, keepdims=keepdims)


def min(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The minimum of x over the axes."""
    return x.min(axis, keepdims=keepdims)


def all(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """Logical and over the axes."""
    return x.all(axis, keepdims=keepdims)


def any(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """Logical or over the axes."""
    return x.any(axis, keepdims=keepdims)


# --- shape ----------------------------------------------------------------------------------------------------------


def unstack(x: Array, axis: int = 0) -> tuple[Array, ...]:
    """Return the slices of x along an axis."""
    return tuple(x if axis == 0 else cp.moveaxis(x, axis, 0))


def pad(x: Array, widths: Sequence[tuple[int, int]]) -> Array:
    """Pad x with zeros."""
    return cp.pad(x, widths)


# --- indexing -------------------------------------------------------------------------------------------------------


def take(x: Array, indices: Array, axis: int = 0) -> Array:
    """Return the slices of x at the indices along an axis."""
    return cp.take(x, indices, axis)


def setitem(x: Array, index: Any, values: Any) -> Array:
    """Return a copy of x with the values assigned at the index."""
    y = x.copy()
    y[index] = values
    return y


def scatter_add(x: Array, index: Any, values: Array) -> Array:
    """Return a copy of x with the values added at the index.

    Values at repeated positions are summed, in no fixed order, float16 in float32.
    """
    if x.dtype == "float16":
        return scatter_add(x.astype("float32"), index, values).astype("float16")
    y = x.copy()
    if _has_no_repeats(index):
        y[index] += values
    else:
        cp.add.at(y, index, values)
    return y


def _has_no_repeats(index: Any) -> bool:
    """Return True for slices, integers and masks."""
    parts = index if isinstance(index, tuple) else (index,)
    return not builtins.any(isinstance(p, (list, tuple)) or (is_array(p) and p.dtype != bool) for p in parts)
