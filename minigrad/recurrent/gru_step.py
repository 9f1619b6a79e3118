"""One step of the gated recurrent unit, and its gradient derived by hand.

Forward, with σ the recurrent activation and φ the activation. Two variants differ in where the reset gate acts: on the
product h U (`reset_after`, Keras 2's default), or on h before it (the original).

    x W + b    = x_z, x_r, x_g                      and, with reset_after, h U + b_h = h_z, h_r, h_g
    z     = σ(x_z + h U_z)    r = σ(x_r + h U_r)    the gates: update, reset
    g     = φ(x_g + r ∘ h_g)                        the candidate; or φ(x_g + (r ∘ h) U_g)
    h_new = z ∘ h + (1 − z) ∘ g

Backward, dh being ∂loss/∂h_new as it arrives; s_z, s_r, s_g are the arguments of σ, σ and φ:

    ds_z  = dh ∘ (h − g) ∘ σ′       ds_g = dh ∘ (1 − z) ∘ φ′
    reset_after:   ds_r = ds_g ∘ h_g ∘ σ′           dh_g = ds_g ∘ r
                   dh   = dh ∘ z + [ds_z, ds_r, dh_g] Uᵀ
    else:          dk   = ds_g U_gᵀ   (k = r ∘ h)   ds_r = dk ∘ h ∘ σ′
                   dh   = dh ∘ z + dk ∘ r + [ds_z, ds_r] [U_z, U_r]ᵀ

Source: Cho et al., 2014, "Learning Phrase Representations using RNN Encoder–Decoder" (the original); the variant that
resets afterwards is cuDNN's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from minigrad.backend.protocol import Array, Xp
from minigrad.ops.op import Op
from minigrad.ops.pointwise import Sigmoid, Tanh
from minigrad.recurrent.products import product, product_dW, product_dx
from minigrad.recurrent.step import State, Step, Weights

GATES = 3


class GRUWeights(NamedTuple):
    """The weights of a GRU, columns in Keras' order z, r, g; and the dropout masks of one sequence."""

    W: Array  # (features, 3 units)
    U: Array  # (units, 3 units)
    b: Array | None = None  # (3 units,), of the input's product
    b_h: Array | None = None  # (3 units,), of the state's product; with reset_after only
    x_masks: Array | None = None  # (1 or 3, batch, features)
    h_masks: Array | None = None  # (1 or 3, batch, units)


class GRUKept(NamedTuple):
    """What one step keeps for its gradient, each (batch, units)."""

    z: Array
    r: Array
    g: Array
    k: Array  # h_g where the reset gate acts afterwards, else r ∘ h
    s: tuple[Array, ...]  # s_z, s_r, s_g, where the step is run again; else nothing


class GRUStep(Step):
    """The step of all Keras GRU cells. State: (h,).

    Args:
        activation: φ.
        recurrent_activation: σ.
        reset_after: does the reset gate act on h U, or on h?
        separate: one small product for each gate rather than one large one (``implementation=1``).
    """

    name: ClassVar[str] = "gru"
    states: ClassVar[tuple[str, ...]] = ("h",)
    gates: ClassVar[tuple[str, ...]] = ("z", "r", "g")

    def __init__(
        self,
        activation: type[Op] = Tanh,
        recurrent_activation: type[Op] = Sigmoid,
        reset_after: bool = True,
        separate: bool = False,
    ) -> None:
        self.activation, self.recurrent_activation, self.separate = activation, recurrent_activation, separate
        self.reset_after = reset_after

    @property
    def recomputes(self) -> bool:
        """Where a derivative cannot be told from its output."""
        return not (self.activation.from_output and self.recurrent_activation.from_output)

    def project(self, xp: Xp, x: Array, weights: Weights) -> Array:
        """Returns x W + b, (…, 3 units)."""
        w = GRUWeights(*weights)
        x_z = product(xp, x, w.W, w.x_masks, GATES, self.separate)
        return x_z if w.b is None else x_z + w.b

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, GRUKept]:
        """Returns (h_new,), and the gates."""
        w = GRUWeights(*weights)
        σ, φ = self.recurrent_activation, self.activation
        (h,) = state
        x_z, x_r, x_g = xp.split(z, GATES, -1)
        if self.reset_after:
            recurrent = product(xp, h, w.U, w.h_masks, GATES, self.separate)
            h_z, h_r, k = xp.split(recurrent if w.b_h is None else recurrent + w.b_h, GATES, -1)
            s_z, s_r = x_z + h_z, x_r + h_r
            z, r = σ.forward(xp, s_z), σ.forward(xp, s_r)
            s_g = x_g + r * k
        else:
            h_z, h_r, h_g = self._thinned(xp, h, w)
            U_z, U_r, U_g = xp.split(w.U, GATES, 1)
            s_z, s_r = x_z + xp.matmul(h_z, U_z), x_r + xp.matmul(h_r, U_r)
            z, r = σ.forward(xp, s_z), σ.forward(xp, s_r)
            k = r * h_g
            s_g = x_g + xp.matmul(k, U_g)
        g = φ.forward(xp, s_g)
        return (z * h + (1.0 - z) * g,), GRUKept(z, r, g, k, (s_z, s_r, s_g) if self.recomputes else ())

    def step_backward(
        self, xp: Xp, dstate: State, kept: GRUKept, state: State, weights: Weights
    ) -> tuple[tuple[Array, Array], State]:
        """Returns the gradients of x W + b and of h U, each (batch, 3 units), and (dh,) for the step before."""
        w = GRUWeights(*weights)
        σ, φ = self.recurrent_activation, self.activation
        z, r, g, k, s = kept
        s_z, s_r, s_g = s or (None,) * 3
        (h,), (dh,) = state, dstate
        ds_z = σ.backward(xp, dh * (h - g), z, s_z)
        ds_g = φ.backward(xp, dh * (1.0 - z), g, s_g)
        if self.reset_after:
            ds_r = σ.backward(xp, ds_g * k, r, s_r)
            dk = xp.concat([ds_z, ds_r, ds_g * r], -1)
            dh = dh * z + product_dx(xp, dk, w.U, w.h_masks, GATES)
            return (xp.concat([ds_z, ds_r, ds_g], -1), dk), (dh,)
        U_z, U_r, U_g = xp.split(w.U, GATES, 1)
        h_z, h_r, h_g = self._masks(xp, w)
        dk = xp.matmul(ds_g, xp.transpose(U_g))
        ds_r = σ.backward(xp, dk * h * h_g, r, s_r)
        dh = dh * z + dk * r * h_g
        dh = dh + xp.matmul(ds_z, xp.transpose(U_z)) * h_z + xp.matmul(ds_r, xp.transpose(U_r)) * h_r
        ds = xp.concat([ds_z, ds_r, ds_g], -1)
        return (ds, ds), (dh,)

    def gather(
        self, xp: Xp, x: Array, states: Sequence[State], kept: Sequence[Any], dz: Sequence[Any], weights: Weights
    ) -> tuple[Array, Weights]:
        """Returns dx, and dW, dU, db, db_h (and nothing for the masks)."""
        w = GRUWeights(*weights)
        h = xp.stack([h for (h,) in states])
        d_input, d_state = (xp.stack(parts) for parts in zip(*dz, strict=True))
        dx = product_dx(xp, d_input, w.W, w.x_masks, GATES)
        dW = product_dW(xp, x, d_input, w.x_masks, GATES)
        if self.reset_after:
            dU = product_dW(xp, h, d_state, w.h_masks, GATES)
        else:
            ds_z, ds_r, ds_g = xp.split(d_state, GATES, -1)
            h_z, h_r, _ = self._thinned(xp, h, w)
            k = xp.stack([step.k for step in kept])
            pairs = zip((h_z, h_r, k), (ds_z, ds_r, ds_g), strict=True)
            dU = xp.concat([product_dW(xp, seen, ds, None, 1) for seen, ds in pairs], -1)
        db = None if w.b is None else xp.sum(d_input, (0, 1))
        db_h = None if w.b_h is None else xp.sum(d_state, (0, 1))
        return dx, GRUWeights(dW, dU, db, db_h)

    def _masks(self, xp: Xp, w: GRUWeights) -> tuple[Array | float, ...]:
        """The three gates' dropout masks of h; 1 where there is none."""
        if w.h_masks is None:
            return 1.0, 1.0, 1.0
        masks: tuple[Array, ...] = xp.unstack(w.h_masks)
        return masks if len(masks) == GATES else masks * GATES

    def _thinned(self, xp: Xp, h: Array, w: GRUWeights) -> tuple[Array, ...]:
        """h as each of the three gates sees it."""
        return tuple(h * mask for mask in self._masks(xp, w))
