"""The learning curve: loss and validation over training steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.engine.arguments import number, text
from minigrad.engine.errors import OptionError, ShapeError, shown
from minigrad.plot import style
from minigrad.plot.alt import add_alt_text
from minigrad.plot.style import BLACK, BLUE
from minigrad.plot.view import to_host


def learning_curve(
    steps: Sequence[int],
    losses: Sequence[float],
    validation: Sequence[tuple[int, float]] = (),
    baseline: tuple[str, float] | None = None,
    unit: str = "loss",
    ax: Any = None,
) -> Any:
    """Draw the loss of each step with its running mean, and the results of evaluations.

    Args:
        steps: the numbers of the steps.
        losses: the loss of each step, in `unit`.
        validation: pairs (step, value), in `unit`.
        baseline: a name and a value to compare with, in `unit`.
        unit: the label of the vertical axis.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is not installed.
        ShapeError: there is not one loss for each step.
    """
    numbers = to_host(steps, "learning_curve: `steps`"), to_host(losses, "learning_curve: `losses`")
    if numbers[0].shape != numbers[1].shape or numbers[0].ndim != 1:
        shapes = " and ".join(str(each.shape) for each in numbers)
        raise ShapeError(f"learning_curve: expected as many `losses` as `steps`, (steps,), got shapes {shapes}.")
    points = to_host(validation, "learning_curve: `validation`")
    if points.shape != (0,) and (points.ndim != 2 or points.shape[1] != 2):
        raise ShapeError(f"learning_curve: expected `validation`, a list of (step, loss), got shape {points.shape}.")
    pair: Any = baseline
    if pair is not None and not (isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[0], str)):
        raise OptionError(f"learning_curve: expected `baseline`, a pair (name, value), got {shown(baseline)}.")
    text("learning_curve: `unit`", unit)
    ax = style.axes(ax)
    ax.plot(*numbers, color=BLUE, alpha=0.25, linewidth=0.8, label="loss of each batch")
    ax.plot(numbers[0], running_mean(losses), label="running mean", **style.line_style(0, len(numbers[0])))
    if points.size:
        at, values = points[:, 0], points[:, 1]
        ax.plot(at, values, label="validation", **style.line_style(1, len(at)))
    if baseline is not None:
        name, value = baseline[0], number("learning_curve: `baseline`", baseline[1])
        ax.axhline(value, color=BLACK, linestyle=":", label=f"{name}: {value:.3g}")
    ax.set_xlabel("training step")
    ax.set_ylabel(unit)
    style.legend(ax)
    return add_alt_text(ax, *_words(steps, losses, validation, baseline, unit))


def _words(
    steps: Sequence[int],
    losses: Sequence[float],
    validation: Sequence[tuple[int, float]],
    baseline: tuple[str, float] | None,
    unit: str,
) -> Iterator[str]:
    """The alt text."""
    mean = running_mean(losses)
    known = mean[np.isfinite(mean)]
    course = f"from {known[0]:.3g} to {known[-1]:.3g}" if known.size else "is nowhere finite"
    yield f"Lines: {unit} over {len(steps)} training steps. The running mean of the loss goes {course}."
    if len(validation):
        step, best = min(validation, key=lambda pair: pair[1])
        first, last = validation[0][1], validation[-1][1]
        yield f"Validation: {first:.3g} at first, {last:.3g} at last, {best:.3g} at step {step} the lowest."
    if baseline is not None:
        yield f"A dotted line marks the {baseline[0]}, {baseline[1]:.3g}."


def running_mean(values: Sequence[float], window: int = 25) -> Any:
    """Return the mean of each value and those before it, at most `window` values; NaN does not count.

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
