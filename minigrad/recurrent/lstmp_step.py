"""One step of the LSTM with peepholes, projection and clipping, and its gradient derived by hand.

This is the first API generation's cell. Its gates stand in the order i, j, f, o (j is the candidate), its state is
(c, m), and one kernel K, rows [x; m], serves input and state. Everything in brackets is optional:

    z     = x K_x + m K_m + b                          z_i, z_j, z_f, z_o
    i     = σ(z_i [+ w_i ∘ c])                         peepholes: the gates see the cell
    f     = σ(z_f + forget_bias [+ w_f ∘ c])           the forget bias is added here, not stored in b
    j     = φ(z_j)
    c_new = f ∘ c + i ∘ j                              [clipped to ±cell_clip]
    o     = σ(z_o [+ w_o ∘ c_new])
    a     = φ(c_new)
    n     = o ∘ a
    m_new = n [P]                                      [projected, then clipped to ±proj_clip]

Backward, reading the same lines upwards. dc and dm are ∂loss/∂c_new and ∂loss/∂m_new as they arrive, and a clip lets
a gradient pass where it did not bite:

    dp    = dm [where |m_new| < proj_clip]             ∂loss/∂(n P)
    dn    = dp [Pᵀ]
    dz_o  = dn ∘ a ∘ σ′
    dc   += dn ∘ o ∘ φ′(c_new) [+ dz_o ∘ w_o]
    dc    = dc [where |c_new| < cell_clip]
    dz_i  = dc ∘ j ∘ σ′     dz_j = dc ∘ i ∘ φ′     dz_f = dc ∘ c ∘ σ′
    dm    = dz K_mᵀ                                    to the step before
    dc    = dc ∘ f [+ dz_i ∘ w_i + dz_f ∘ w_f]         to the step before; the peepholes are a second way

and after the loop:  dK = [x; m]ᵀ dz,  db = Σ dz,  dP = Σ nᵀ dp,  dw_i = Σ dz_i ∘ c,  dw_f = Σ dz_f ∘ c,
dw_o = Σ dz_o ∘ c_new.

Source: Gers and Schmidhuber, 2000, "Recurrent Nets that Time and Count" (peepholes); Sak et al., 2014, "Long
Short-Term Memory Recurrent Neural Network Architectures for Large Scale Acoustic Modeling" (projection).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from minigrad.backend.protocol import Array, Xp
from minigrad.ops.op import Op
from minigrad.ops.pointwise import Sigmoid, Tanh
from minigrad.recurrent.products import product, product_dW, product_dx
from minigrad.recurrent.step import State, Step, Weights

GATES = 4


class LSTMPWeights(NamedTuple):
    """The weights of the first generation's LSTM."""

    K: Array  # (features + outputs, 4 units), columns i, j, f, o
    b: Array  # (4 units,)
    w_f: Array | None = None  # (units,), the peepholes: all three or none
    w_i: Array | None = None
    w_o: Array | None = None
    P: Array | None = None  # (units, outputs)


class LSTMPKept(NamedTuple):
    """What one step keeps for its gradient, each (batch, units): five numbers a unit."""

    i: Array
    j: Array
    f: Array
    o: Array
    a: Array
    z_j: Array | None  # where the step is run again


class LSTMPGradient(NamedTuple):
    """What one step owes its weights."""

    z: Array  # (batch, 4 units)
    p: Array  # (batch, outputs): ∂loss/∂(n P)


@dataclass(eq=False)
class LSTMPStep(Step):
    """The step of `compat.v1.nn.rnn_cell.LSTMCell`. State: (c, m).

    Attributes:
        activation: φ.
        forget_bias: added to the forget gate's argument.
        cell_clip: c_new is clipped to ±cell_clip; None does not clip.
        proj_clip: the projection is clipped to ±proj_clip; None does not clip.
    """

    activation: type[Op] = Tanh
    forget_bias: float = 1.0
    cell_clip: float | None = None
    proj_clip: float | None = None
    name: ClassVar[str] = "lstmp"
    output: ClassVar[int] = 1
    states: ClassVar[tuple[str, ...]] = ("c", "m")
    gates: ClassVar[tuple[str, ...]] = ("i", "j", "f", "o")
    inner: ClassVar[tuple[str, ...]] = ("a",)

    @property
    def recomputes(self) -> bool:
        """Where φ′ cannot be told from its output."""
        return not self.activation.from_output

    def project(self, xp: Xp, x: Array, weights: Weights) -> Array:
        """Returns x K_x + b, (…, 4 units)."""
        w = LSTMPWeights(*weights)
        return product(xp, x, w.K[: x.shape[-1], :], None, GATES) + w.b

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, LSTMPKept]:
        """Returns (c_new, m_new), and the gates."""
        w = LSTMPWeights(*weights)
        φ = self.activation
        c, m = state
        K_m = w.K[w.K.shape[0] - m.shape[-1] :, :]
        z_i, z_j, z_f, z_o = xp.split(z + xp.matmul(m, K_m), GATES, -1)
        if w.w_i is not None:
            z_i, z_f = z_i + w.w_i * c, z_f + w.w_f * c
        i, f, j = Sigmoid.forward(xp, z_i), Sigmoid.forward(xp, z_f + self.forget_bias), φ.forward(xp, z_j)
        c_new = self.carousel(xp, c, i, j, f)
        o = Sigmoid.forward(xp, z_o if w.w_o is None else z_o + w.w_o * c_new)
        a = φ.forward(xp, c_new)
        m_new = o * a if w.P is None else xp.matmul(o * a, w.P)
        if w.P is not None and self.proj_clip is not None:
            m_new = xp.clip(m_new, -self.proj_clip, self.proj_clip)
        return (c_new, m_new), LSTMPKept(i, j, f, o, a, z_j if self.recomputes else None)

    def carousel(self, xp: Xp, c: Array, i: Array, j: Array, f: Array) -> Array:
        """Returns c_new, (batch, units): cheaper to compute again than to keep."""
        c_new = f * c + i * j
        return c_new if self.cell_clip is None else xp.clip(c_new, -self.cell_clip, self.cell_clip)

    def step_backward(
        self, xp: Xp, dstate: State, kept: LSTMPKept, state: State, weights: Weights
    ) -> tuple[LSTMPGradient, State]:
        """Returns dz and dp, and (dc, dm) for the step before."""
        w = LSTMPWeights(*weights)
        φ, σ = self.activation, Sigmoid
        i, j, f, o, a, z_j = kept
        (c, m), (dc, dm) = state, dstate
        c_new = self.carousel(xp, c, i, j, f)
        dp = dm
        if w.P is not None and self.proj_clip is not None:
            dp = where_inside(xp, dm, xp.matmul(o * a, w.P), self.proj_clip)
        dn = dp if w.P is None else xp.matmul(dp, xp.transpose(w.P))
        dz_o = σ.backward(xp, dn * a, o, None)
        dc = dc + φ.backward(xp, dn * o, a, c_new)
        if w.w_o is not None:
            dc = dc + dz_o * w.w_o
        dc = where_inside(xp, dc, c_new, self.cell_clip)
        dz_i, dz_j = σ.backward(xp, dc * j, i, None), φ.backward(xp, dc * i, j, z_j)
        dz_f = σ.backward(xp, dc * c, f, None)
        dz = xp.concat([dz_i, dz_j, dz_f, dz_o], -1)
        dm = product_dx(xp, dz, w.K[w.K.shape[0] - m.shape[-1] :, :], None, GATES)
        dc = dc * f
        if w.w_i is not None:
            dc = dc + dz_i * w.w_i + dz_f * w.w_f
        return LSTMPGradient(dz, dp), (dc, dm)

    def gather(
        self, xp: Xp, x: Array, states: Sequence[State], kept: Sequence[Any], dz: Sequence[Any], weights: Weights
    ) -> tuple[Array, Weights]:
        """Returns dx, and dK, db, dw_f, dw_i, dw_o, dP."""
        w = LSTMPWeights(*weights)
        all_dz, all_dp = zip(*dz, strict=True)
        dzs = xp.stack(all_dz)
        dx = product_dx(xp, dzs, w.K[: x.shape[-1], :], None, GATES)
        m = xp.stack([m for _, m in states])
        dK = xp.concat([product_dW(xp, x, dzs, None, GATES), product_dW(xp, m, dzs, None, GATES)], 0)
        db = xp.sum(dzs, (0, 1))
        dw_f = dw_i = dw_o = dP = None
        if w.w_i is not None:
            c_new = xp.stack([self.carousel(xp, c, k.i, k.j, k.f) for k, (c, _) in zip(kept, states, strict=True)])
            c = xp.stack([c for c, _ in states])
            dz_i, _, dz_f, dz_o = xp.split(dzs, GATES, -1)
            dw_f, dw_i, dw_o = (xp.sum(d * seen, (0, 1)) for d, seen in ((dz_f, c), (dz_i, c), (dz_o, c_new)))
        if w.P is not None:
            n = xp.stack([k.o * k.a for k in kept])
            dP = product_dW(xp, n, xp.stack(all_dp), None, 1)
        return dx, LSTMPWeights(dK, db, dw_f, dw_i, dw_o, dP)


def where_inside(xp: Xp, d: Array, clipped: Array, limit: float | None) -> Array:
    """The gradient through a clip to ±limit: it passes where the clip did not bite."""
    return d if limit is None else xp.where((clipped > -limit) & (clipped < limit), d, 0.0)
