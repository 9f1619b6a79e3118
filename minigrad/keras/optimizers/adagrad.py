"""The optimizer Adagrad."""

from __future__ import annotations

from minigrad.engine.kinds import at_least_0
from minigrad.engine.protocol import Array, Xp
from minigrad.keras.optimizers.arguments import learning_rate
from minigrad.keras.optimizers.base import Optimizer
from minigrad.layers.options import option


class Adagrad(Optimizer):
    """Adagrad: gradient descent with each step divided by the root of the sum of all squared gradients so far.

        s ← s + g²,   Δ = η g / √(s + ε)

    Args:
        learning_rate: η, a number or a schedule. The paper's own form is 1.0.
        initial_accumulator_value: the initial s.
        epsilon: ε.

    The other arguments are those of `Optimizer`.

    Source: Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011.
    """

    learning_rate: float = learning_rate(0.001)
    initial_accumulator_value: float = option(at_least_0, 0.1)
    epsilon: float = option(at_least_0, 1e-7)

    def slots(self) -> dict[str, float]:
        """Return s and its initial value."""
        return {"s": self.initial_accumulator_value}

    def update(self, xp: Xp, g: Array, slots: dict[str, Array], rate: float, t: int) -> Array:
        """Return Δ."""
        slots["s"] += g * g
        return rate * g / xp.sqrt(slots["s"] + self.epsilon)
