"""Adagrad."""

from __future__ import annotations

from minigrad.engine.protocol import Array, Xp
from minigrad.keras.bounds import at_least_0
from minigrad.keras.optimizers.arguments import learning_rate
from minigrad.keras.optimizers.base import Optimizer
from minigrad.layers.options import option


class Adagrad(Optimizer):
    """Each number's step is divided by the root of the sum of all its squared gradients so far.

        s ← s + g²,   Δ = η g / √(s + ε)

    Args:
        learning_rate: η, a number or a schedule. The paper's own form is 1.0.
        initial_accumulator_value: what s starts from.
        epsilon: ε.

    The arguments that follow are those of `Optimizer`.

    Source: Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011.
    """

    learning_rate: float = learning_rate(0.001)
    initial_accumulator_value: float = option(at_least_0, 0.1)
    epsilon: float = option(at_least_0, 1e-7)

    def slots(self) -> dict[str, float]:
        """s."""
        return {"s": self.initial_accumulator_value}

    def update(self, xp: Xp, g: Array, slots: dict[str, Array], rate: float, t: int) -> Array:
        """Return Δ."""
        slots["s"] += g * g
        return rate * g / xp.sqrt(slots["s"] + self.epsilon)
