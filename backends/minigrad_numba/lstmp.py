"""The loop over time of the first generation's LSTM, compiled: peepholes, projection and clips, each of them optional.

Forward, gates in the order i, j, f, o in the columns of K = [K_x; K_m]:

    z     = x K_x + b + m K_m
    i     = σ(z_i [+ w_i ∘ c])     f = σ(z_f + forget_bias [+ w_f ∘ c])     j = tanh(z_j)
    c_new = f ∘ c + i ∘ j          [clipped to ±cell_clip]
    o     = σ(z_o [+ w_o ∘ c_new])
    a     = tanh(c_new)            n = o ∘ a
    m_new = n [P]                  [projected, then clipped to ±proj_clip]

Backward, dc and dm being ∂loss/∂c_new and ∂loss/∂m_new as they arrive; a clip lets pass where it did not bite:

    dp    = dm [where |m_new| < proj_clip]                   dn = dp [Pᵀ]
    dz_o  = dn ∘ a ∘ σ′_o
    dc   += dn ∘ o ∘ (1 − a²) [+ dz_o ∘ w_o]                 dc = dc [where |c_new| < cell_clip]
    dz_i  = dc ∘ j ∘ σ′_i     dz_j = dc ∘ i ∘ (1 − j²)       dz_f = dc ∘ c ∘ σ′_f
    dm    = dz K_mᵀ           dc   = dc ∘ f [+ dz_i ∘ w_i + dz_f ∘ w_f]

Source: Gers and Schmidhuber, 2000, "Recurrent Nets that Time and Count"; Sak et al., 2014, "Long Short-Term Memory
Recurrent Neural Network Architectures for Large Scale Acoustic Modeling".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigrad_numba.activations import gate, gate_slope, tanh
from minigrad_numba.arrays import (
    add_rest,
    add_rows,
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
    """What the way back needs: six floats a unit and step, one an output and step."""

    gates: Array  # (time, batch, 4 units): i, j, f, o
    c: Array  # (time + 1, batch, units): c₀ … c_T, clipped
    a: Array  # (time, batch, units): tanh(c_new)
    m: Array  # (time + 1, batch, outputs): m₀ … m_T, clipped
    mask: Mask | None
    clips: tuple[Any, Any]


def forward(
    x: Array,
    c0: Array,
    m0: Array,
    K: Array,
    b: Array,
    w_f: Array | None = None,
    w_i: Array | None = None,
    w_o: Array | None = None,
    P: Array | None = None,
    mask: Array | None = None,
    *,
    zero_output: bool = False,
    forget_bias: float = 1.0,
    cell_clip: float | None = None,
    proj_clip: float | None = None,
) -> tuple[Array, Array, Array, Kept]:
    """Runs the LSTM over a sequence.

    Args:
        x: (time, batch, features), float32 or float64 as all the others.
        c0: (batch, units).
        m0: (batch, outputs).
        K: (features + outputs, 4 units).
        b: (4 units,).
        w_f: (units,), or None; the peepholes, all three or none.
        w_i: (units,), or None.
        w_o: (units,), or None.
        P: (units, outputs), or None.
        mask: (time, batch) of bools, or None. Where False, the row keeps c and m and repeats its previous output.
        zero_output: at masked steps the output is zero instead of repeated.
        forget_bias: added to the forget gate's argument.
        cell_clip: c_new is clipped to ±cell_clip; None does not clip.
        proj_clip: the projection is clipped to ±proj_clip; None does not clip.

    Returns:
        y (time, batch, outputs), c_T and m_T, all of them the caller's own, and what `backward` needs.
    """
    (T, B, I), H, M, real = x.shape, c0.shape[1], m0.shape[1], x.dtype.type
    masked = read_mask(mask, zero_output)
    proj_clip = None if P is None else proj_clip
    clips = real(np.inf if cell_clip is None else cell_clip), real(np.inf if proj_clip is None else proj_clip)
    x, K, b, w, P = plain(x), plain(K), plain(b), _peepholes(w_i, w_f, w_o, c0), _projection(P, x)
    gates, c, a, m, n = carved(x.dtype, (T, B, 4 * H), (T + 1, B, H), (T, B, H), (T + 1, B, M), (B, H))
    c[0], m[0] = c0, m0
    options = real(forget_bias), clips, held(masked), block_of(x)
    _forward(x, K[:I], K[I:], b, w, P, gates, c, a, m, n, *options)
    return silenced(m[1:].copy(), masked), c[T].copy(), m[T].copy(), Kept(gates, c, a, m, masked, clips)


def _peepholes(w_i: Array | None, w_f: Array | None, w_o: Array | None, c: Array) -> Array:
    """w_i, w_f and w_o below each other, (3, units); zeros where there are none."""
    if w_i is None or w_f is None or w_o is None:
        return np.zeros((3, c.shape[-1]), c.dtype)
    return np.stack([w_i, w_f, w_o])


def _projection(P: Array | None, x: Array) -> Array:
    """P, or an array of size 0."""
    return np.zeros((0, 0), x.dtype) if P is None else plain(P)


@compiled("the first generation's LSTM's loop forward")
def _forward(x, K_x, K_m, b, w, P, gates, c, a, m, n, forget_bias, clips, hold, steps):  # type: ignore[no-untyped-def]
    """Fills gates, c, a and m. n is room for what is projected."""
    cell_clip, proj_clip = clips
    for start in range(0, len(x), steps):
        block = slice(start, min(start + steps, len(x)))
        z = rows_of(gates[block])
        set_rows(z, b)
        add_product(rows_of(x[block]), K_x, z)
        for t in range(start, block.stop):
            add_product(m[t], K_m, gates[t])
            for row in range(len(n)):
                _step(gates[t, row], c[t, row], w, c[t + 1, row], a[t, row], n[row], forget_bias, cell_clip)
            if P.size:
                m[t + 1] = 0
                add_product(n, P, m[t + 1])
            else:
                m[t + 1] = n
            for row in range(len(n)):
                if hold.size and hold[t, row]:
                    c[t + 1, row], m[t + 1, row] = c[t, row], m[t, row]
                elif P.size:
                    _clip(m[t + 1, row], proj_clip)


@inlined
def _step(z, c, w, c_new, a, n, forget_bias, cell_clip):  # type: ignore[no-untyped-def]
    """One row's step up to n; the gates take the place of z."""
    H = len(c)
    z_i, z_j, z_f, z_o = z[:H], z[H : 2 * H], z[2 * H : 3 * H], z[3 * H :]
    w_i, w_f, w_o = w[0], w[1], w[2]
    for k in range(H):
        z_i[k] = gate(z_i[k] + w_i[k] * c[k], False)
        z_f[k] = gate(z_f[k] + forget_bias + w_f[k] * c[k], False)
        z_j[k] = tanh(z_j[k])
    for k in range(H):
        c_new[k] = clipped(z_f[k] * c[k] + z_i[k] * z_j[k], cell_clip)
        z_o[k] = gate(z_o[k] + w_o[k] * c_new[k], False)
        a[k] = tanh(c_new[k])
        n[k] = z_o[k] * a[k]


@inlined
def clipped(x, limit):  # type: ignore[no-untyped-def]
    """x clipped to ±limit; NaN stays NaN."""
    x = -limit if x < -limit else x
    return limit if x > limit else x


@inlined
def _clip(m, limit):  # type: ignore[no-untyped-def]
    """Clips a row in place."""
    for k in range(len(m)):
        m[k] = clipped(m[k], limit)


def backward(
    dy: Array | None,
    dc_T: Array | None,
    dm_T: Array | None,
    kept: Kept,
    x: Array,
    K: Array,
    b: Array,
    w_f: Array | None = None,
    w_i: Array | None = None,
    w_o: Array | None = None,
    P: Array | None = None,
    *,
    needs_dx: bool = True,
) -> tuple[Array | None, ...]:
    """Walks back through the sequence; it can be called any number of times.

    Args:
        dy: ∂loss/∂y, (time, batch, outputs), or None where nothing of the loss comes through y.
        dc_T: ∂loss/∂c_T, (batch, units), or None.
        dm_T: ∂loss/∂m_T, (batch, outputs), or None.
        kept: what `forward` kept.
        x: (time, batch, features), as `forward` had it; the weights likewise.
        K: (features + outputs, 4 units).
        b: (4 units,).
        w_f: (units,), or None.
        w_i: (units,), or None.
        w_o: (units,), or None.
        P: (units, outputs), or None.
        needs_dx: is ∂loss/∂x wanted?

    Returns:
        dx (None if not wanted), dc0, dm0, dK, db, dw_f, dw_i, dw_o, dP; None for what there is not.
    """
    (T, B, I), H, M, steps = x.shape, kept.c.shape[2], kept.m.shape[2], block_of(x)
    w, projection = _peepholes(w_i, w_f, w_o, kept.c), _projection(P, x)
    dc, dm = cotangent(dc_T, (B, H), x), cotangent(dm_T, (B, M), x)
    dy = output_cotangent(dy, (T, B, M), x, kept.mask)
    dx = np.zeros((T, B, I) if needs_dx else (0, 0, 0), x.dtype)
    dK, db, dw, dP = (np.zeros(array.shape, x.dtype) for array in (K, b, w, projection))
    room = carved(x.dtype, (steps, B, 4 * H), (steps, B, M), (steps, B, H), (B, H))
    matrices = plain(x), turned(K[:I]), turned(K[I:]), w, turned(projection)
    arrays = kept.gates, kept.c, kept.a, kept.m
    gradients = dx, dK[:I], dK[I:], db, dw, dP
    _backward(dy, dc, dm, *arrays, *matrices, kept.clips, held(kept.mask), tuple(room), gradients)
    dw_i, dw_f, dw_o = dw if w_i is not None else (None, None, None)
    return dx if needs_dx else None, dc, dm, dK, db, dw_f, dw_i, dw_o, None if P is None else dP


@compiled("the first generation's LSTM's loop backward")
def _backward(dy, dc, dm, gates, c, a, m, x, K_xᵀ, K_mᵀ, w, Pᵀ, clips, hold, room, out):  # type: ignore[no-untyped-def]
    """Fills the gradients, `out`; leaves in dc and dm what reached c₀ and m₀."""
    dz, dp, n, dn = room  # the first three for the steps of one block, dn for one step
    dx, dK_x, dK_m, db, dw, dP = out
    steps = len(dz)
    for stop in range(len(x), 0, -steps):
        start = max(stop - steps, 0)
        for t in range(stop - 1, start - 1, -1):
            at = t - start
            for row in range(len(dn)):
                if hold.size and hold[t, row]:
                    add_rest(dy[t, row], dm[row], dp[at, row])
                else:
                    _unclip(dy[t, row], dm[row], m[t + 1, row], clips[1], dp[at, row])
            dn[...] = 0
            if Pᵀ.size:
                add_product(dp[at], Pᵀ, dn)
            else:
                dn += dp[at]
            for row in range(len(dn)):
                if hold.size and hold[t, row]:
                    dz[at, row], n[at, row] = 0, 0
                else:
                    kept = gates[t, row], c[t, row], c[t + 1, row], a[t, row]
                    _step_backward(dn[row], dc[row], *kept, w, clips[0], dz[at, row], n[at, row], dw)
            add_product(dz[at], K_mᵀ, dm)
        of_block = rows_of(dz[: stop - start])
        if dx.size:
            add_product(of_block, K_xᵀ, rows_of(dx[start:stop]))
        gather(x[start:stop], of_block, dK_x)
        gather(m[start:stop], of_block, dK_m)
        add_rows(of_block, db)
        if Pᵀ.size:
            gather(n[: stop - start], rows_of(dp[: stop - start]), dP)


@inlined
def _unclip(dy, dm, m_new, limit, dp):  # type: ignore[no-untyped-def]
    """One row's dp; of dm nothing remains but what dz K_mᵀ will add."""
    zero = dm.dtype.type(0)
    for k in range(len(dm)):
        dp[k] = zero if abs(m_new[k]) >= limit else dm[k] + dy[k]
        dm[k] = 0


@inlined
def _step_backward(dn, dc, gates, c, c_new, a, w, limit, dz, n, dw):  # type: ignore[no-untyped-def]
    """One row's step back from dn: writes dz, n again, and dc for the step before; adds to the peepholes' dw."""
    H, zero, one = len(c), c.dtype.type(0), c.dtype.type(1)
    for k in range(H):
        i, j, f, o = gates[k], gates[H + k], gates[2 * H + k], gates[3 * H + k]
        n[k] = o * a[k]
        dz_o = dn[k] * a[k] * gate_slope(o, False)
        dc_k = dc[k] + dn[k] * o * (one - a[k] * a[k]) + dz_o * w[2, k]
        dc_k = zero if abs(c_new[k]) >= limit else dc_k
        dz_i = dc_k * j * gate_slope(i, False)
        dz_f = dc_k * c[k] * gate_slope(f, False)
        dz[k], dz[H + k], dz[2 * H + k], dz[3 * H + k] = dz_i, dc_k * i * (one - j * j), dz_f, dz_o
        dc[k] = dc_k * f + dz_i * w[0, k] + dz_f * w[1, k]
    for k in range(H):
        dw[0, k] += dz[k] * c[k]
    for k in range(H):
        dw[1, k] += dz[2 * H + k] * c[k]
    for k in range(H):
        dw[2, k] += dz[3 * H + k] * c_new[k]
