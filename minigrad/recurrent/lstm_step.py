"""One step of the LSTM, and its gradient derived by hand.

Forward, with σ the recurrent activation and φ the activation, z split into four parts of `units` columns:

    z     = x W + b + h U                         z_i, z_f, z_g, z_o
    i     = σ(z_i)    f = σ(z_f)    o = σ(z_o)    the gates: input, forget, output
    g     = φ(z_g)                                the candidate (Keras calls it c̃)
    c_new = f ∘ c + i ∘ g                         the carousel: what is kept, plus what is let in
    a     = φ(c_new)
    h_new = o ∘ a

Backward, reading the same lines upwards. dh and dc are ∂loss/∂h_new and ∂loss/∂c_new as they arrive:

    do    = dh ∘ a
    dc   += dh ∘ o ∘ φ′(c_new)                    what reached c_new through h_new
    df    = dc ∘ c      di = dc ∘ g      dg = dc ∘ i
    dz_i  = di ∘ σ′     dz_f = df ∘ σ′   dz_g = dg ∘ φ′    dz_o = do ∘ σ′
    dh    = dz Uᵀ                                 ∂loss/∂h: to the step before, through all four gates
    dc    = dc ∘ f                                ∂loss/∂c: to the step before, through the forget gate alone

and after the loop over time, summed over steps and rows:  dW = xᵀ dz,  dU = hᵀ dz,  db = Σ dz,  dx = dz Wᵀ.

Source: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory"; with the forget gate of Gers et al., 1999.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from minigrad.backend.protocol import Array, Xp
from minigrad.ops.op import Op
from minigrad.ops.pointwise import Sigmoid, Tanh
from minigrad.recurrent.products import product, product_dW, product_dx
from minigrad.recurrent.step import State, Step, Weights

GATES = 4


class LSTMWeights(NamedTuple):
    """The weights of an LSTM, columns in Keras' order i, f, g, o; and the dropout masks of one sequence."""

    W: Array  # (features, 4 units)
    U: Array  # (units, 4 units)
    b: Array | None = None  # (4 units,)
    x_masks: Array | None = None  # (1 or 4, batch, features)
    h_masks: Array | None = None  # (1 or 4, batch, units)


class LSTMKept(NamedTuple):
    """What one step keeps for its gradient, each (batch, units): five numbers a unit."""

    i: Array
    f: Array
    g: Array
    o: Array
    a: Array  # φ(c_new)
    z: tuple[Array, ...]  # z_i, z_f, z_g, z_o and c_new, where the step is run again; else nothing


class LSTMStep(Step):
    """The step of all Keras LSTM cells. State: (h, c).

    Args:
        activation: φ.
        recurrent_activation: σ.
        separate: one small product for each gate rather than one large one (``implementation=1``).
    """

    name: ClassVar[str] = "lstm"
    states: ClassVar[tuple[str, ...]] = ("h", "c")
    gates: ClassVar[tuple[str, ...]] = ("i", "f", "g", "o")
    inner: ClassVar[tuple[str, ...]] = ("a",)

    def __init__(
        self, activation: type[Op] = Tanh, recurrent_activation: type[Op] = Sigmoid, separate: bool = False
    ) -> None:
        self.activation, self.recurrent_activation, self.separate = activation, recurrent_activation, separate

    @property
    def recomputes(self) -> bool:
        """Where a derivative cannot be told from its output."""
        return not (self.activation.from_output and self.recurrent_activation.from_output)

    def project(self, xp: Xp, x: Array, weights: Weights) -> Array:
        """Returns z = x W + b, (…, 4 units)."""
        w = LSTMWeights(*weights)
        z = product(xp, x, w.W, w.x_masks, GATES, self.separate)
        return z if w.b is None else z + w.b

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, LSTMKept]:
        """Returns (h_new, c_new), and the gates."""
        w = LSTMWeights(*weights)
        σ, φ = self.recurrent_activation, self.activation
        h, c = state
        z_i, z_f, z_g, z_o = xp.split(z + product(xp, h, w.U, w.h_masks, GATES, self.separate), GATES, -1)
        i, f, g, o = σ.forward(xp, z_i), σ.forward(xp, z_f), φ.forward(xp, z_g), σ.forward(xp, z_o)
        c_new = f * c + i * g
        a = φ.forward(xp, c_new)
        h_new = o * a
        return (h_new, c_new), LSTMKept(i, f, g, o, a, (z_i, z_f, z_g, z_o, c_new) if self.recomputes else ())

    def step_backward(
        self, xp: Xp, dstate: State, kept: LSTMKept, state: State, weights: Weights
    ) -> tuple[Array, State]:
        """Returns dz, (batch, 4 units), and (dh, dc) for the step before."""
        w = LSTMWeights(*weights)
        σ, φ = self.recurrent_activation, self.activation
        i, f, g, o, a, z = kept
        z_i, z_f, z_g, z_o, c_new = z or (None,) * 5
        _, c = state
        dh, dc = dstate
        do = dh * a
        dc = dc + φ.backward(xp, dh * o, a, c_new)
        df, di, dg = dc * c, dc * g, dc * i
        dz_i, dz_f = σ.backward(xp, di, i, z_i), σ.backward(xp, df, f, z_f)
        dz_g, dz_o = φ.backward(xp, dg, g, z_g), σ.backward(xp, do, o, z_o)
        dz = xp.concat([dz_i, dz_f, dz_g, dz_o], -1)
        return dz, (product_dx(xp, dz, w.U, w.h_masks, GATES), dc * f)

    def gather(
        self, xp: Xp, x: Array, states: Sequence[State], kept: Sequence[LSTMKept], dz: Sequence[Array], weights: Weights
    ) -> tuple[Array, Weights]:
        """Returns dx, and dW, dU, db (and nothing for the masks)."""
        w = LSTMWeights(*weights)
        h, dzs = xp.stack([h for h, _ in states]), xp.stack(dz)
        dx = product_dx(xp, dzs, w.W, w.x_masks, GATES)
        dW = product_dW(xp, x, dzs, w.x_masks, GATES)
        dU = product_dW(xp, h, dzs, w.h_masks, GATES)
        return dx, LSTMWeights(dW, dU, None if w.b is None else xp.sum(dzs, (0, 1)))
