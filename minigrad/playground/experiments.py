"""What to try in the playground: each sets the page, and says what is then to be seen."""

from __future__ import annotations

from dataclasses import dataclass

from minigrad.playground.networks import UNITS, X

T = len(X)
LAST = ((T - 1, 0, 1.0),)

Held = tuple[int, str, int, float]
"""Step, gate, unit, value, the step and the unit counted from 0."""


@dataclass(frozen=True)
class Experiment:
    """One thing to try.

    Attributes:
        key: a word for it.
        name: what stands on the button.
        text: what there is to see. Each of these sentences has a test.
        network: the key of the network.
        step: the step to look at, counted from 0.
        held: gates held at a value.
        asked: what the loss asks of h: step, unit, ∂loss/∂h.
    """

    key: str
    name: str
    text: str
    network: str
    step: int
    held: tuple[Held, ...] = ()
    asked: tuple[tuple[int, int, float], ...] = LAST


def everywhere(gate: str, value: float, units: tuple[int, ...] = tuple(range(UNITS))) -> tuple[Held, ...]:
    """Returns a gate held at one value at all steps."""
    return tuple((t, gate, u, value) for t in range(T) for u in units)


EXPERIMENTS = (
    Experiment(
        "memory",
        "Follow the memory",
        "The mark comes at step 3. There, and only there, the input gate of unit 1 is wide open, and its forget gate "
        "lets the old value go. Later the forget gate stays open: the gradient of h₈ comes back along the carousel to "
        "step 3, and ∂L/∂x₃ is by far the largest of all.",
        "trained",
        2,
    ),
    Experiment(
        "cut",
        "Close one forget gate",
        "f₆ of unit 1 is held at 0. Nothing passes it: the carousel of unit 1 brings no gradient to c₅. What is left "
        "goes round by h, and ∂L/∂x₃ falls to less than a tenth. The memory is lost as well: h₈ no longer says x₃.",
        "trained",
        5,
        ((5, "f", 0, 0.0),),
    ),
    Experiment(
        "fresh",
        "Before training",
        "Forget gates about three quarters open: each step passes on some of the gradient and keeps some back. Of what "
        "entered the memory at c₈, less than a twentieth comes to c₀.",
        "fresh",
        4,
    ),
    Experiment(
        "unbiased",
        "No forget bias",
        "Forget gates about half open: at each step about half of the gradient is lost, and hardly anything comes to "
        "c₀. That is why unit_forget_bias=True is the default.",
        "unbiased",
        4,
    ),
    Experiment(
        "open",
        "Open all forget gates",
        "f is held at 1 everywhere: whatever comes to c goes on to the step before, all of it. What h adds at each "
        "step has a sign of its own; no gate takes anything away.",
        "fresh",
        4,
        everywhere("f", 1.0),
    ),
    Experiment(
        "shut",
        "Shut the last output gate",
        "o₈ of unit 1, the one the loss looks at, is held at 0. Then h₈ is 0 whatever c₈ is, and no gradient gets in: "
        "all that follows is 0, however far the forget gates are open.",
        "fresh",
        7,
        ((7, "o", 0, 0.0),),
    ),
    Experiment(
        "unwritten",
        "Write nothing",
        "The input gates of unit 1 are held at 0, so its c stays 0. The carousel still carries the gradient back, "
        "but no weight learns: the way to g leads through i, and f and o have nothing to keep or to show.",
        "trained",
        2,
        everywhere("i", 0.0, (0,)),
    ),
    Experiment(
        "every",
        "Ask at every step",
        "The loss asks for h of unit 1 at each of the eight steps. Each hands in a gradient of its own, so no step is "
        "far from a loss, even where little comes through the gates.",
        "unbiased",
        4,
        asked=tuple((t, 0, 1.0) for t in range(T)),
    ),
)
