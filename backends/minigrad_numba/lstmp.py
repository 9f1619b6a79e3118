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
from minigrad_numba.arrays import add_rest, gather, project, project_back
from minigrad_numba.compiling import compiled, inlined
from minigrad_numba.loops import Loop, block_of, plain
from minigrad_numba.tiles import add_product, panels
from minigrad_numpy.memory import carved

Array = Any


class Kept(NamedTuple):
    """What the way back needs: six floats a unit and step, one an output and step."""

    gates: Array  # (time, batch, 4 units): i, j, f, o
    c: Array  # (time + 1, batch, units): c₀ … c_T, clipped
    a: Array  # (time, batch, units): tanh(c_new)
    m: Array  # (time + 1, batch, outputs): m₀ … m_T, clipped
    clips: tuple[Any, Any]


class LSTMP(Loop):
    """The first generation's loop."""

    output = 1

    def forward(self, x: Array, c0: Array, m0: Array, K: Array, *others: Any, **options: Any) -> Any:
        """Runs the LSTM over a sequence: y, c_T, m_T, kept.

        Args:
            x: (time, batch, features), float32 or float64 as all the others.
            c0: (batch, units).
            m0: (batch, outputs).
            K: (features + outputs, 4 units).
            others: b (4 units,); w_f, w_i and w_o (units,), the peepholes, all three or none; P (units, outputs); the
                mask (time, batch) of bools. Any but b can be None.
            options: zero_output, at masked steps the output is zero instead of repeated; forget_bias, added to the
                forget gate's argument; cell_clip and proj_clip, to which c_new and m_new are clipped, or None.
        """
        *weights, mask = others
        return self._forward(x, (c0, m0), (K[: x.shape[2]], K[x.shape[2] :], *weights), mask, **options)

    def backward(self, dy: Any, dc_T: Any, dm_T: Any, kept: Any, x: Array, *weights: Any, needs_dx: bool = True) -> Any:
        """Walks back through it: dx, dc0, dm0, dK, db, dw_f, dw_i, dw_o, dP; None for what there is not."""
        K, *others = weights
        weights = K[: x.shape[2]], K[x.shape[2] :], *others
        *found, dK_x, dK_m, db, dw, dP = self._backward(dy, (dc_T, dm_T), kept, x, weights, needs_dx)
        dw_i, dw_f, dw_o = dw if others[1] is not None else (None, None, None)
        return *found, np.concatenate([dK_x, dK_m]), db, dw_f, dw_i, dw_o, dP if dP.size else None

    def _matrices(self, weights: Any) -> Any:
        K_x, K_m, b, w_f, w_i, w_o, P = weights
        return panels(K_x), panels(K_m), plain(b), _peepholes(w_i, w_f, w_o, K_x), panels(_projection(P, K_x))

    def _matrices_back(self, weights: Any) -> Any:
        K_x, K_m, _, w_f, w_i, w_o, P = weights
        return panels(K_x.T), panels(K_m.T), _peepholes(w_i, w_f, w_o, K_x), panels(_projection(P, K_x).T)

    def _run(self, x: Array, state: Any, matrices: Any, rests: Array, options: Any) -> Any:
        (T, B, _), (H, M), real = x.shape, [s.shape[1] for s in state], x.dtype.type
        limits = options.get("cell_clip"), options.get("proj_clip") if matrices[-1].size else None
        clips = tuple([real(np.inf if limit is None else limit) for limit in limits])
        forget_bias = real(options.get("forget_bias", 1.0))
        gates, c, a, m, n = carved(x.dtype, (T, B, 4 * H), (T + 1, B, H), (T, B, H), (T + 1, B, M), (B, H))
        c[0], m[0] = state
        _forward(x, *matrices, gates, c, a, m, n, forget_bias, clips, rests, block_of(x))
        return m[1:], (c[T], m[T]), Kept(gates, c, a, m, clips)

    def _run_back(self, dy: Array, dstate: Any, kept: Kept, x: Array, matrices: Any, rests: Array, dx: Array) -> Any:
        (_, B, I), H, M, n = x.shape, kept.c.shape[2], kept.m.shape[2], block_of(x)
        P = (H, M) if matrices[-1].size else (0, 0)
        gradients = tuple([np.zeros(s, x.dtype) for s in ((I, 4 * H), (M, 4 * H), 4 * H, (3, H), P)])
        room = carved(x.dtype, (n, B, 4 * H), (n, B, M), (n, B, H), (B, H))
        arrays = kept.gates, kept.c, kept.a, kept.m, x, *matrices
        _backward(dy, *dstate, *arrays, kept.clips, rests, tuple(room), (dx, *gradients))
        return gradients


def _peepholes(w_i: Array | None, w_f: Array | None, w_o: Array | None, K: Array) -> Array:
    """w_i, w_f and w_o below each other, (3, units); zeros where there are none."""
    if w_i is None or w_f is None or w_o is None:
        return np.zeros((3, K.shape[1] // 4), K.dtype)
    return np.stack([w_i, w_f, w_o])


def _projection(P: Array | None, K: Array) -> Array:
    """P, or an array of size 0."""
    return np.zeros((0, 0), K.dtype) if P is None else P


@compiled("the first generation's LSTM's loop forward")
def _forward(x, K_x, K_m, b, w, P, gates, c, a, m, n, forget_bias, clips, rests, steps):  # type: ignore[no-untyped-def]
    """Fills gates, c, a and m. n is room for what is projected."""
    cell_clip, proj_clip = clips
    for start in range(0, len(x), steps):
        block = slice(start, min(start + steps, len(x)))
        project(x[block], K_x, b, gates[block])
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
                if rests.size and rests[t, row]:
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


@compiled("the first generation's LSTM's loop backward")
def _backward(dy, dc, dm, gates, c, a, m, x, K_xᵀ, K_mᵀ, w, Pᵀ, clips, rests, room, out):  # type: ignore[no-untyped-def]
    """Fills the gradients, `out`; leaves in dc and dm what reached c₀ and m₀."""
    dz, dp, n, dn = room  # the first three for the steps of one block, dn for one step
    dx, dK_x, dK_m, db, dw, dP = out
    steps = len(dz)
    for stop in range(len(x), 0, -steps):
        start = max(stop - steps, 0)
        for t in range(stop - 1, start - 1, -1):
            at = t - start
            for row in range(len(dn)):
                if rests.size and rests[t, row]:
                    add_rest(dy[t, row], dm[row], dp[at, row])
                else:
                    _unclip(dy[t, row], dm[row], m[t + 1, row], clips[1], dp[at, row])
            dn[...] = 0
            if Pᵀ.size:
                add_product(dp[at], Pᵀ, dn)
            else:
                dn += dp[at]
            for row in range(len(dn)):
                if rests.size and rests[t, row]:
                    dz[at, row], n[at, row] = 0, 0
                else:
                    kept = gates[t, row], c[t, row], c[t + 1, row], a[t, row]
                    _step_backward(dn[row], dc[row], *kept, w, clips[0], dz[at, row], n[at, row], dw)
            add_product(dz[at], K_mᵀ, dm)
        of_block = dz[: stop - start]
        project_back(of_block, x[start:stop], K_xᵀ, dx[start:stop], dK_x, db)
        gather(m[start:stop], of_block, dK_m)
        if Pᵀ.size:
            gather(n[: stop - start], dp[: stop - start], dP)


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


loop = LSTMP()
