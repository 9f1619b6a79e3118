"""The optimizers Adam and AdamW."""

from __future__ import annotations

from math import sqrt

from minigrad.engine.kinds import at_least_0, below_1
from minigrad.engine.protocol import Array, Xp
from minigrad.keras.optimizers.arguments import learning_rate
from minigrad.keras.optimizers.base import Optimizer
from minigrad.layers.options import flag, option, optional


class Adam(Optimizer):
    """Adam: running means of the gradient and of its square. Both start from 0, and η_t corrects that bias.

        m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
        η_t = η √(1 − β₂ᵗ) / (1 − β₁ᵗ)
        Δ = η_t m / (√v + ε)

    Args:
        learning_rate: η, a number or a schedule.
        beta_1: β₁.
        beta_2: β₂.
        epsilon: ε, the paper's "ε hat".
        amsgrad: whether Δ uses the largest v so far, so that no step grows.

    The other arguments are those of `Optimizer`.

    Source: Kingma and Ba, "Adam", 2015, just before §2.1; amsgrad: Reddi et al., "On the Convergence of Adam and
    Beyond", 2018.
    """

    learning_rate: float = learning_rate(0.001)
    beta_1: float = option(below_1, 0.9)
    beta_2: float = option(below_1, 0.999)
    epsilon: float = option(at_least_0, 1e-7)
    amsgrad: bool = option(flag, False)

    def slots(self) -> dict[str, float]:
        """Return m and v, and with `amsgrad` the largest v, with their initial values."""
        return {"m": 0.0, "v": 0.0} | ({"v_max": 0.0} if self.amsgrad else {})

    def update(self, xp: Xp, g: Array, slots: dict[str, Array], rate: float, t: int) -> Array:
        """Return Δ."""
        rate_t = rate * sqrt(1.0 - self.beta_2**t) / (1.0 - self.beta_1**t)
        fused = None if self.amsgrad else getattr(xp, "fused", {}).get("adam")
        if fused is not None and not fused.unsupported(g, slots["m"], slots["v"]):
            return fused(g, slots["m"], slots["v"], rate_t, self.beta_1, self.beta_2, self.epsilon)
        slots["m"] += (1.0 - self.beta_1) * (g - slots["m"])
        slots["v"] += (1.0 - self.beta_2) * (g * g - slots["v"])
        m, v = slots["m"], slots["v"]
        if self.amsgrad:
            v = slots["v_max"] = xp.maximum(slots["v_max"], v)
        return rate_t * m / (xp.sqrt(v) + self.epsilon)


class AdamW(Adam):
    """Adam with weight decay outside the gradient: w ← (1 − η λ) w − Δ.

    Args:
        weight_decay: λ.

    The other arguments are those of `Adam`.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.
    """

    weight_decay: float | None = option(optional(at_least_0), 0.004)
