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
from minigrad_numba.arrays import add_rest, add_rows, gather, project, project_back, rows_of, set_rows
from minigrad_numba.compiling import compiled, inlined
from minigrad_numba.loops import Loop, bias, block_of, is_hard
from minigrad_numba.tiles import add_product, panels
from minigrad_numpy.memory import carved

Array = Any


class Kept(NamedTuple):
    """What the way back needs: five floats a unit and step, and the last h."""

    gates: Array  # (time, batch, 3 units): z, r, g
    k: Array  # (time, batch, units)
    h: Array  # (time + 1, batch, units): h₀ … h_T
    hard: bool
    reset_after: bool


class GRU(Loop):
    """The GRU's loop."""

    def forward(
        self, x: Array, h0: Array, W: Array, U: Array, b: Any, b_h: Any, mask: Any = None, **options: Any
    ) -> Any:
        """Runs the GRU over a sequence: y, h_T, kept. With `reset_after=False` it resets before, without b_h."""
        matrices = _apart(U, options.get("reset_after", True))
        return self._forward(x, (h0,), (W, *matrices, b, b_h), mask, **options)

    def backward(self, dy: Any, dh_T: Any, kept: Any, x: Array, W: Array, U: Array, needs_dx: bool = True) -> Any:
        """Walks back through it: dx, dh0, dW, dU, db, db_h."""
        matrices = _apart(U, kept.parts[0].kept.reset_after)
        *found, dU, dU_g, db, db_h = self._backward(dy, (dh_T,), kept, x, (W, *matrices), needs_dx)
        return *found, np.concatenate([dU, dU_g], 1) if dU_g.size else dU, db, db_h

    def _matrices(self, weights: Any) -> Any:
        W, U, U_g, b, b_h = weights
        return panels(W), panels(U), panels(U_g), bias(b, W), bias(b_h, U)

    def _matrices_back(self, weights: Any) -> Any:
        W, U, U_g = weights
        return panels(W.T), panels(U.T), panels(U_g.T)

    def _run(self, x: Array, state: Any, matrices: Any, rests: Array, options: Any) -> Any:
        (T, B, _), H = x.shape, state[0].shape[1]
        hard, reset_after = is_hard(options), options.get("reset_after", True)
        gates, k, h = carved(x.dtype, (T, B, 3 * H), (T, B, H), (T + 1, B, H))
        s, s_g = carved(x.dtype, (B, (3 if reset_after else 2) * H), (B, H))
        h[0] = state[0]
        _forward(x, *matrices, gates, k, h, s, s_g, rests, hard, block_of(x))
        return h[1:], (h[T],), Kept(gates, k, h, hard, reset_after)

    def _run_back(self, dy: Array, dstate: Any, kept: Kept, x: Array, matrices: Any, rests: Array, dx: Array) -> Any:
        (_, B, I), H, n = x.shape, kept.h.shape[2], block_of(x)
        columns, of_g = (3 * H, 0) if kept.reset_after else (2 * H, H)
        shapes = (I, 3 * H), (H, columns), (of_g and H, of_g), 3 * H, columns
        gradients = tuple([np.zeros(shape, x.dtype) for shape in shapes])
        room = carved(x.dtype, (n, B, 3 * H), (n, B, columns), (n, B, H), (B, H))
        arrays = kept.gates, kept.k, kept.h, x, *matrices
        _backward(dy, *dstate, *arrays, rests, kept.hard, tuple(room), (dx, *gradients))
        return gradients


def _apart(U: Array, reset_after: bool) -> tuple[Array, Array]:
    """What h is multiplied by, and what k is; the second of size 0 if k is not multiplied."""
    return (U, U[:0, :0]) if reset_after else (U[:, : 2 * len(U)], U[:, 2 * len(U) :])


@compiled("the GRU's loop forward")
def _forward(x, W, U, U_g, b, b_h, gates, k, h, s, s_g, rests, hard, n):  # type: ignore[no-untyped-def]
    """Fills gates, k and h. s and s_g are room for h U + b_h and for what is added to x_g."""
    for start in range(0, len(x), n):
        block = slice(start, min(start + n, len(x)))
        project(x[block], W, b, gates[block])
        for t in range(start, block.stop):
            set_rows(s, b_h)
            add_product(h[t], U, s)
            for row in range(len(s)):
                _open(gates[t, row], s[row], h[t, row], k[t, row], s_g[row], hard)
            if U_g.size:
                s_g[...] = 0
                add_product(k[t], U_g, s_g)
            for row in range(len(s)):
                if rests.size and rests[t, row]:
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


@compiled("the GRU's loop backward")
def _backward(dy, dh, gates, k, h, x, Wᵀ, Uᵀ, U_gᵀ, rests, hard, room, out):  # type: ignore[no-untyped-def]
    """Fills the gradients, `out`; leaves in dh what reached h₀."""
    ds, ds_h, ds_g, dk = room  # ∂loss/∂(x W + b), ∂loss/∂(h U + b_h), ds_g for the steps of one block; dk for one step
    dx, dW, dU, dU_g, db, db_h = out
    n = len(ds)
    for stop in range(len(x), 0, -n):
        start = max(stop - n, 0)
        for t in range(stop - 1, start - 1, -1):
            at = t - start
            for row in range(len(dh)):
                if rests.size and rests[t, row]:
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
        project_back(ds[: stop - start], x[start:stop], Wᵀ, dx[start:stop], dW, db)
        gather(h[start:stop], ds_h[: stop - start], dU)
        add_rows(rows_of(ds_h[: stop - start]), db_h)
        if U_gᵀ.size:
            gather(k[start:stop], ds_g[: stop - start], dU_g)


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


loop = GRU()
