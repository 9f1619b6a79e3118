"""The learning curve: loss and validation over training steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# Okabe and Ito's colours, which people with any colour vision tell apart; lines differ in style too.
BLUE, ORANGE, BLACK = "#0072B2", "#E69F00", "#000000"


def learning_curve(
    steps: Sequence[int],
    losses: Sequence[float],
    validation: Sequence[tuple[int, float]] = (),
    baseline: tuple[str, float] | None = None,
    unit: str = "loss",
    ax: Any = None,
) -> Any:
    """Draws the loss of each step with its running mean, and what the evaluations found.

    Args:
        steps: the numbers of the steps.
        losses: the loss of each, in `unit`.
        validation: pairs (step, value), in `unit` too.
        baseline: a name and a value to compare with, in `unit`.
        unit: the label of the vertical axis.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is not installed.

    Source of the colours: M. Okabe and K. Ito, Color Universal Design, 2008.
    """
    if ax is None:
        from matplotlib.figure import Figure  # not pyplot: no window, no state that anybody shares

        ax = Figure(figsize=(7, 4), layout="constrained").add_subplot()
    ax.plot(steps, losses, color=BLUE, alpha=0.25, linewidth=0.8, label="loss of each batch")
    ax.plot(steps, running_mean(losses), color=BLUE, label="running mean")
    if validation:
        at, values = zip(*validation, strict=True)
        ax.plot(at, values, color=ORANGE, linestyle="--", marker="o", label="validation")
    if baseline is not None:
        name, value = baseline
        ax.axhline(value, color=BLACK, linestyle=":", label=f"{name}: {value:.3g}")
    ax.set_xlabel("training step")
    ax.set_ylabel(unit)
    ax.legend()
    return ax


def running_mean(values: Sequence[float], window: int = 25) -> Any:
    """Returns the mean of each value with those before it, `window` at most; NaN does not count.

    >>> running_mean([1.0, 3.0, float("nan"), 5.0], window=2)
    array([1., 2., 3., 5.])
    """
    x = np.asarray(values, np.float64)
    known = np.isfinite(x)
    totals = np.concatenate([[0.0], np.where(known, x, 0.0).cumsum()])
    counts = np.concatenate([[0], known.cumsum()])
    begin = np.maximum(np.arange(len(x)) + 1 - window, 0)
    n = counts[1:] - counts[begin]
    return np.where(n > 0, (totals[1:] - totals[begin]) / np.maximum(n, 1), np.nan)
