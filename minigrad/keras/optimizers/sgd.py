"""The optimizer SGD, stochastic gradient descent."""

from __future__ import annotations

from minigrad.engine.kinds import unit
from minigrad.engine.protocol import Array, Xp
from minigrad.keras.optimizers.arguments import learning_rate
from minigrad.keras.optimizers.base import Optimizer
from minigrad.layers.options import flag, option


class SGD(Optimizer):
    """Stochastic gradient descent, with optional momentum.

        w ← w − η g                      without momentum
        v ← μ v + η g,   w ← w − v       with momentum μ
        w ← w − (μ v + η g)              with Nesterov momentum, where v is the new one

    Args:
        learning_rate: η, a number or a schedule.
        momentum: μ.
        nesterov: whether to use Nesterov momentum.

    The other arguments are those of `Optimizer`.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
    """

    learning_rate: float = learning_rate(0.01)
    momentum: float = option(unit, 0.0)
    nesterov: bool = option(flag, False)

    def slots(self) -> dict[str, float]:
        """Return v and its initial value, if there is momentum."""
        return {"v": 0.0} if self.momentum else {}

    def update(self, xp: Xp, g: Array, slots: dict[str, Array], rate: float, t: int) -> Array:
        """Return Δ."""
        step = rate * g
        if not self.momentum:
            return step
        slots["v"] *= self.momentum
        slots["v"] += step
        return self.momentum * slots["v"] + step if self.nesterov else slots["v"]
