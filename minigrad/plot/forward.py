"""Pictures of the forward pass: gates, states, saturation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.engine.arguments import fraction, text
from minigrad.engine.errors import MinigradError
from minigrad.plot import style
from minigrad.plot.alt import add_alt_text, count_text, join_words, range_text, step_of_largest
from minigrad.plot.style import CANDIDATES, NAMES
from minigrad.plot.view import HostArray, Source, View, check_indices, check_named, letter_of, letters_of, trace_of

MAX_LINES = 6  # of single units in one picture


def gates(
    source: Source,
    letters: str | Sequence[str] | None = None,
    row: int = 0,
    units: Any = None,
    tokens: Sequence[str] | None = None,
    ax: Any = None,
) -> Any:
    """Draw the gates over time: the mean of the units; for a single gate also the band that holds 80 % of them.

    Args:
        source: a trace, or gates by letter, (T, batch, units).
        letters: the gates, ``"f"`` or ``["i", "f"]``; all by default.
        row: the row of the batch.
        units: index or indices of the units; all by default.
        tokens: the token at each time step of the sequence, written under the axis.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        IndexRangeError: there is no such row or unit.
        ImportError: matplotlib is not installed.
        ShapeError: there is not one token for each time step.
    """
    trace = trace_of(source, "gates")
    view = View(trace, "gates", row, units)
    names = letters_of("gates", letters, trace)
    ax = style.axes(ax)
    values = {k: view.unmasked(trace.gates[k]) for k in names}
    for n, (k, value) in enumerate(values.items()):
        _line(ax, view.steps, value, style.style_index(k, n), NAMES.get(k, k), band=len(names) == 1)
    _time(ax, view, tokens)
    ax.set_ylabel(f"activation ({view.meaning()})")
    ax.set_title(view.title)
    style.legend(ax)
    each = [f"{NAMES.get(k, k)} {range_text(_middle(v))}" for k, v in values.items()]
    what = "activations" if set(names) <= set(CANDIDATES) else "gates"
    band = ", with the band that holds 80 % of them" if len(names) == 1 < len(view.units) else ""
    return add_alt_text(ax, f"Lines: {what}{view.about}, {view.meaning()}{band}. {'; '.join(each)}.")


def gate_heatmap(
    source: Source,
    gate: str = "f",
    row: int = 0,
    units: Any = None,
    tokens: Sequence[str] | None = None,
    ax: Any = None,
) -> Any:
    """Draw one gate of all units over time, dark where it is closed and bright where it is open.

    Args:
        source: a trace, or the gate itself, (T, batch, units).
        gate: the letter of the gate.
        row: the row of the batch.
        units: indices of the units; all by default.
        tokens: the token at each time step of the sequence.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        IndexRangeError: there is no such row or unit.
        ImportError: matplotlib is not installed.
        ShapeError: there is not one token for each time step.
    """
    trace = trace_of(source, "gate_heatmap", letter=text("gate_heatmap: `gate`", gate))
    view, k = View(trace, "gate_heatmap", row, units), letter_of("gate_heatmap", gate, trace.gates, "gate")
    values, signed = view.unmasked(trace.gates[k]), k in CANDIDATES
    ax = style.axes(ax, (7.0, min(8.0, 2.2 + 0.12 * values.shape[1])))
    image = ax.imshow(
        values.T, aspect="auto", interpolation="nearest", vmin=-1 if signed else 0, vmax=1,
        cmap=style.DIVERGING if signed else style.SEQUENTIAL,
        extent=(*_borders(view.steps), values.shape[1] - 0.5, -0.5),
    )  # fmt: skip
    ax.grid(visible=False)
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02)
    bar.set_label(NAMES.get(k, k) + ("" if signed else f"\n({style.SCALES.get(k, '0 closed, 1 open')})"))
    _time(ax, view, tokens)
    if len(view.units) <= 20:
        ax.set_yticks(range(len(view.units)), view.units)
    ax.set_ylabel("unit")
    ax.set_title(view.title)
    seen = values[np.isfinite(values)]
    what = f"Heat map: {NAMES.get(k, k)}{view.about}, {count_text(len(view.units), 'unit')}, {range_text(values)}."
    if signed or not seen.size:
        return add_alt_text(ax, what)
    return add_alt_text(ax, what, f"{(seen > 0.9).mean():.0%} of it is above 0.9, {(seen < 0.1).mean():.0%} below 0.1.")


def cell_state(
    source: Source,
    letter: str = "c",
    row: int = 0,
    units: Any = None,
    tokens: Sequence[str] | None = None,
    ax: Any = None,
) -> Any:
    """Draw a state after each step: a line for each of a few units, or the mean and the band of many.

    Args:
        source: a trace, or the states, (T + 1, batch, units), beginning with the initial state.
        letter: the state, ``"c"`` or ``"h"``.
        row: the row of the batch.
        units: index or indices of the units; all by default.
        tokens: the token at each time step of the sequence.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        IndexRangeError: there is no such row or unit.
        ImportError: matplotlib is not installed.
        ShapeError: there is not one token for each time step.
    """
    trace = trace_of(source, "cell_state", "states", text("cell_state: `letter`", letter))
    view, k = View(trace, "cell_state", row, units), letter_of("cell_state", letter, trace.states)
    values = view.of(trace.states[k])[1:]
    ax = style.axes(ax)
    ax.axhline(0, color=style.GREY, linewidth=0.8, zorder=0.8)
    if values.shape[1] <= MAX_LINES:
        for n, line in enumerate(values.T):
            ax.plot(view.after, line, label=f"unit {view.units[n]}", **style.line_style(n, len(line)))
    else:
        ax.plot(view.after, values, color=style.GREY, alpha=0.35, linewidth=0.7)
        _line(ax, view.after, values, style.style_index(k), f"mean of {values.shape[1]} units")
    _time(ax, view, tokens, "after time step t")
    ax.set_ylabel(NAMES.get(k, k))
    ax.set_title(view.title)
    style.legend(ax)
    size = np.abs(values).max(axis=1)
    return add_alt_text(
        ax,
        f"Lines: {NAMES.get(k, k)}{view.about}, {count_text(values.shape[1], 'unit')}, {range_text(values)}. "
        f"Its largest absolute value, {size.max():.3g}, is reached after step {step_of_largest(size, view.after)}.",
    )


def saturation(
    source: Source,
    letters: str | Sequence[str] | None = None,
    row: int | None = None,
    low: float = 0.1,
    high: float = 0.9,
    ax: Any = None,
) -> Any:
    """Draw for each unit the fraction of steps at which its gates are nearly closed, and nearly open.

    A unit with its forget gate at the upper left keeps its state; one at the lower right forgets at every step.

    Args:
        source: a trace, or gates by letter, (T, batch, units).
        letters: the gates, ``"f"`` or ``["i", "f"]``; all by default. Candidates, from −1 to 1, are left out.
        row: a row of the batch; all rows by default. Masked steps do not count.
        low: the value below which a gate is left-saturated.
        high: the value above which a gate is right-saturated.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Source: A. Karpathy, J. Johnson and L. Fei-Fei, Visualizing and Understanding Recurrent Networks, 2015, figure 3.
    """
    trace = trace_of(source, "saturation")
    low, high = fraction("saturation: `low`", low), fraction("saturation: `high`", high)
    names = [k for k in letters_of("saturation", letters, trace) if k not in CANDIDATES]
    if not names:
        raise MinigradError(
            f"saturation: expected `letters` of gates between 0 and 1, got none of {trace.name} ({trace.kind})."
        )
    ax = style.axes(ax, (6.6, 5.0))
    ax.plot([0, 1], [1, 0], color=style.GREY, linewidth=0.8, zorder=0.8)
    texts = []
    for n, k in enumerate(names):
        values = _unmasked_steps(trace, trace.gates[k], row)
        left, right = (values < low).mean(axis=0), (values > high).mean(axis=0)
        p = style.style_index(k, n)
        ax.scatter(
            left, right, s=36, marker=style.MARKERS[p], facecolor=style.COLOURS[p] + "66", edgecolor=style.COLOURS[p],
            label=NAMES.get(k, k), clip_on=False, zorder=3,
        )  # fmt: skip
        texts.append(f"{NAMES.get(k, k)}: {left.mean():.0%} below, {right.mean():.0%} above")
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title=trace.name)
    ax.set_xlabel(f"fraction of steps below {low:g}\n(left-saturated)")
    ax.set_ylabel(f"fraction of steps above {high:g}\n(right-saturated)")
    ax.legend(loc="upper right", frameon=False)  # there are no points above the diagonal
    of = f" of {trace.name}" if trace.name else ""
    units, whose = trace.gates[names[0]].shape[-1], "over all rows" if row is None else f"of row {row}"
    return add_alt_text(
        ax,
        f"Scatter: for each of {count_text(units, 'unit')}{of} and each gate a mark, at the fraction of steps at which "
        f"the gate is below {low:g} (across) and above {high:g} (up), {whose}. On the mean of the units, "
        f"{'; '.join(texts)}.",
    )


def compare_generations(
    traces: dict[str, Source], letter: str = "c", row: int = 0, units: Any = 0, ax: Any = None
) -> Any:
    """Draw one gate or state of several traces in one plot, and their difference from the first trace below.

    Args:
        traces: by name, such as ``{"first generation": seen_1, "third": seen_3}``; of equal length.
        letter: a gate or a state; ``"h"`` also selects the first generation's m, ``"g"`` its j.
        row: the row of the batch.
        units: index or indices of the units; for several, the mean and the largest difference are drawn.
        ax: matplotlib axes to draw into; by default those of a new figure. Their lower part becomes new axes for
            the difference, the last of ``ax.figure.axes``.

    Returns:
        The axes.

    Raises:
        MinigradError: the traces differ in length.
    """
    where = "compare_generations"
    each = {name: trace_of(source, where, argument="traces") for name, source in check_named(traces, where).items()}
    views = {name: View(trace, where, row, units) for name, trace in each.items()}
    drawn = {name: _letter(view, letter) for name, view in views.items()}
    values = {name: value for name, (_, value) in drawn.items()}
    if len(views) < 2 or len({v.shape for v in values.values()}) != 1:
        shapes = ", ".join(f"{name} {v.shape}" for name, v in values.items())
        raise MinigradError(f"{where}: expected `traces`, two or more of equal (steps, units), got {shapes or 'none'}.")
    ax = style.axes(ax, (7.0, 5.0))
    below = _axes_below(ax)
    first = next(iter(views))
    view, texts = views[first], []
    for n, (name, value) in enumerate(values.items()):
        look = style.line_style(n, len(value))
        at = drawn[name][0]
        ax.plot(at, value.mean(axis=1), label=name, **look)
        if n:
            gap = np.abs(value - values[first]).max(axis=1)
            below.plot(at, gap, **look)
            texts.append(f"{name} differs by {gap.max():.2g} at most, at step {step_of_largest(gap, at)}")
    for each in (ax, below):
        _time(each, view, None)
    ax.set_xlabel("")
    ax.tick_params(labelbottom=False)
    ax.set_ylabel(f"{NAMES.get(letter, letter)}\n({view.meaning()})")
    below.set_ylabel(f"|difference|\nfrom {first}")
    below.set_ylim(bottom=0)
    style.legend(ax)
    over = f"{join_words(list(views))} over {count_text(view.trace.steps, 'time step')}, {view.meaning()}"
    return add_alt_text(
        ax, f"Lines: {NAMES.get(letter, letter)} of {over}; below, the difference from {first}. {'; '.join(texts)}."
    )


def _axes_below(ax: Any) -> Any:
    """New axes in the lower quarter of the given axes."""
    spec = ax.get_subplotspec()
    if spec is None:
        raise MinigradError("compare_generations: expected `ax` from fig.add_subplot(), got axes outside of a grid.")
    upper, lower = spec.subgridspec(2, 1, height_ratios=(3, 1))
    ax.set_subplotspec(upper)
    return ax.figure.add_subplot(lower, sharex=ax)


def _letter(view: View, letter: str) -> tuple[HostArray, HostArray]:
    """The steps, and a gate or the state after each of them."""
    trace = view.trace
    known = {**trace.gates, **trace.states}
    k = letter_of(view.where, letter, known)
    if k in trace.states:
        return view.after, view.of(trace.states[k])[1:]
    return view.steps, view.of(trace.gates[k])


def _unmasked_steps(trace: Any, values: HostArray, row: int | None) -> HostArray:
    """The values at all unmasked steps of one row or of all, (steps, units)."""
    batch = values.shape[1]
    check_indices("saturation", "row", [0 if row is None else row], batch)
    rows = slice(None) if row is None else slice(row, row + 1)
    unmasked = np.ones(values.shape[:2], bool) if trace.mask is None else trace.mask
    if not unmasked[:, rows].any():
        raise MinigradError(f"saturation: expected `row` with unmasked steps, got row {row}, where all are masked.")
    return values[:, rows][unmasked[:, rows]]


def _line(ax: Any, steps: HostArray, values: HostArray, k: int, label: str, band: bool = True) -> None:
    """Draw the mean of the units, and optionally the band from the 10th to the 90th percentile."""
    look = style.line_style(k, len(steps))
    ax.plot(steps, _middle(values), label=label, **look)
    if band and values.shape[1] > 1:
        low, high = np.percentile(values, (10, 90), axis=1)
        ax.fill_between(steps, low, high, color=look["color"], alpha=0.12, linewidth=0)


def _middle(values: HostArray) -> HostArray:
    return values.mean(axis=1)


def _time(ax: Any, view: View, tokens: Sequence[str] | None, label: str = "time step t") -> None:
    style.hatch_masked(ax, view.steps, view.masked)
    style.steps_axis(ax, view.steps, view.read(tokens), label)


def _borders(steps: HostArray) -> tuple[float, float]:
    half = (steps[1] - steps[0]) / 2 if len(steps) > 1 else 0.5
    return steps[0] - half, steps[-1] + half
