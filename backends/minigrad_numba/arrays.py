"""What the compiled loops share: arrays in the one form that is compiled for, blocks of steps, masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_numba.compiling import inlined
from minigrad_numba.products import add_product_of_transposed
from minigrad_numpy.loops import LONG, Mask, steps_in

Array = Any

NOBODY = np.zeros((0, 0), bool)


# --- on the way in and out --------------------------------------------------------------------------------------------


def plain(x: Array) -> Array:
    """x itself if it is contiguous, aligned and may be written to, else such a copy.

    Numba compiles anew for each combination of these properties, so the loops see but this one.

    >>> x = np.arange(3)
    >>> plain(x) is x, plain(x[::-1]) is x
    (True, False)
    """
    return x if x.flags.carray else np.array(x, order="C")


def turned(W: Array) -> Array:
    """Wᵀ, its rows contiguous: a product by a mere view costs a fifth more."""
    return plain(W.T)


def bias(b: Array | None, W: Array) -> Array:
    """b, or zeros where there is none."""
    return np.zeros(W.shape[1], W.dtype) if b is None else plain(b)


def cotangent(d: Array | None, shape: tuple[int, ...], like: Array) -> Array:
    """A copy of ∂loss/∂state, to be carried from step to step; zeros where there is none."""
    return np.zeros(shape, like.dtype) if d is None else np.array(d, like.dtype, order="C")


def output_cotangent(dy: Array | None, shape: tuple[int, ...], like: Array, mask: Mask | None) -> Array:
    """∂loss/∂outputs, without what went to outputs that were a constant zero."""
    if dy is None:
        return np.zeros(shape, like.dtype)
    return plain(dy) if mask is None else silenced(np.array(dy, order="C"), mask)


def silenced(y: Array, mask: Mask | None) -> Array:
    """y, with zeros where the mask says that the output is a constant zero."""
    if mask is not None:
        y[mask.silent] = 0.0
    return y


def held(mask: Mask | None) -> Array:
    """Where rows rest, (time, batch); of size 0 if none ever does."""
    return NOBODY if mask is None else plain(mask.hold)


def block_of(x: Array) -> int:
    """How many steps of x (time, batch, …) make one product: enough that more would not make it faster."""
    return steps_in(LONG, x.shape[1], len(x))


# --- inside -----------------------------------------------------------------------------------------------------------


@inlined
def rows_of(x):  # type: ignore[no-untyped-def]
    """(time, batch, n) as (time · batch, n)."""
    return x.reshape((x.shape[0] * x.shape[1], x.shape[2]))


@inlined
def set_rows(z, b):  # type: ignore[no-untyped-def]
    """z[row] = b, for all rows."""
    for row in range(len(z)):
        for k in range(len(b)):
            z[row, k] = b[k]


@inlined
def add_rows(dz, db):  # type: ignore[no-untyped-def]
    """db += Σ dz, over all rows."""
    for row in range(len(dz)):
        for k in range(len(db)):
            db[k] += dz[row, k]


@inlined
def gather(x, dz, dW):  # type: ignore[no-untyped-def]
    """dW += Σ xᵀ dz, over the steps and rows of a block."""
    add_product_of_transposed(rows_of(x), dz, dW)


@inlined
def add_rest(dy, dh, dz):  # type: ignore[no-untyped-def]
    """A step back through which a row rested: its output was the h that it kept, and no gate had a part in it."""
    for k in range(len(dh)):
        dh[k] += dy[k]
    for k in range(len(dz)):
        dz[k] = 0
