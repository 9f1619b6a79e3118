"""The LSTM's loop over time, compiled: the lines of `minigrad.recurrent.lstm_step` once more, a number at a time.

Forward, Keras' gate order i, f, g, o in the columns of W, U and b; σ is the recurrent activation:

    z     = x W + b + h U
    i     = σ(z_i)    f = σ(z_f)    g = tanh(z_g)    o = σ(z_o)
    c_new = f ∘ c + i ∘ g
    a     = tanh(c_new)
    h_new = o ∘ a

Backward, dh and dc being ∂loss/∂h_new and ∂loss/∂c_new as they arrive:

    dc   += dh ∘ o ∘ (1 − a²)                             what reached c_new through h_new
    dz_o  = dh ∘ a ∘ σ′_o     dz_i = dc ∘ g ∘ σ′_i     dz_f = dc ∘ c ∘ σ′_f     dz_g = dc ∘ i ∘ (1 − g²)
    dc    = dc ∘ f            dh   = dz Uᵀ                to the step before
    dx    = dz Wᵀ             dW   = Σ xᵀ dz              dU = Σ hᵀ dz          db = Σ dz

A step is one product and a pass over its units, by vector instructions. What does not wait for the step before, x W + b
and the gradients of the weights, is one product for a block of steps. Threads are none of this file's business.

Source: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory"; with the forget gate of Gers et al., 1999.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigrad_numba.activations import gate, gate_slope, tanh
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
    """What the way back needs: seven floats a unit and step, and the last h and c."""

    gates: Array  # (time, batch, 4 units): i, f, g, o
    c: Array  # (time + 1, batch, units): c₀ … c_T
    a: Array  # (time, batch, units): tanh(c_new)
    h: Array  # (time + 1, batch, units): h₀ … h_T
    mask: Mask | None
    hard: bool


def forward(
    x: Array,
    h0: Array,
    c0: Array,
    W: Array,
    U: Array,
    b: Array | None,
    mask: Array | None = None,
    *,
    zero_output: bool = False,
    recurrent_activation: str = "sigmoid",
) -> tuple[Array, Array, Array, Kept]:
    """Runs the LSTM over a sequence.

    Args:
        x: (time, batch, features), float32 or float64 as all the others.
        h0: (batch, units).
        c0: (batch, units).
        W: (features, 4 units), columns in the order i, f, g, o.
        U: (units, 4 units).
        b: (4 units,), or None.
        mask: (time, batch) of bools, or None. Where False, the row keeps h and c and repeats its previous output.
        zero_output: at masked steps the output is zero instead of repeated.
        recurrent_activation: ``"sigmoid"`` or ``"hard_sigmoid"``, clip(0.2 z + 0.5, 0, 1).

    Returns:
        y (time, batch, units), h_T and c_T (batch, units), all of them the caller's own, and what `backward` needs.
    """
    (T, B, _), H = x.shape, len(U)
    masked, hard = read_mask(mask, zero_output), recurrent_activation == "hard_sigmoid"
    x, W, U, b = plain(x), plain(W), plain(U), bias(b, W)
    gates, c, a, h = carved(x.dtype, (T, B, 4 * H), (T + 1, B, H), (T, B, H), (T + 1, B, H))
    h[0], c[0] = h0, c0
    _forward(x, W, U, b, gates, c, a, h, held(masked), hard, block_of(x))
    y = silenced(h[1:].copy(), masked)
    return y, h[T].copy(), c[T].copy(), Kept(gates, c, a, h, masked, hard)


@compiled("the LSTM's loop forward")
def _forward(x, W, U, b, gates, c, a, h, hold, hard, n):  # type: ignore[no-untyped-def]
    """Fills gates, c, a and h."""
    for start in range(0, len(x), n):
        block = slice(start, min(start + n, len(x)))
        z = rows_of(gates[block])
        set_rows(z, b)
        add_product(rows_of(x[block]), W, z)
        for t in range(start, block.stop):
            add_product(h[t], U, gates[t])
            for row in range(len(h[t])):
                if hold.size and hold[t, row]:
                    h[t + 1, row], c[t + 1, row] = h[t, row], c[t, row]
                else:
                    _step(gates[t, row], c[t, row], c[t + 1, row], a[t, row], h[t + 1, row], hard)


@inlined
def _step(z, c, c_new, a, h_new, hard):  # type: ignore[no-untyped-def]
    """One row's step; the gates take the place of z. In three short loops: the processor looks ahead only so far."""
    H = len(c)
    i, f, g, o = z[:H], z[H : 2 * H], z[2 * H : 3 * H], z[3 * H :]
    for k in range(H):
        i[k], f[k] = gate(i[k], hard), gate(f[k], hard)
    for k in range(H):
        g[k], o[k] = tanh(g[k]), gate(o[k], hard)
    for k in range(H):
        c_new[k] = f[k] * c[k] + i[k] * g[k]
        a[k] = tanh(c_new[k])
        h_new[k] = o[k] * a[k]


def backward(
    dy: Array | None,
    dh_T: Array | None,
    dc_T: Array | None,
    kept: Kept,
    x: Array,
    W: Array,
    U: Array,
    *,
    needs_dx: bool = True,
) -> tuple[Array | None, Array, Array, Array, Array, Array]:
    """Walks back through the sequence; it can be called any number of times.

    Args:
        dy: ∂loss/∂y, (time, batch, units), or None where nothing of the loss comes through y.
        dh_T: ∂loss/∂h_T, (batch, units), or None.
        dc_T: ∂loss/∂c_T, (batch, units), or None.
        kept: what `forward` kept.
        x: (time, batch, features), as `forward` had it; W and U likewise.
        W: (features, 4 units).
        U: (units, 4 units).
        needs_dx: is ∂loss/∂x wanted?

    Returns:
        dx (None if not wanted), dh0, dc0, dW, dU, db.
    """
    (T, B, I), H, n = x.shape, len(U), block_of(x)
    dh, dc = cotangent(dh_T, (B, H), x), cotangent(dc_T, (B, H), x)
    dy = output_cotangent(dy, (T, B, H), x, kept.mask)
    dx = np.zeros((T, B, I) if needs_dx else (0, 0, 0), x.dtype)
    dW, dU, db = np.zeros((I, 4 * H), x.dtype), np.zeros((H, 4 * H), x.dtype), np.zeros(4 * H, x.dtype)
    (dz,) = carved(x.dtype, (n, B, 4 * H))
    arrays = kept.gates, kept.c, kept.a, kept.h, plain(x), turned(W), turned(U)
    _backward(dy, dh, dc, *arrays, held(kept.mask), kept.hard, dz, dx, dW, dU, db)
    return dx if needs_dx else None, dh, dc, dW, dU, db


@compiled("the LSTM's loop backward")
def _backward(dy, dh, dc, gates, c, a, h, x, Wᵀ, Uᵀ, hold, hard, dz, dx, dW, dU, db):  # type: ignore[no-untyped-def]
    """Fills dx, dW, dU and db; leaves in dh and dc what reached h₀ and c₀. dz is for the steps of one block."""
    n = len(dz)
    for stop in range(len(x), 0, -n):
        block = slice(max(stop - n, 0), stop)
        for t in range(stop - 1, block.start - 1, -1):
            dz_t = dz[t - block.start]
            for row in range(len(dz_t)):
                if hold.size and hold[t, row]:
                    add_rest(dy[t, row], dh[row], dz_t[row])
                else:
                    _step_backward(dy[t, row], dh[row], dc[row], gates[t, row], c[t, row], a[t, row], hard, dz_t[row])
            add_product(dz_t, Uᵀ, dh)
        of_block = rows_of(dz[: stop - block.start])
        if dx.size:
            add_product(of_block, Wᵀ, rows_of(dx[block]))
        gather(x[block], of_block, dW)
        gather(h[block], of_block, dU)
        add_rows(of_block, db)


@inlined
def _step_backward(dy, dh, dc, gates, c, a, hard, dz):  # type: ignore[no-untyped-def]
    """One row's step back: writes dz, and dc for the step before; of dh nothing remains but what dz Uᵀ will add."""
    H, one = len(c), c.dtype.type(1)
    for k in range(H):
        o = gates[3 * H + k]
        dh_k = dh[k] + dy[k]
        dz[3 * H + k] = dh_k * a[k] * gate_slope(o, hard)
        dc[k] += dh_k * o * (one - a[k] * a[k])
        dh[k] = 0
    for k in range(H):
        i, f, g = gates[k], gates[H + k], gates[2 * H + k]
        dz[k] = dc[k] * g * gate_slope(i, hard)
        dz[H + k] = dc[k] * c[k] * gate_slope(f, hard)
        dz[2 * H + k] = dc[k] * i * (one - g * g)
        dc[k] *= f
