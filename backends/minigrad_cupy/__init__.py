"""CuPy as a backend of minigrad: the array functions on one NVIDIA GPU, nearly all of them CuPy's own.

This package knows nothing of minigrad. It satisfies `minigrad.engine.protocol` by offering the names asked for there.
Numbers leave the GPU in one place, `to_numpy`, which counts (`transfers`): a training step must not need it.

Importing CuPy works on machines without a GPU and proves nothing; `probe` finds out what is there.
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
from minigrad_numpy import astype, getitem, reshape, split  # written by methods that CuPy's arrays have too

Array = Any
Axis = int | tuple[int, ...] | None

name = "cupy"
transfers = 0
"""How many arrays `to_numpy` has copied to the host."""

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
    """An array on the GPU, from nested lists or from anything NumPy reads; a fresh one with `copy=True`."""
    return cp.array(data, dtype=dtype) if copy else cp.asarray(data, dtype=dtype)


def to_numpy(x: Array) -> Any:
    """A copy of x on the host, as a NumPy array: waits for the GPU, and counts."""
    global transfers
    transfers += 1
    return cp.asnumpy(x)


def is_array(x: object) -> bool:
    """Is x a CuPy array?"""
    return isinstance(x, cp.ndarray)


def zeros(shape: tuple[int, ...], dtype: Any = "float32") -> Array:
    """Zeros."""
    return cp.zeros(shape, dtype)


def ones(shape: tuple[int, ...], dtype: Any = "float32") -> Array:
    """Ones."""
    return cp.ones(shape, dtype)


def full(shape: tuple[int, ...], value: Any, dtype: Any = "float32") -> Array:
    """One value everywhere."""
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
    """The running sum along an axis; of float16, added up in float32, as CuPy's other sums are."""
    return cp.cumsum(x, axis, dtype="float32").astype(x.dtype) if x.dtype == "float16" else cp.cumsum(x, axis)


def max(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The largest x over the axes."""
    return x.max(axis, keepdims=keepdims)


def min(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The smallest x over the axes."""
    return x.min(axis, keepdims=keepdims)


def all(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """Are all true?"""
    return x.all(axis, keepdims=keepdims)


def any(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """Is any true?"""
    return x.any(axis, keepdims=keepdims)


# --- shape ----------------------------------------------------------------------------------------------------------


def unstack(x: Array, axis: int = 0) -> tuple[Array, ...]:
    """The slices of x along an axis."""
    return tuple(x if axis == 0 else cp.moveaxis(x, axis, 0))


def pad(x: Array, widths: Sequence[tuple[int, int]]) -> Array:
    """x with zeros around it."""
    return cp.pad(x, widths)


# --- indexing -------------------------------------------------------------------------------------------------------


def take(x: Array, indices: Array, axis: int = 0) -> Array:
    """The slices of x along an axis that the indices name."""
    return cp.take(x, indices, axis)


def setitem(x: Array, index: Any, values: Any) -> Array:
    """A copy of x in which the values stand at the index."""
    y = x.copy()
    y[index] = values
    return y


def scatter_add(x: Array, index: Any, values: Array) -> Array:
    """A copy of x with the values added at the index; repeated places add up, in whatever order the GPU takes them.

    Those of float16 in float32.
    """
    if x.dtype == "float16":
        return scatter_add(x.astype("float32"), index, values).astype("float16")
    y = x.copy()
    if _names_each_place_once(index):
        y[index] += values
    else:
        cp.add.at(y, index, values)
    return y


def _names_each_place_once(index: Any) -> bool:
    """Slices, integers and masks do."""
    parts = index if isinstance(index, tuple) else (index,)
    return not builtins.any(isinstance(p, (list, tuple)) or (is_array(p) and p.dtype != bool) for p in parts)
