"""Experiments of the playground: settings of the page, and texts that describe the result."""

from __future__ import annotations

from dataclasses import dataclass

from minigrad.playground.networks import UNITS, X

T = len(X)
LAST = ((T - 1, 0, 1.0),)

Held = tuple[int, str, int, float]
"""Step, gate, unit and value; steps and units count from 0."""


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        key: a short name for the code.
        name: the label of the button.
        text: a description of the result. Each of these sentences has a test.
        network: the key of the network.
        step: the step shown in numbers, counted from 0.
        held: gates held at a value.
        loss_weights: the weights of h in the loss: step, unit, weight.
    """

    key: str
    name: str
    text: str
    network: str
    step: int
    held: tuple[Held, ...] = ()
    loss_weights: tuple[tuple[int, int, float], ...] = LAST


def everywhere(gate: str, value: float, units: tuple[int, ...] = tuple(range(UNITS))) -> tuple[Held, ...]:
    """Return a gate held at one value at all steps."""
    return tuple((t, gate, u, value) for t in range(T) for u in units)


EXPERIMENTS = (
    Experiment(
        "memory",
        "Follow the memory",
        "The mark comes at step 3. There, and only there, the input gate of unit 1 is wide open, and its forget gate "
        "drops the old value. Later the forget gate stays open: the gradient of h₈ flows back along the carousel to "
        "step 3, and ∂L/∂x₃ is by far the largest of all.",
        "trained",
        2,
    ),
    Experiment(
        "cut",
        "Close one forget gate",
        "f₆ of unit 1 is held at 0. Nothing passes it: no gradient reaches c₅ of unit 1 along the carousel. The rest "
        "flows through h, and ∂L/∂x₃ falls to less than a tenth. The memory is lost as well: h₈ no longer holds x₃.",
        "trained",
        5,
        ((5, "f", 0, 0.0),),
    ),
    Experiment(
        "fresh",
        "Before training",
        "Forget gates about three quarters open: each step passes on some of the gradient and blocks some. Of the "
        "gradient that enters the memory at c₈, less than a twentieth reaches c₀.",
        "fresh",
        4,
    ),
    Experiment(
        "unbiased",
        "No forget bias",
        "Forget gates about half open: at each step about half of the gradient is lost, and hardly any reaches "
        "c₀. That is why unit_forget_bias=True is the default.",
        "unbiased",
        4,
    ),
    Experiment(
        "open",
        "Open all forget gates",
        "f is held at 1 everywhere: the whole gradient of c flows to the step before. The gradient that h adds at each "
        "step has either sign; no gate removes any.",
        "fresh",
        4,
        everywhere("f", 1.0),
    ),
    Experiment(
        "shut",
        "Shut the last output gate",
        "o₈ of unit 1, the unit in the loss, is held at 0. Then h₈ is 0 for any c₈, and no gradient enters: all "
        "gradients before it are 0, however far the forget gates are open.",
        "fresh",
        7,
        ((7, "o", 0, 0.0),),
    ),
    Experiment(
        "unwritten",
        "Write nothing",
        "The input gates of unit 1 are held at 0, so its c stays 0. The carousel still carries the gradient back, "
        "but no weight learns: the path to g leads through i, and f and o multiply a state of 0.",
        "trained",
        2,
        everywhere("i", 0.0, (0,)),
    ),
    Experiment(
        "every",
        "A loss at every step",
        "The loss depends on h of unit 1 at each of the eight steps. Each adds a gradient, so no step is far from a "
        "loss, even if little passes the gates.",
        "unbiased",
        4,
        loss_weights=tuple((t, 0, 1.0) for t in range(T)),
    ),
)
