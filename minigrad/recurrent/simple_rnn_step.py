"""One step of the simple recurrent net, and its gradient derived by hand.

    s     = x W + b + h U          ds = dh ∘ φ′(s)          dh being ∂loss/∂h_new as it arrives
    h_new = φ(s)                   dh = ds Uᵀ               to the step before

Source: Elman, 1990, "Finding Structure in Time".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from minigrad.backend.protocol import Array, Xp
from minigrad.ops.op import Op
from minigrad.ops.pointwise import Tanh
from minigrad.recurrent.products import product, product_dW, product_dx
from minigrad.recurrent.step import State, Step, Weights


class SimpleRNNWeights(NamedTuple):
    """The weights of a simple recurrent net, and the dropout masks of one sequence."""

    W: Array  # (features, units)
    U: Array  # (units, units)
    b: Array | None = None  # (units,)
    x_masks: Array | None = None  # (1, batch, features)
    h_masks: Array | None = None  # (1, batch, units)


class SimpleRNNKept(NamedTuple):
    """What one step keeps for its gradient, each (batch, units)."""

    h_new: Array
    s: Array | None  # only where φ′ cannot be told from h_new


class SimpleRNNStep(Step):
    """The step of all Keras SimpleRNN cells. State: (h,).

    Args:
        activation: φ.
    """

    name: ClassVar[str] = "simple_rnn"
    states: ClassVar[tuple[str, ...]] = ("h",)
    gates: ClassVar[tuple[str, ...]] = ("h_new",)

    def __init__(self, activation: type[Op] = Tanh) -> None:
        self.activation = activation

    def project(self, xp: Xp, x: Array, weights: Weights) -> Array:
        """Returns x W + b, (…, units)."""
        w = SimpleRNNWeights(*weights)
        s = product(xp, x, w.W, w.x_masks, 1)
        return s if w.b is None else s + w.b

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, SimpleRNNKept]:
        """Returns (h_new,)."""
        w = SimpleRNNWeights(*weights)
        (h,) = state
        s = z + product(xp, h, w.U, w.h_masks, 1)
        h_new = self.activation.forward(xp, s)
        return (h_new,), SimpleRNNKept(h_new, None if self.activation.from_output else s)

    def step_backward(
        self, xp: Xp, dstate: State, kept: SimpleRNNKept, state: State, weights: Weights
    ) -> tuple[Array, State]:
        """Returns ds, (batch, units), and (dh,) for the step before."""
        w = SimpleRNNWeights(*weights)
        (dh,) = dstate
        ds = self.activation.backward(xp, dh, kept.h_new, kept.s)
        return ds, (product_dx(xp, ds, w.U, w.h_masks, 1),)

    def gather(
        self, xp: Xp, x: Array, states: Sequence[State], kept: Sequence[Any], dz: Sequence[Array], weights: Weights
    ) -> tuple[Array, Weights]:
        """Returns dx, and dW, dU, db (and nothing for the masks)."""
        w = SimpleRNNWeights(*weights)
        h, ds = xp.stack([h for (h,) in states]), xp.stack(dz)
        dx = product_dx(xp, ds, w.W, w.x_masks, 1)
        dW = product_dW(xp, x, ds, w.x_masks, 1)
        dU = product_dW(xp, h, ds, w.h_masks, 1)
        return dx, SimpleRNNWeights(dW, dU, None if w.b is None else xp.sum(ds, (0, 1)))
