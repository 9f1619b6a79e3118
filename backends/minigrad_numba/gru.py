"""The GRU's loop over time, compiled, in both its variants.

Forward, Keras' gate order z, r, g in the columns of W, U, b and b_h; σ is the recurrent activation. The variants
differ in where the reset gate acts: after the product h U, or before it (then without b_h):

    x_z, x_r, x_g = x W + b
    z     = σ(x_z + h_z)     r = σ(x_r + h_r)      with h_z, h_r, h_g = h U + b_h,  or h_z, h_r = h [U_z, U_r]
    k     = h_g                                    or  k = r ∘ h
    g     = tanh(x_g + r ∘ k)                      or  tanh(x_g + k U_g)
    h_new = z ∘ h + (1 − z) ∘ g

Backward, dh being ∂loss/∂h_new as it arrives:

    ds_z  = dh ∘ (h − g) ∘ σ′_z                    ds_g = dh ∘ (1 − z) ∘ (1 − g²)
    ds_r  = ds_g ∘ k ∘ σ′_r                        or  dk ∘ h ∘ σ′_r,  where dk = ds_g U_gᵀ
    dh    = dh ∘ z + [ds_z, ds_r, ds_g ∘ r] Uᵀ     or  dh ∘ z + dk ∘ r + [ds_z, ds_r] [U_z, U_r]ᵀ

Source: Cho et al., 2014, "Learning Phrase Representations using RNN Encoder–Decoder" (resets before); the variant that
resets afterwards is cuDNN's.
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
    """What the way back needs: five floats a unit and step, and the last h."""

    gates: Array  # (time, batch, 3 units): z, r, g
    k: Array  # (time, batch, units)
    h: Array  # (time + 1, batch, units): h₀ … h_T
    mask: Mask | None
    hard: bool
    reset_after: bool


def forward(
    x: Array,
    h0: Array,
    W: Array,
    U: Array,
    b: Array | None,
    b_h: Array | None,
    mask: Array | None = None,
    *,
    zero_output: bool = False,
    recurrent_activation: str = "sigmoid",
    reset_after: bool = True,
) -> tuple[Array, Array, Kept]:
    """Runs the GRU over a sequence.

    Args:
        x: (time, batch, features), float32 or float64 as all the others.
        h0: (batch, units).
        W: (features, 3 units), columns in the order z, r, g.
        U: (units, 3 units).
        b: (3 units,), of the input's product, or None.
        b_h: (3 units,), of the state's product, or None; with `reset_after` only.
        mask: (time, batch) of bools, or None. Where False, the row keeps h and repeats its previous output.
        zero_output: at masked steps the output is zero instead of repeated.
        recurrent_activation: ``"sigmoid"`` or ``"hard_sigmoid"``, clip(0.2 z + 0.5, 0, 1).
        reset_after: which variant.

    Returns:
        y (time, batch, units) and h_T (batch, units), both the caller's own, and what `backward` needs.
    """
    (T, B, _), H = x.shape, len(U)
    masked, hard = read_mask(mask, zero_output), recurrent_activation == "hard_sigmoid"
    x, W, b = plain(x), plain(W), bias(b, W)
    U, U_g = _apart(U, reset_after)
    gates, k, h = carved(x.dtype, (T, B, 3 * H), (T, B, H), (T + 1, B, H))
    s, s_g = carved(x.dtype, (B, U.shape[1]), (B, H))
    h[0] = h0
    _forward(x, W, U, U_g, b, bias(b_h, U), gates, k, h, s, s_g, held(masked), hard, block_of(x))
    return silenced(h[1:].copy(), masked), h[T].copy(), Kept(gates, k, h, masked, hard, reset_after)


def _apart(U: Array, reset_after: bool) -> tuple[Array, Array]:
    """What h is multiplied by, and what k is; the second of size 0 if k is not multiplied."""
    H = len(U)
    return (plain(U), np.zeros((0, 0), U.dtype)) if reset_after else (plain(U[:, : 2 * H]), plain(U[:, 2 * H :]))


@compiled("the GRU's loop forward")
def _forward(x, W, U, U_g, b, b_h, gates, k, h, s, s_g, hold, hard, n):  # type: ignore[no-untyped-def]
    """Fills gates, k and h. s and s_g are room for h U + b_h and for what is added to x_g."""
    for start in range(0, len(x), n):
        block = slice(start, min(start + n, len(x)))
        x_zrg = rows_of(gates[block])
        set_rows(x_zrg, b)
        add_product(rows_of(x[block]), W, x_zrg)
        for t in range(start, block.stop):
            set_rows(s, b_h)
            add_product(h[t], U, s)
            for row in range(len(s)):
                _open(gates[t, row], s[row], h[t, row], k[t, row], s_g[row], hard)
            if U_g.size:
                s_g[...] = 0
                add_product(k[t], U_g, s_g)
            for row in range(len(s)):
                if hold.size and hold[t, row]:
                    h[t + 1, row] = h[t, row]
                else:
                    _step(gates[t, row], s_g[row], h[t, row], h[t + 1, row])


@inlined
def _open(gates, s, h, k, s_g, hard):  # type: ignore[no-untyped-def]
    """One row's z, r and k, and r ∘ k."""
    H = len(h)
    x_z, x_r, h_z, h_r, h_g = gates[:H], gates[H : 2 * H], s[:H], s[H : 2 * H], s[2 * H :]
    for u in range(H):
        x_z[u] = gate(x_z[u] + h_z[u], hard)
        x_r[u] = gate(x_r[u] + h_r[u], hard)
    if len(h_g):
        for u in range(H):
            k[u] = h_g[u]
            s_g[u] = x_r[u] * k[u]
    else:
        for u in range(H):
            k[u] = x_r[u] * h[u]


@inlined
def _step(gates, s_g, h, h_new):  # type: ignore[no-untyped-def]
    """One row's g and h_new."""
    H = len(h)
    z, x_g = gates[:H], gates[2 * H :]
    for u in range(H):
        g = tanh(x_g[u] + s_g[u])
        x_g[u] = g
        h_new[u] = g + z[u] * (h[u] - g)


def backward(
    dy: Array | None, dh_T: Array | None, kept: Kept, x: Array, W: Array, U: Array, *, needs_dx: bool = True
) -> tuple[Array | None, Array, Array, Array, Array, Array]:
    """Walks back through the sequence; it can be called any number of times.

    Args:
        dy: ∂loss/∂y, (time, batch, units), or None where nothing of the loss comes through y.
        dh_T: ∂loss/∂h_T, (batch, units), or None.
        kept: what `forward` kept.
        x: (time, batch, features), as `forward` had it; W and U likewise.
        W: (features, 3 units).
        U: (units, 3 units).
        needs_dx: is ∂loss/∂x wanted?

    Returns:
        dx (None if not wanted), dh0, dW, dU, db, db_h.
    """
    (T, B, I), H, n = x.shape, len(U), block_of(x)
    U, U_g = _apart(U, kept.reset_after)
    columns = U.shape[1]
    dh, dy = cotangent(dh_T, (B, H), x), output_cotangent(dy, (T, B, H), x, kept.mask)
    dx = np.zeros((T, B, I) if needs_dx else (0, 0, 0), x.dtype)
    dW, dU, dU_g = np.zeros((I, 3 * H), x.dtype), np.zeros((H, columns), x.dtype), np.zeros(U_g.shape, x.dtype)
    db, db_h = np.zeros(3 * H, x.dtype), np.zeros(columns, x.dtype)
    room = carved(x.dtype, (n, B, 3 * H), (n, B, columns), (n, B, H), (B, H))
    matrices, gradients = (turned(W), turned(U), turned(U_g)), (dx, dW, dU, dU_g, db, db_h)
    arrays = kept.gates, kept.k, kept.h, plain(x), *matrices
    _backward(dy, dh, *arrays, held(kept.mask), kept.hard, tuple(room), gradients)
    dU = dU if kept.reset_after else np.concatenate([dU, dU_g], 1)
    return dx if needs_dx else None, dh, dW, dU, db, db_h


@compiled("the GRU's loop backward")
def _backward(dy, dh, gates, k, h, x, Wᵀ, Uᵀ, U_gᵀ, hold, hard, room, out):  # type: ignore[no-untyped-def]
    """Fills the gradients, `out`; leaves in dh what reached h₀."""
    ds, ds_h, ds_g, dk = room  # ∂loss/∂(x W + b), ∂loss/∂(h U + b_h), ds_g for the steps of one block; dk for one step
    dx, dW, dU, dU_g, db, db_h = out
    n = len(ds)
    for stop in range(len(x), 0, -n):
        start = max(stop - n, 0)
        for t in range(stop - 1, start - 1, -1):
            at = t - start
            for row in range(len(dh)):
                if hold.size and hold[t, row]:
                    add_rest(dy[t, row], dh[row], ds[at, row])
                else:
                    _step_backward(dy[t, row], dh[row], gates[t, row], h[t, row], hard, ds[at, row])
            if U_gᵀ.size:
                ds_g[at], dk[...] = ds[at, :, 2 * dh.shape[1] :], 0
                add_product(ds_g[at], U_gᵀ, dk)
                for row in range(len(dh)):
                    _reset_before(dk[row], dh[row], gates[t, row], h[t, row], hard, ds[at, row], ds_h[at, row])
            else:
                for row in range(len(dh)):
                    _reset_after(gates[t, row], k[t, row], hard, ds[at, row], ds_h[at, row])
            add_product(ds_h[at], Uᵀ, dh)
        if dx.size:
            add_product(rows_of(ds[: stop - start]), Wᵀ, rows_of(dx[start:stop]))
        gather(x[start:stop], rows_of(ds[: stop - start]), dW)
        gather(h[start:stop], rows_of(ds_h[: stop - start]), dU)
        add_rows(rows_of(ds[: stop - start]), db)
        add_rows(rows_of(ds_h[: stop - start]), db_h)
        if U_gᵀ.size:
            gather(k[start:stop], rows_of(ds_g[: stop - start]), dU_g)


@inlined
def _step_backward(dy, dh, gates, h, hard, ds):  # type: ignore[no-untyped-def]
    """One row's ds_z and ds_g; of dh remains what goes past the gates."""
    H, one = len(h), h.dtype.type(1)
    for u in range(H):
        z, g = gates[u], gates[2 * H + u]
        dh_u = dh[u] + dy[u]
        ds[u] = dh_u * (h[u] - g) * gate_slope(z, hard)
        ds[2 * H + u] = dh_u * (one - z) * (one - g * g)
        dh[u] = dh_u * z


@inlined
def _reset_after(gates, k, hard, ds, ds_h):  # type: ignore[no-untyped-def]
    """One row's ds_r, and what h U + b_h is owed."""
    H = len(k)
    for u in range(H):
        r, ds_g = gates[H + u], ds[2 * H + u]
        ds[H + u] = ds_g * k[u] * gate_slope(r, hard)
        ds_h[u], ds_h[H + u], ds_h[2 * H + u] = ds[u], ds[H + u], ds_g * r


@inlined
def _reset_before(dk, dh, gates, h, hard, ds, ds_h):  # type: ignore[no-untyped-def]
    """One row's ds_r, and what h [U_z, U_r] is owed; to dh what came through k = r ∘ h."""
    H = len(h)
    for u in range(H):
        r = gates[H + u]
        ds[H + u] = dk[u] * h[u] * gate_slope(r, hard)
        ds_h[u], ds_h[H + u] = ds[u], ds[H + u]
        dh[u] += dk[u] * r
