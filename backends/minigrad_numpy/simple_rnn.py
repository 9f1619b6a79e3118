"""The loop over time of the simple RNN, fused for NumPy.

    h_new = tanh(x W + b + h U)

Backward, with the upstream gradient dh = ∂loss/∂h_new:

    ds = dh ∘ (1 − h_new²)       dh = ds Uᵀ       to the step before
    dx = ds Wᵀ       dW = Σ xᵀ ds       dU = Σ hᵀ ds       db = Σ ds

The optimizations are those of `minigrad_numpy.lstm`. A step takes two calls forward and three backward, and only h is
cached.

Source: Elman, 1990, "Finding Structure in Time".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy import add, copyto, dot, multiply, subtract, tanh

from minigrad_numpy.loops import (
    BLOCK_BYTES,
    LoopMask,
    columns,
    copy_transposed,
    copy_upstream,
    empty_like,
    gradient_buffers,
    is_small,
    outputs,
    read_mask,
    stack_weights,
    steps_in,
    transposed,
    weight_gradients,
)
from minigrad_numpy.memory import allocate
from minigrad_numpy.packed import packed

Array = Any


class Cache(NamedTuple):
    """Cached arrays for the backward pass: one float per unit and step, and the last h."""

    h: Array  # (time + 1, batch, units): h₀ … h_T
    mask: LoopMask | None

    def window(self, start: int, stop: int) -> Cache:
        """Return the cache of the steps start … stop − 1, for `backward` over these alone (truncated BPTT)."""
        return Cache(self.h[start : stop + 1], self.mask and self.mask.window(start, stop))


def forward(
    x: Array, h0: Array, W: Array, U: Array, b: Array | None, mask: Array | None = None, *, zero_output: bool = False
) -> tuple[Array, Array, Cache]:
    """Run the network over a sequence.

    Args:
        x: (time, batch, features), float32 or float64, as all other arrays.
        h0: (batch, units).
        W: (features, units).
        U: (units, units).
        b: (units,), or None.
        mask: (time, batch) of bools, or None. Where False, the row keeps h and repeats its previous output.
        zero_output: whether the output is zero at masked steps, instead of repeated.

    Returns:
        y (time, batch, units) and h_T (batch, units), both new arrays; and the cache for `backward`.
    """
    (T, B, I), H = x.shape, len(U)
    K = I + H + 1
    loop_mask = read_mask(mask, zero_output)
    n = steps_in(BLOCK_BYTES, K * B * x.itemsize, T)
    (h,) = allocate(x.dtype, (T + 1, B, H))
    small = is_small(H, K, B)
    M = packed(("simple rnn", small), (W, U) if b is None else (W, U, b), lambda: _joined_weights(W, U, b, small))
    (xh1,) = allocate(x.dtype, (n + 1, K, B))
    xh1[:, -1] = 1.0
    h[0], xh1[0, I:-1] = h0, h0.T
    for start in range(0, T, n):
        stop = min(start + n, T)
        m = stop - start
        copy_transposed(x[start:stop], xh1[:m, :I])
        masked_rows = loop_mask.by_step[start:stop] if loop_mask else [None] * m
        for xh1_t, h_t, h_new, masked_t in zip(xh1, xh1[:, I:-1], xh1[1:, I:-1], masked_rows, strict=False):
            dot(M, xh1_t, h_new)
            tanh(h_new, h_new)
            if masked_t is not None:
                copyto(h_new, h_t, where=masked_t)
        h[start + 1 : stop + 1] = xh1[1 : m + 1, I:-1].transpose(0, 2, 1)
        xh1[0, I:-1] = xh1[m, I:-1]
    return outputs(h, x, loop_mask), h[T].copy(), Cache(h, loop_mask)


def backward(
    dy: Array | None, dh_T: Array | None, cache: Cache, x: Array, W: Array, U: Array, *, needs_dx: bool = True
) -> tuple[Array | None, Array, Array, Array, Array]:
    """Run the backward pass over the sequence; it can be called any number of times.

    Args:
        dy: ∂loss/∂y, (time, batch, units), or None where the loss does not depend on y.
        dh_T: ∂loss/∂h_T, (batch, units), or None.
        cache: from `forward`.
        x: (time, batch, features), the argument of `forward`, as are W and U.
        W: (features, units).
        U: (units, units).
        needs_dx: whether to compute ∂loss/∂x.

    Returns:
        dx (None without `needs_dx`), dh0, dW, dU, db.
    """
    (T, B, I), H = x.shape, len(U)
    J = I if needs_dx else 0
    M = packed(("simple rnn back", needs_dx), (W, U), lambda: np.concatenate([W[:J], U]))  # (x and h, units)
    n = steps_in(BLOCK_BYTES, 3 * H * B * x.itemsize, T)
    shapes = [(n, H, B), (n, J + H, B), (n, H, B)]
    ds, dxh, dy_block, *buffers = allocate(x.dtype, *shapes, *gradient_buffers(x, H, H, n))
    steps = list(zip([None] * n if dy is None else dy_block, ds, dxh, dxh[:, J:], strict=True))
    dx = empty_like(x, I) if needs_dx else None
    dh = np.zeros((H, B), x.dtype) if dh_T is None else dh_T.T.copy()

    def block(start: int, stop: int) -> Array:
        nonlocal dh
        m, part = stop - start, cache.window(start, stop)
        _factors(part, ds[:m])
        copy_upstream(dy, part.mask, start, dy_block[:m])
        dh = _backward_block(M, steps[:m], part.mask.by_step if part.mask else [None] * m, dh)
        if dx is not None:
            dx[start:stop] = dxh[:m, :J].transpose(0, 2, 1)
        return ds[:m]

    dM = columns(weight_gradients(x, cache.h, n, block, buffers), 1, [0])
    return dx, dh.T.copy(), dM[:I], dM[I:-1], dM[-1]


def _backward_block(M: Array, steps: list[tuple[Array, ...]], masked_rows: list[Array | None], dh: Array) -> Array:
    """Run the backward loop over the steps of one block; return dh for the block before."""
    for (dy, ds, dxh, dh_new), masked_t in zip(reversed(steps), reversed(masked_rows), strict=True):
        if dy is not None:
            add(dh, dy, dh)
        multiply(ds, dh, ds)
        dot(M, ds, dxh)
        if masked_t is not None:
            copyto(dh_new, dh, where=masked_t)
        dh = dh_new
    return dh.copy()  # a view of a buffer that the next block overwrites


def _factors(cache: Cache, F: Array) -> None:
    """Write 1 − h_new², the factor of dh, for the steps of one block; 0 in a masked row."""
    copy_transposed(cache.h[1:], F)
    multiply(F, F, F)
    subtract(1.0, F, F)
    if cache.mask:
        copyto(F, 0.0, where=cache.mask.masked[:, None])


def _joined_weights(W: Array, U: Array, b: Array | None, by_columns: bool) -> Array:
    """Return M, (units, features + units + 1), with z = M [x; h; 1]."""
    return transposed(stack_weights(W, U, b), by_columns)
