"""The simple recurrent net's loop over time, compiled.

    h_new = tanh(x W + b + h U)

Backward, dh being ∂loss/∂h_new as it arrives:

    ds = dh ∘ (1 − h_new²)       dh = ds Uᵀ       to the step before
    dx = ds Wᵀ       dW = Σ xᵀ ds       dU = Σ hᵀ ds       db = Σ ds

Source: Elman, 1990, "Finding Structure in Time".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigrad_numba.activations import tanh
from minigrad_numba.arrays import (
    add_rest,
    add_rows,
    bias,
    block_of,
    cotangent,
    gather,
    held,
    output_cotangent,
    plain,
    rows_of,
    set_rows,
    silenced,
    turned,
)
from minigrad_numba.compiling import compiled, inlined
from minigrad_numba.products import add_product
from minigrad_numpy.loops import Mask, read_mask
from minigrad_numpy.memory import carved

Array = Any


class Kept(NamedTuple):
    """What the way back needs: one float a unit and step, and the last h."""

    h: Array  # (time + 1, batch, units): h₀ … h_T
    mask: Mask | None


def forward(
    x: Array, h0: Array, W: Array, U: Array, b: Array | None, mask: Array | None = None, *, zero_output: bool = False
) -> tuple[Array, Array, Kept]:
    """Runs the net over a sequence.

    Args:
        x: (time, batch, features), float32 or float64 as all the others.
        h0: (batch, units).
        W: (features, units).
        U: (units, units).
        b: (units,), or None.
        mask: (time, batch) of bools, or None. Where False, the row keeps h and repeats its previous output.
        zero_output: at masked steps the output is zero instead of repeated.

    Returns:
        y (time, batch, units) and h_T (batch, units), both the caller's own, and what `backward` needs.
    """
    (T, B, _), H = x.shape, len(U)
    masked = read_mask(mask, zero_output)
    x, W, U, b = plain(x), plain(W), plain(U), bias(b, W)
    (h,) = carved(x.dtype, (T + 1, B, H))
    h[0] = h0
    _forward(x, W, U, b, h, held(masked), block_of(x))
    return silenced(h[1:].copy(), masked), h[T].copy(), Kept(h, masked)


@compiled("the simple recurrent net's loop forward")
def _forward(x, W, U, b, h, hold, n):  # type: ignore[no-untyped-def]
    """Fills h, the first of which is given."""
    for start in range(0, len(x), n):
        stop = min(start + n, len(x))
        s = rows_of(h[start + 1 : stop + 1])
        set_rows(s, b)
        add_product(rows_of(x[start:stop]), W, s)
        for t in range(start, stop):
            add_product(h[t], U, h[t + 1])
            for row in range(len(h[t])):
                if hold.size and hold[t, row]:
                    h[t + 1, row] = h[t, row]
                else:
                    _activate(h[t + 1, row])


@inlined
def _activate(s):  # type: ignore[no-untyped-def]
    """Replaces s by tanh s."""
    for k in range(len(s)):
        s[k] = tanh(s[k])


def backward(
    dy: Array | None, dh_T: Array | None, kept: Kept, x: Array, W: Array, U: Array, *, needs_dx: bool = True
) -> tuple[Array | None, Array, Array, Array, Array]:
    """Walks back through the sequence; it can be called any number of times.

    Args:
        dy: ∂loss/∂y, (time, batch, units), or None where nothing of the loss comes through y.
        dh_T: ∂loss/∂h_T, (batch, units), or None.
        kept: what `forward` kept.
        x: (time, batch, features), as `forward` had it; W and U likewise.
        W: (features, units).
        U: (units, units).
        needs_dx: is ∂loss/∂x wanted?

    Returns:
        dx (None if not wanted), dh0, dW, dU, db.
    """
    (T, B, I), H, n = x.shape, len(U), block_of(x)
    dh, dy = cotangent(dh_T, (B, H), x), output_cotangent(dy, (T, B, H), x, kept.mask)
    dx = np.zeros((T, B, I) if needs_dx else (0, 0, 0), x.dtype)
    dW, dU, db = np.zeros((I, H), x.dtype), np.zeros((H, H), x.dtype), np.zeros(H, x.dtype)
    (ds,) = carved(x.dtype, (n, B, H))
    _backward(dy, dh, kept.h, plain(x), turned(W), turned(U), held(kept.mask), ds, dx, dW, dU, db)
    return dx if needs_dx else None, dh, dW, dU, db


@compiled("the simple recurrent net's loop backward")
def _backward(dy, dh, h, x, Wᵀ, Uᵀ, hold, ds, dx, dW, dU, db):  # type: ignore[no-untyped-def]
    """Fills dx, dW, dU and db; leaves in dh what reached h₀. ds is for the steps of one block."""
    n = len(ds)
    for stop in range(len(x), 0, -n):
        block = slice(max(stop - n, 0), stop)
        for t in range(stop - 1, block.start - 1, -1):
            ds_t = ds[t - block.start]
            for row in range(len(ds_t)):
                if hold.size and hold[t, row]:
                    add_rest(dy[t, row], dh[row], ds_t[row])
                else:
                    _step_backward(dy[t, row], dh[row], h[t + 1, row], ds_t[row])
            add_product(ds_t, Uᵀ, dh)
        of_block = rows_of(ds[: stop - block.start])
        if dx.size:
            add_product(of_block, Wᵀ, rows_of(dx[block]))
        gather(x[block], of_block, dW)
        gather(h[block], of_block, dU)
        add_rows(of_block, db)


@inlined
def _step_backward(dy, dh, h_new, ds):  # type: ignore[no-untyped-def]
    """One row's step back: writes ds; of dh nothing remains but what ds Uᵀ will add."""
    one = dh.dtype.type(1)
    for k in range(len(ds)):
        ds[k] = (dh[k] + dy[k]) * (one - h_new[k] * h_new[k])
        dh[k] = 0
