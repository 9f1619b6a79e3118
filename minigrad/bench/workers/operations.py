"""What a small operation costs on the tape, in words that minigrad and PyTorch share.

On arrays of sixteen numbers the arithmetic is nothing, and the time is that of recording an operation and going back
through it. A contender hands in ``m`` with ``m.tanh`` and ``m.leaf(values, shape)``, a tensor that requires a gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

CHAIN = 1000
Built = tuple[Callable[[], Any], int]
"""What is to be timed, and how many operations it is."""


def chain(link: Callable[[Any, Any, Any], Any], around: float = 1.0) -> Callable[[Any], Built]:
    """A thousand small operations one after the other, forward and backward; counted for each."""

    def build(m: Any) -> Built:
        x, w = leaf(m, 4, 4), leaf(m, 4, 4, around=around)

        def run() -> None:
            y = x
            for _ in range(CHAIN):
                y = link(m, y, w)
            y.sum().backward()
            x.grad = w.grad = None

        return run, CHAIN

    return build


def one(loss: Callable[[Any, Any], Any]) -> Callable[[Any], Built]:
    """One operation and its backward call, with nothing to share what a call costs."""

    def build(m: Any) -> Built:
        x = leaf(m, 4, 4)

        def run() -> None:
            loss(m, x).backward()
            x.grad = None

        return run, 1

    return build


def perceptron(m: Any) -> Built:
    """The gradients of a perceptron with a hidden layer: (32, 16) → 32 → 4."""
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
    """Numbers near another that require a gradient."""
    count = prod(shape)
    return m.leaf([around * (0.999 + 0.002 * k / count) for k in range(count)], shape)


MEASURES: dict[str, Callable[[Any], Built]] = {
    "1000 × tanh(y), each": chain(lambda m, y, w: m.tanh(y)),
    "1000 × y · w, each": chain(lambda m, y, w: y * w),
    "1000 × y + 1.0, each": chain(lambda m, y, w: y + 1.0),
    "1000 × y @ w, each": chain(lambda m, y, w: y @ w, around=0.25),
    "x.sum(), backward": one(lambda m, x: x.sum()),
    "tanh(x).sum(), backward": one(lambda m, x: m.tanh(x).sum()),
    "perceptron, gradients": perceptron,
}
