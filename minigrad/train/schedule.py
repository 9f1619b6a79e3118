"""The learning rate: up in a straight line, down in half a cosine."""

from __future__ import annotations

import math


def learning_rate(step: int, steps: int, peak: float, warmup: int, final: float) -> float:
    """Returns the learning rate of a step.

        η(t) = peak · t / warmup                                  for t ≤ warmup
        η(t) = peak · (final + (1 − final) · (1 + cos π s) / 2),  s = (t − warmup) / (steps − warmup)

    Args:
        step: t, counted from 1.
        steps: how many there will be.
        peak: the rate at the end of the warm-up.
        warmup: the steps of the warm-up; at most a tenth of all steps are used for it.
        final: the rate of the last step as a share of `peak`.

    Source: I. Loshchilov and F. Hutter, SGDR, 2017, §3, without restarts.

    >>> [round(learning_rate(t, 100, 1.0, 10, 0.0), 3) for t in (1, 10, 55, 100)]
    [0.1, 1.0, 0.5, 0.0]
    """
    warmup = min(warmup, steps // 10)
    if step <= warmup:
        return peak * step / warmup
    share = min(1.0, (step - warmup) / (steps - warmup))
    return peak * (final + (1 - final) * (1 + math.cos(math.pi * share)) / 2)
