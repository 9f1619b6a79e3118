"""Figures of a paper's rows: survival of trials, and published means compared with ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.papers.report import Line, name_of
from minigrad.papers.statistics import FACTOR, survival
from minigrad.plot import style
from minigrad.plot.alt import add_alt_text

ROW_HEIGHT = 0.21  # inches, of a line of `comparison`


def survival_curves(lines: Sequence[Line], ax: Any = None) -> Any:
    """Draw the part of trials that have not succeeded yet over the number of sequences, in published means.

    Trials that reach the cap, twice the published mean, stay to the right edge.

    Args:
        lines: the lines of the table, of one table or a few rows.
        ax: matplotlib axes to draw into; by default those of a new figure.
    """
    ax, parts = style.axes(ax, (7.0, max(3.2, 1.2 + 0.36 * len(lines)))), []
    for k, line in enumerate(lines):
        published, cap = line.milestone.published, line.milestone.cap
        times, left = survival(line.steps)
        x = [0.0, *(t / published for t in times), cap / published]
        y = [1.0, *left, left[-1] if left else 1.0]
        found = line.summary
        label = f"{name_of(line)}: {found.successes} of {found.trials}"
        ax.step(x, y, where="post", label=label, **style.line_style(k, len(x)))
        parts.append(f"{name_of(line)}: {found.successes} of {found.trials} trials succeed before the cap.")
    ax.axvline(1.0, color=style.BLACK, linewidth=0.8, linestyle=":")
    ax.set(
        xlabel="sequences, in published means", ylabel="part of trials without success", ylim=(-0.03, 1.03),
        xlim=(0.0, FACTOR),
    )  # fmt: skip
    style.legend(ax)
    return add_alt_text(ax, "Survival of trials over sequences, in units of the published mean.", *parts)


def comparison(lines: Sequence[Line], ax: Any = None) -> Any:
    """Draw the published mean of each line and ours with its interval, one below the other, on a logarithmic axis.

    The bar of a line reaches from half to twice the published mean.

    Args:
        lines: the lines of the table.
        ax: matplotlib axes to draw into; by default those of a new figure.
    """
    ax = style.axes(ax, (7.2, 1.4 + ROW_HEIGHT * len(lines)))
    for y, line in enumerate(lines):
        published, width = line.milestone.published, 0.72
        ax.barh(y, published * (FACTOR - 1 / FACTOR), width, published / FACTOR, color="0.88", label="half to twice")
        ax.plot([published] * 2, [y - width / 2, y + width / 2], color=style.BLACK, linewidth=2.0, label="published")
        _ours(ax, y, line)
    names = [f"{line.row.table}: {name_of(line)}" for line in lines]
    ax.set_yticks(range(len(lines)), names, fontsize=8)
    ends = [end for line in lines for end in (line.milestone.published, line.milestone.cap)]
    ax.set(xlabel="mean number of training sequences", xscale="log", ylim=(len(lines) - 0.4, -0.6))
    ax.set_xlim(min(ends) / FACTOR / 1.3, max(ends) * 1.3)
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    found = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    ax.figure.legend(found.values(), found.keys(), loc="outside upper left", ncols=3, frameon=False, fontsize=8)
    return add_alt_text(ax, "The published mean of each row, and ours, on a logarithmic axis.", *map(_words, lines))


def _ours(ax: Any, y: float, line: Line) -> None:
    """Draw our mean with its interval; a cross at the cap if no trial succeeded."""
    found = line.summary
    if not found.successes:
        ax.plot([line.milestone.cap], [y], "x", color=style.VERMILION, label="ours: none succeeded by the cap")
        return
    whole = found.successes == found.trials
    label = "ours: all trials succeeded" if whole else "ours: some reached the cap"
    colour, fill = (style.BLUE, style.BLUE) if whole else (style.VERMILION, "white")
    ax.errorbar(
        [found.mean], [y], None, [[found.mean - found.low], [found.high - found.mean]], fmt="o", capsize=2.5,
        color=colour, markerfacecolor=fill, markersize=5, linewidth=1.4, label=label,
    )  # fmt: skip


def _words(line: Line) -> str:
    """Return a line of the comparison in words."""
    found, published = line.summary, line.milestone.published
    name = f"Table {line.row.table}, {name_of(line)}: published {published:,}, ours"
    if not found.successes:
        return f"{name} none of {found.trials}."
    return f"{name} {found.mean:,.0f} ({found.low:,.0f} to {found.high:,.0f}), {found.successes} of {found.trials}."
