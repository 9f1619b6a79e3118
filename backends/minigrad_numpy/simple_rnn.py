"""The simple recurrent net's loop over time, fused for NumPy.

    h_new = tanh(x W + b + h U)

Backward, dh being ∂loss/∂h_new as it arrives:

    ds = dh ∘ (1 − h_new²)       dh = ds Uᵀ       to the step before
    dx = ds Wᵀ       dW = Σ xᵀ ds       dU = Σ hᵀ ds       db = Σ ds

The tricks are those of `minigrad_numpy.lstm`. Two calls make a step forward, three a step back, and h is all that is
kept.

Source: Elman, 1990, "Finding Structure in Time".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy import add, copyto, dot, multiply, subtract, tanh

from minigrad_numpy.loops import (
    CACHE,
    Mask,
    lying_as,
    outputs,
    read_mask,
    room_to_gather,
    stacked,
    steps_in,
    turned,
    walked_back,
)
from minigrad_numpy.memory import carved
from minigrad_numpy.packed import packed

Array = Any


class Kept(NamedTuple):
    """What the way back needs: one float a unit and step, and the last h."""

    h: Array  # (time + 1, batch, units): h₀ … h_T
    mask: Mask | None

    def window(self, start: int, stop: int) -> Kept:
        """What the steps start … stop − 1 kept: `backward` can run through these alone (truncated BPTT)."""
        return Kept(self.h[start : stop + 1], self.mask and self.mask.window(start, stop))


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
    (T, B, I), H = x.shape, len(U)
    K = I + H + 1
    masked = read_mask(mask, zero_output)
    n = steps_in(CACHE, K * B * x.itemsize, T)
    (h,) = carved(x.dtype, (T + 1, B, H))
    M = packed("simple rnn", (W, U) if b is None else (W, U, b), lambda: _joined(W, U, b))
    (xh1,) = carved(x.dtype, (n + 1, K, B))
    xh1[:, -1] = 1.0
    h[0], xh1[0, I:-1] = h0, h0.T
    for start in range(0, T, n):
        stop = min(start + n, T)
        m = stop - start
        turned(x[start:stop], xh1[:m, :I])
        rows = masked.rows[start:stop] if masked else [None] * m
        for xh1_t, h_t, h_new, row in zip(xh1, xh1[:, I:-1], xh1[1:, I:-1], rows, strict=False):
            dot(M, xh1_t, h_new)
            tanh(h_new, h_new)
            if row is not None:
                copyto(h_new, h_t, where=row)
        h[start + 1 : stop + 1] = xh1[1 : m + 1, I:-1].transpose(0, 2, 1)
        xh1[0, I:-1] = xh1[m, I:-1]
    return outputs(h, x, masked), h[T].copy(), Kept(h, masked)


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
    (T, B, I), H = x.shape, len(U)
    J = I if needs_dx else 0
    M = packed(("simple rnn back", needs_dx), (W, U), lambda: np.concatenate([W[:J], U]))  # (x and h, units)
    n = steps_in(CACHE, 3 * H * B * x.itemsize, T)
    shapes = [(n, H, B), (n, J + H, B), (n, H, B)]
    ds, dxh, dy_block, *room = carved(x.dtype, *shapes, *room_to_gather(x, H, H, n))
    dy_block[...] = 0.0
    steps = list(zip(dy_block, ds, dxh, dxh[:, J:], strict=True))
    dx = lying_as(x, I) if needs_dx else None
    dh = np.zeros((H, B), x.dtype) if dh_T is None else dh_T.T.copy()

    def block(start: int, stop: int) -> Array:
        nonlocal dh
        m, part = stop - start, kept.window(start, stop)
        _factors(part, ds[:m])
        if dy is not None:
            turned(dy[start:stop], dy_block[:m])
            if part.mask:
                copyto(dy_block[:m], 0.0, where=part.mask.silent[:, None])
        dh = _backward_block(M, steps[:m], part.mask.rows if part.mask else [None] * m, dh)
        if dx is not None:
            dx[start:stop] = dxh[:m, :J].transpose(0, 2, 1)
        return ds[:m]

    dM = walked_back(x, kept.h, n, block, room)
    return dx, dh.T.copy(), dM[:I].copy(), dM[I:-1].copy(), dM[-1].copy()


def _backward_block(M: Array, steps: list[tuple[Array, ...]], rows: list[Array | None], dh: Array) -> Array:
    """The loop of `backward` over the steps of one block; returns dh for the block before."""
    for (dy, ds, dxh, dh_new), row in zip(reversed(steps), reversed(rows), strict=True):
        add(dh, dy, dh)
        multiply(ds, dh, ds)
        dot(M, ds, dxh)
        if row is not None:
            copyto(dh_new, dh, where=row)
        dh = dh_new
    return dh.copy()  # what it is a view of is about to be used again


def _factors(kept: Kept, F: Array) -> None:
    """Writes 1 − h_new², by which dh is multiplied, for the steps of one block; 0 where a row rests."""
    turned(kept.h[1:], F)
    multiply(F, F, F)
    subtract(1.0, F, F)
    if kept.mask:
        copyto(F, 0.0, where=kept.mask.hold[:, None])


def _joined(W: Array, U: Array, b: Array | None) -> Array:
    """M, (units, features + units + 1), with z = M [x; h; 1]."""
    columns = stacked(W, U, b)
    M = np.empty(columns.shape[::-1], U.dtype)
    turned(columns[None], M[None])
    return M
