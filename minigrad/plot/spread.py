"""The spread of repeated trials: every value, the median and the quartiles of each group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.engine.arguments import dictionary, number, text
from minigrad.engine.errors import ShapeError, shown
from minigrad.plot import style
from minigrad.plot.alt import add_alt_text
from minigrad.plot.style import BLACK, BLUE, VERMILION
from minigrad.plot.view import to_host


def spread(
    groups: Mapping[str, Sequence[float]], unit: str, baseline: tuple[str, float] | None = None, ax: Any = None
) -> Any:
    """Draw the values of repeated trials, group by group.

    Args:
        groups: for each group, by its name, the values of its trials; a group may have none yet.
        unit: the label of the vertical axis.
        baseline: a name and a value to compare with.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is not installed.
        ShapeError: a group's values are not a list of numbers.
    """
    text("spread: `unit`", unit)
    values = {name: to_host(v, "spread: `groups`") for name, v in dictionary("spread: `groups`", dict(groups)).items()}
    for name, own in values.items():
        if own.ndim != 1:
            raise ShapeError(f"spread: expected `groups`, a list of numbers for {name!r}, got {shown(groups[name])}.")
    ax = style.axes(ax, (max(4.0, 1.6 + 1.1 * len(values)), 4.0))
    for k, own in enumerate(values.values()):
        if not own.size:
            continue
        offsets = np.linspace(-0.22, 0.22, own.size) if own.size > 1 else np.zeros(1)
        ax.plot(k + offsets, own, "o", color=BLUE, alpha=0.5, markersize=4, label="a trial" if k == 0 else None)
        q1, median, q3 = np.percentile(own, [25, 50, 75])
        ax.plot([k - 0.3, k + 0.3], [median] * 2, color=VERMILION, linewidth=2.5, label="median" if k == 0 else None)
        ax.bar(k, q3 - q1, 0.6, q1, color=VERMILION, alpha=0.2, label="first to third quartile" if k == 0 else None)
    if baseline is not None:
        level = number("spread: `baseline`", baseline[1])
        ax.axhline(level, color=BLACK, linestyle=":", label=f"{baseline[0]}: {level:.3g}")
    ax.set_xticks(range(len(values)), list(values))
    ax.set_xlim(-0.6, len(values) - 0.4)
    ax.set_ylabel(unit)
    style.legend(ax)
    return add_alt_text(ax, *_words(values, unit, baseline))


def _words(values: Mapping[str, Any], unit: str, baseline: tuple[str, float] | None) -> Iterator[str]:
    """The alt text."""
    yield f"Points: {unit} of repeated trials, one column for each group, with median and quartiles."
    for name, own in values.items():
        if own.size:
            q1, median, q3 = np.percentile(own, [25, 50, 75])
            yield f"{name}: {own.size} trials, median {median:.3g}, quartiles {q1:.3g} and {q3:.3g}."
    if baseline is not None:
        yield f"A dotted line marks the {baseline[0]}, {baseline[1]:.3g}."
