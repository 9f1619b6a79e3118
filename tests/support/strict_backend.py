"""A backend of a third party: array-api-strict, with its arrays on a pretended second device.

Its arrays refuse every silent conversion to NumPy, and everything that the standard does not promise, such as mixed
kinds of dtypes. Code that runs on them has no NumPy hidden in it. Functions that the standard lacks (scatter-add,
padding, the error function, general indexing by arrays and masks) run on the host, openly.
"""

# ruff: noqa: A001, A004, F401  (the protocol's names are NumPy's, which are also Python's)

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import array_api_strict as xp
import numpy as np
from array_api_strict import (
    abs,
    broadcast_to,
    cos,
    exp,
    expand_dims,
    expm1,
    floor,
    isfinite,
    log,
    log1p,
    matmul,
    maximum,
    minimum,
    reshape,
    sign,
    sin,
    sqrt,
    tanh,
    where,
)

Array = Any
name = "strict"
DEVICE = xp.Device("device1")


def _dtype(dtype: Any) -> Any:
    return getattr(xp, dtype) if isinstance(dtype, str) else dtype


def asarray(data: Any, dtype: Any = None, copy: bool = False) -> Array:
    if is_array(data):
        return xp.asarray(data, dtype=_dtype(dtype), copy=copy or None)
    return xp.asarray(np.array(data, dtype), device=DEVICE)


def to_numpy(x: Array) -> Any:
    return np.array(x.to_device(xp.Device("CPU_DEVICE")))


def is_array(x: object) -> bool:
    return isinstance(x, type(xp.zeros(())))


def astype(x: Array, dtype: Any) -> Array:
    return xp.astype(x, _dtype(dtype))


def zeros(shape: tuple[int, ...], dtype: Any = "float32") -> Array:
    return xp.zeros(shape, dtype=_dtype(dtype), device=DEVICE)


def ones(shape: tuple[int, ...], dtype: Any = "float32") -> Array:
    return xp.ones(shape, dtype=_dtype(dtype), device=DEVICE)


def full(shape: tuple[int, ...], value: Any, dtype: Any = "float32") -> Array:
    return xp.full(shape, value, dtype=_dtype(dtype), device=DEVICE)


def arange(stop: int, dtype: Any = "int64") -> Array:
    return xp.arange(stop, dtype=_dtype(dtype), device=DEVICE)


def _reduction(function: Callable[..., Any]) -> Callable[..., Array]:
    """Return a reduction with positional `axis` and `keepdims`, which the standard takes by keyword only."""
    return lambda x, axis=None, keepdims=False: function(x, axis=axis, keepdims=keepdims)


sum, prod, max, min, all, any = map(_reduction, (xp.sum, xp.prod, xp.max, xp.min, xp.all, xp.any))


def concat(xs: Sequence[Array], axis: int = 0) -> Array:
    return xp.concat(tuple(xs), axis=axis)


def stack(xs: Sequence[Array], axis: int = 0) -> Array:
    return xp.stack(tuple(xs), axis=axis)


def unstack(x: Array, axis: int = 0) -> tuple[Array, ...]:
    return xp.unstack(x, axis=axis)


def flip(x: Array, axis: Any = None) -> Array:
    return xp.flip(x, axis=axis)


def clip(x: Array, low: Any, high: Any) -> Array:
    return xp.clip(x, low, high)


def argmax(x: Array, axis: int | None = None) -> Array:
    return xp.argmax(x, axis=axis)


def cumsum(x: Array, axis: int) -> Array:
    return xp.cumulative_sum(x, axis=axis)


def transpose(x: Array, axes: tuple[int, ...] | None = None) -> Array:
    return xp.permute_dims(x, tuple(range(x.ndim))[::-1] if axes is None else axes)


def squeeze(x: Array, axis: Any = None) -> Array:
    return xp.squeeze(x, axis=tuple(a for a, n in enumerate(x.shape) if n == 1) if axis is None else axis)


def split(x: Array, sections: int, axis: int = 0) -> tuple[Array, ...]:
    n = x.shape[axis] // sections
    before = (slice(None),) * (axis % x.ndim)
    return tuple(x[(*before, slice(k * n, (k + 1) * n), ...)] for k in range(sections))


# --- by way of the host -----------------------------------------------------------------------------------------------


def _on_host(function: Callable[..., Any], *arguments: Any) -> Array:
    def host(x: Any) -> Any:
        if is_array(x):
            return to_numpy(x)
        return tuple(map(host, x)) if isinstance(x, tuple) else x

    return asarray(function(*map(host, arguments)))


def erf(x: Array) -> Array:
    return _on_host(lambda a: np.vectorize(math.erf, otypes=[a.dtype])(a), x)


def pad(x: Array, widths: Sequence[tuple[int, int]]) -> Array:
    return _on_host(np.pad, x, tuple(widths))


def take(x: Array, indices: Array, axis: int = 0) -> Array:
    return _on_host(np.take, x, indices, axis)


def getitem(x: Array, index: Any) -> Array:
    return _on_host(lambda a, i: a[i], x, index)


def setitem(x: Array, index: Any, values: Any) -> Array:
    def put(a: Any, i: Any, v: Any) -> Any:
        a[i] = v
        return a

    return _on_host(put, x, index, values)


def scatter_add(x: Array, index: Any, values: Array) -> Array:
    def add(a: Any, i: Any, v: Any) -> Any:
        np.add.at(a, i, np.array(np.broadcast_to(v, a[i].shape)))  # whose own broadcasting is wrong on one axis
        return a

    return _on_host(add, x, index, values)
