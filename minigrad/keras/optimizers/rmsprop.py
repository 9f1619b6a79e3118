"""The optimizer RMSprop."""

from __future__ import annotations

from minigrad.engine.kinds import at_least_0, unit
from minigrad.engine.protocol import Array, Xp
from minigrad.keras.optimizers.arguments import learning_rate
from minigrad.keras.optimizers.base import Optimizer
from minigrad.layers.options import flag, option, optional, positive_int


class RMSprop(Optimizer):
    """RMSprop: gradient descent with each step divided by a running root mean square of the gradient.

        s ← ρ s + (1 − ρ) g²
        a ← ρ a + (1 − ρ) g              if centered; else a = 0
        Δ = η g / √(s − a² + ε)
        v ← μ v + Δ,   w ← w − v         with momentum μ

    Args:
        learning_rate: η, a number or a schedule.
        rho: ρ.
        momentum: μ.
        epsilon: ε.
        centered: whether to divide by the standard deviation instead of the root mean square.

    The other arguments are those of `Optimizer`.

    Source: Tieleman and Hinton, Lecture 6e of "Neural Networks for Machine Learning", 2012; centered: Graves,
    "Generating Sequences With Recurrent Neural Networks", 2013.
    """

    learning_rate: float = learning_rate(0.001)
    rho: float = option(unit, 0.9)
    momentum: float = option(unit, 0.0)
    epsilon: float = option(at_least_0, 1e-7)
    centered: bool = option(flag, False)
    ema_overwrite_frequency: int | None = option(optional(positive_int), 100)

    def slots(self) -> dict[str, float]:
        """Return s, a if centered and v with momentum, with their initial values."""
        return {"s": 0.0} | ({"a": 0.0} if self.centered else {}) | ({"v": 0.0} if self.momentum else {})

    def update(self, xp: Xp, g: Array, slots: dict[str, Array], rate: float, t: int) -> Array:
        """Return Δ, or v with momentum."""
        slots["s"] += (1.0 - self.rho) * (g * g - slots["s"])
        s = slots["s"]
        if self.centered:
            slots["a"] += (1.0 - self.rho) * (g - slots["a"])
            s = s - slots["a"] * slots["a"]
        step = rate * g / xp.sqrt(s + self.epsilon)
        if not self.momentum:
            return step
        slots["v"] *= self.momentum
        slots["v"] += step
        return slots["v"]
