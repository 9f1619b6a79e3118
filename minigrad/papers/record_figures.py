"""Figures of a recorded run: learning curves, growth of the state, and the gates of one sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.plot import style
from minigrad.plot.alt import add_alt_text, range_text

Record = Mapping[str, Any]
NEAR = 0.05  # of the sequence
GATES = {"y_in": ("input gates", "0 closed, 1 open"), "y_out": ("output gates", "0 closed, 1 open")}


def learning_curves(records: Sequence[Record], ax: Any = None) -> Any:
    """Draw the mean error of a sequence over the number of sequences, in published means, one line for each task.

    Args:
        records: the nets of a recorded run.
        ax: matplotlib axes to draw into; by default those of a new figure.
    """
    ax, parts = style.axes(ax), []
    for k, one in enumerate(records):
        seen, errors = np.array(one["curve"]).T
        ax.plot(seen / one["published"], errors, label=one["task"], **style.line_style(k, len(seen)))
        parts.append(f"{one['task']}: from {errors[0]:.3g} to {errors[-1]:.3g}.")
    ax.axvline(1.0, color=style.BLACK, linewidth=0.8, linestyle=":")
    ax.set(
        xlabel="sequences, in published means", ylabel="error of a sequence, Σ |y − t|", yscale="log", xlim=(0.0, None)
    )
    style.legend(ax)
    return add_alt_text(ax, "Errors of one net of each task during learning, on a logarithmic axis.", *parts)


def state_growth(records: Sequence[Record], ax: Any = None) -> Any:
    """Draw the largest |s| of a cell at the end of sequences over the number of sequences, one line for each task.

    Args:
        records: the nets of a recorded run.
        ax: matplotlib axes to draw into; by default those of a new figure.
    """
    ax, parts = style.axes(ax), []
    for k, one in enumerate(records):
        seen, mean, _ = np.array(one["growth"]).T
        ax.plot(seen / one["published"], mean, label=one["task"], **style.line_style(k, len(seen)))
        parts.append(f"{one['task']}: {mean[0]:.2g} at the start, {mean[-1]:.2g} at the end, at most {mean.max():.2g}.")
    ax.axvline(1.0, color=style.BLACK, linewidth=0.8, linestyle=":")
    ax.set(xlabel="sequences, in published means", ylabel="largest |s| after a sequence", xlim=(0.0, None))
    ax.set_ylim(bottom=0.0)
    style.legend(ax)
    return add_alt_text(ax, "The largest cell state at the end of sequences, during learning.", *parts)


def gate_trace(record: Record) -> Any:
    """Return a figure of one sequence: input gates, output gates and cell states over its steps, after learning.

    Args:
        record: one net of a recorded run.
    """
    figure, trace = style.figure((7.2, 6.4)), record["trace"]
    axes = figure.subplots(3, sharex=True)
    for ax, name in zip(axes, ("y_in", "y_out", "s"), strict=True):
        values = np.array(trace[name])
        words, scale = GATES.get(name, ("cell states s", ""))
        unit = "block" if name in GATES else "cell"
        for k, line in enumerate(values.T):
            ax.plot(range(1, len(line) + 1), line, label=f"{unit} {k + 1}", **style.line_style(k, len(line)))
        ax.set_ylabel(f"{words}\n{scale}".strip(), fontsize=9)
        if name in GATES:
            ax.set_ylim(-0.03, 1.03)
        style.legend(ax)
        add_alt_text(ax, f"{words[0].upper()}{words[1:]}: {range_text(values)}.")
    _steps(axes[-1], trace["tokens"])
    marks = [f"{t + 1} {token}" for t, token in enumerate(trace["tokens"]) if token]
    about = f"One sequence of the task {record['task']} after {record['sequences']:,} sequences."
    figure.suptitle(f"{record['task']}, after {record['sequences']:,} sequences", fontsize=10)
    add_alt_text(axes[0], about, f"Steps with a mark: {', '.join(marks[:20])}." if marks else "")
    return figure


def _steps(ax: Any, tokens: Sequence[str]) -> None:
    """Label the steps: all where each has a word and they are few, else those with a word that is not a distractor."""
    steps = range(1, len(tokens) + 1)
    if all(tokens) and len(tokens) <= style.MAX_TICK_LABELS:
        style.steps_axis(ax, list(steps), tokens)
        return
    groups: list[list[int]] = []  # of steps too near to each other for labels side by side
    for t in [t for t in steps if tokens[t - 1] and tokens[t - 1] not in "abcd"]:
        if groups and t - groups[-1][-1] < NEAR * len(tokens):
            groups[-1].append(t)
        else:
            groups.append([t])
    ax.set_xlabel("time step t" + (", at those that count" if groups else ""))
    if groups:
        labels = [f"{' '.join(tokens[t - 1] for t in own)}\n{' '.join(map(str, own))}" for own in groups]
        ax.set_xticks([sum(own) / len(own) for own in groups], labels)
