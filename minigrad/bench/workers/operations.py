"""Cost of a small operation on the tape, by the names that minigrad and PyTorch share.

On arrays of sixteen numbers the arithmetic takes no time: the time is that of recording an operation and running its
backward rule. A contender passes ``m`` with ``m.tanh`` and ``m.leaf(values, shape)``, which returns a leaf with a
gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

CHAIN = 1000
TimedFunction = tuple[Callable[[], Any], int]
"""The function to time, and the number of operations in it."""


def chain(link: Callable[[Any, Any, Any], Any], around: float = 1.0) -> Callable[[Any], TimedFunction]:
    """Return a builder of a chain of a thousand operations, forward and backward; the time is per operation."""

    def build(m: Any) -> TimedFunction:
        x, w = leaf(m, 4, 4), leaf(m, 4, 4, around=around)

        def run() -> None:
            y = x
            for _ in range(CHAIN):
                y = link(m, y, w)
            y.sum().backward()
            x.grad = w.grad = None

        return run, CHAIN

    return build


def one(loss: Callable[[Any, Any], Any]) -> Callable[[Any], TimedFunction]:
    """Return a builder of one operation and its backward call, which includes the whole cost of a call."""

    def build(m: Any) -> TimedFunction:
        x = leaf(m, 4, 4)

        def run() -> None:
            loss(m, x).backward()
            x.grad = None

        return run, 1

    return build


def perceptron(m: Any) -> TimedFunction:
    """Return the gradients of a perceptron with a hidden layer: (32, 16) → 32 → 4."""
    x, target = leaf(m, 32, 16).detach(), leaf(m, 32, 4).detach()
    weights = [leaf(m, 16, 32), leaf(m, 32), leaf(m, 32, 4), leaf(m, 4)]

    def run() -> None:
        W1, b1, W2, b2 = weights
        y = m.tanh(x @ W1 + b1) @ W2 + b2
        ((y - target) * (y - target)).mean().backward()
        for w in weights:
            w.grad = None

    return run, 1


def leaf(m: Any, *shape: int, around: float = 1.0) -> Any:
    """Return a leaf of numbers near `around` that requires a gradient."""
    count = prod(shape)
    return m.leaf([around * (0.999 + 0.002 * k / count) for k in range(count)], shape)


MEASURES: dict[str, Callable[[Any], TimedFunction]] = {
    "1000 × tanh(y), each": chain(lambda m, y, w: m.tanh(y)),
    "1000 × y · w, each": chain(lambda m, y, w: y * w),
    "1000 × y + 1.0, each": chain(lambda m, y, w: y + 1.0),
    "1000 × y @ w, each": chain(lambda m, y, w: y @ w, around=0.25),
    "x.sum(), backward": one(lambda m, x: x.sum()),
    "tanh(x).sum(), backward": one(lambda m, x: m.tanh(x).sum()),
    "perceptron, gradients": perceptron,
}
SMALL = list(MEASURES)[:6]
"""The names of the measures of one operation."""
