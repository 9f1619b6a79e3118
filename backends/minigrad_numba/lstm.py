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
from minigrad_numba.arrays import add_rest, gather, project, project_back
from minigrad_numba.compiling import compiled, inlined
from minigrad_numba.loops import Loop, block_of, is_hard
from minigrad_numba.tiles import add_product
from minigrad_numpy.memory import carved

Array = Any


class Kept(NamedTuple):
    """What the way back needs: seven floats a unit and step, and the last h and c."""

    gates: Array  # (time, batch, 4 units): i, f, g, o
    c: Array  # (time + 1, batch, units): c₀ … c_T
    a: Array  # (time, batch, units): tanh(c_new)
    h: Array  # (time + 1, batch, units): h₀ … h_T
    hard: bool


class LSTM(Loop):
    """The LSTM's loop."""

    def forward(
        self, x: Array, h0: Array, c0: Array, W: Array, U: Array, b: Array | None, mask: Any = None, **options: Any
    ) -> Any:
        """Runs the LSTM over a sequence: y, h_T, c_T, kept."""
        return self._forward(x, (h0, c0), (W, U, b), mask, **options)

    def backward(
        self, dy: Any, dh_T: Any, dc_T: Any, kept: Any, x: Array, W: Array, U: Array, needs_dx: bool = True
    ) -> Any:
        """Walks back through it: dx, dh0, dc0, dW, dU, db."""
        return self._backward(dy, (dh_T, dc_T), kept, x, (W, U), needs_dx)

    def _run(self, x: Array, state: Any, matrices: Any, rests: Array, options: Any) -> Any:
        (T, B, _), H, hard = x.shape, state[0].shape[1], is_hard(options)
        gates, c, a, h = carved(x.dtype, (T, B, 4 * H), (T + 1, B, H), (T, B, H), (T + 1, B, H))
        h[0], c[0] = state
        _forward(x, *matrices, gates, c, a, h, rests, hard, block_of(x))
        return h[1:], (h[T], c[T]), Kept(gates, c, a, h, hard)

    def _run_back(self, dy: Array, dstate: Any, kept: Kept, x: Array, matrices: Any, rests: Array, dx: Array) -> Any:
        (_, B, I), columns, n = x.shape, kept.gates.shape[2], block_of(x)
        dW, dU, db = (np.zeros(s, x.dtype) for s in ((I, columns), (columns // 4, columns), columns))
        (dz,) = carved(x.dtype, (n, B, columns))
        _backward(dy, *dstate, *kept, x, *matrices, rests, dz, dx, dW, dU, db)
        return dW, dU, db


@compiled("the LSTM's loop forward")
def _forward(x, W, U, b, gates, c, a, h, rests, hard, n):  # type: ignore[no-untyped-def]
    """Fills gates, c, a and h."""
    for start in range(0, len(x), n):
        block = slice(start, min(start + n, len(x)))
        project(x[block], W, b, gates[block])
        for t in range(start, block.stop):
            add_product(h[t], U, gates[t])
            for row in range(len(h[t])):
                if rests.size and rests[t, row]:
                    h[t + 1, row], c[t + 1, row] = h[t, row], c[t, row]
                else:
                    _step(gates[t, row], c[t, row], c[t + 1, row], a[t, row], h[t + 1, row], hard)


@inlined
def _step(z, c, c_new, a, h_new, hard):  # type: ignore[no-untyped-def]
    """One row's step; the gates take the place of z. In three short loops: the processor looks ahead only so far."""
    H = len(c)
    i, f, g, o = z[:H], z[H : 2 * H], z[2 * H : 3 * H], z[3 * H :]
    for k in range(2 * H):
        z[k] = gate(z[k], hard)
    for k in range(H):
        g[k], o[k] = tanh(g[k]), gate(o[k], hard)
    for k in range(H):
        c_new[k] = f[k] * c[k] + i[k] * g[k]
        a[k] = tanh(c_new[k])
        h_new[k] = o[k] * a[k]


@compiled("the LSTM's loop backward")
def _backward(dy, dh, dc, gates, c, a, h, hard, x, Wᵀ, Uᵀ, rests, dz, dx, dW, dU, db):  # type: ignore[no-untyped-def]
    """Fills dx, dW, dU and db; leaves in dh and dc what reached h₀ and c₀. dz is for the steps of one block."""
    n = len(dz)
    for stop in range(len(x), 0, -n):
        block = slice(max(stop - n, 0), stop)
        for t in range(stop - 1, block.start - 1, -1):
            dz_t = dz[t - block.start]
            for row in range(len(dz_t)):
                if rests.size and rests[t, row]:
                    add_rest(dy[t, row], dh[row], dz_t[row])
                else:
                    _step_backward(dy[t, row], dh[row], dc[row], gates[t, row], c[t, row], a[t, row], hard, dz_t[row])
            add_product(dz_t, Uᵀ, dh)
        of_block = dz[: stop - block.start]
        project_back(of_block, x[block], Wᵀ, dx[block], dW, db)
        gather(h[block], of_block, dU)


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


loop = LSTM()
