"""Figures of a paper's rows: survival of trials, and published means against ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.papers.report import Line, name_of
from minigrad.papers.statistics import FACTOR, survival
from minigrad.plot import style
from minigrad.plot.alt import add_alt_text


def survival_curves(lines: Sequence[Line], ax: Any = None) -> Any:
    """Draw the part of trials that have not succeeded yet over the number of sequences, in published means.

    Trials that reach the cap, twice the published mean, stay to the right edge.

    Args:
        lines: the lines of the table, of one table or a few rows.
        ax: matplotlib axes to draw into; by default those of a new figure.
    """
    ax, parts = style.axes(ax), []
    for k, line in enumerate(lines):
        published, cap = line.milestone.published, line.milestone.cap
        times, left = survival(line.steps)
        x = [0.0, *(t / published for t in times), cap / published]
        y = [1.0, *left, left[-1] if left else 1.0]
        ax.step(x, y, where="post", label=name_of(line), **style.line_style(k, len(x)))
        found = line.summary
        parts.append(f"{name_of(line)}: {found.successes} of {found.trials} trials succeed before the cap.")
    ax.axvline(1.0, color=style.BLACK, linewidth=0.8, linestyle=":")
    ax.set(
        xlabel="sequences, in published means", ylabel="trials without success", ylim=(-0.03, 1.03), xlim=(0.0, FACTOR)
    )
    style.legend(ax)
    return add_alt_text(ax, "Survival of trials over sequences, in units of the published mean.", *parts)


def comparison(lines: Sequence[Line], ax: Any = None) -> Any:
    """Draw our means with their intervals against the published ones; the band is between half and twice.

    Args:
        lines: the lines of the table; those without a successful trial are left out.
        ax: matplotlib axes to draw into; by default those of a new figure.
    """
    ax = style.axes(ax, (7.0, 5.0))
    shown = [line for line in lines if line.summary.successes]
    ends = [1_000.0, 2_000_000.0]
    ax.fill_between(ends, [e / FACTOR for e in ends], [e * FACTOR for e in ends], color="0.9", label="half to twice")
    ax.plot(ends, ends, color=style.BLACK, linewidth=0.8)
    for whole, marker, label in ((True, "o", "all trials successful"), (False, "x", "some at the cap")):
        own = [line for line in shown if (line.summary.successes == line.summary.trials) == whole]
        if own:
            means = [line.summary.mean for line in own]
            errors = [
                [m - line.summary.low for m, line in zip(means, own, strict=True)],
                [line.summary.high - m for m, line in zip(means, own, strict=True)],
            ]
            at = [line.milestone.published for line in own]
            ax.errorbar(at, means, errors, fmt=marker, color=style.BLUE, label=label, capsize=2)
    ax.set(xlabel="published mean of sequences", ylabel="our mean of successful trials", xscale="log", yscale="log")
    style.legend(ax)
    words = [f"{name_of(line)}: {line.milestone.published:,} and {line.summary.mean:,.0f}." for line in shown]
    return add_alt_text(ax, "Our means over the published means, on logarithmic axes.", *words)
