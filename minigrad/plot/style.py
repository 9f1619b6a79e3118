"""Style of all pictures: colours, line styles, new axes, time steps, masked steps.

Colour is never the only difference: each colour comes with a line style, a marker and a hatch.

Source of the colours: M. Okabe and K. Ito, Color Universal Design, 2008. They differ for people with any colour vision.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.engine.errors import OptionError, shown

HostArray = Any

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#AA4499"
ORANGE, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#000000", "#8A8A8A"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
LINES: tuple[Any, ...] = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (3, 4)))
MARKERS = "osD^vPX"
HATCHES = ("---", "///", "...", "\\\\\\", "xxx", "ooo", "")
SEQUENTIAL, DIVERGING = "cividis", "PuOr"  # colour maps with uniform steps in lightness

STYLE_INDICES = {"i": 0, "z": 0, "f": 1, "r": 1, "o": 2, "g": 3, "j": 3, "h_new": 3, "U": 3, "held": 5}
STYLE_INDICES |= {"carousel": 6, "past the gates": 6, "h": 5, "m": 5, "c": 6, "a": 4}
"""Index of a letter in the cycles of styles, so that a gate looks the same in all pictures."""

NAMES = {"i": "input gate i", "f": "forget gate f", "o": "output gate o", "z": "update gate z", "r": "reset gate r"}
NAMES |= {"g": "candidate g", "j": "candidate j", "h_new": "new state h", "c": "cell state c", "h": "state h"}
NAMES |= {"m": "output m", "a": "tanh of the new c"}
SCALES = {"f": "0 forgets, 1 keeps", "z": "0 renews, 1 keeps"}  # other gates: 0 closed, 1 open
CANDIDATES = ("g", "j", "h_new")  # not gates: values from −1 to 1
MAX_TICK_LABELS = 60  # of one character each


def style_index(letter: str, otherwise: int = 0) -> int:
    """Return the index of a letter's style."""
    return STYLE_INDICES.get(letter, otherwise) % len(COLOURS)


def line_style(k: int, points: int) -> dict[str, Any]:
    """Return the style of the k-th line, with about ten markers on its `points`."""
    k %= len(COLOURS)
    every = max(1, points // 10)
    marks = {"marker": MARKERS[k], "markersize": 5, "markevery": (k % every, every)}
    return {"color": COLOURS[k], "linestyle": LINES[k], "linewidth": 1.8, **marks}


def figure(size: tuple[float, float] = (7.0, 4.0)) -> Any:
    """Return a new figure that is not registered with pyplot.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ImportError("Pictures are drawn by matplotlib: pip install 'minigrad-bptt[plot]'.") from error
    return Figure(figsize=size, layout="constrained")


def axes(ax: Any, size: tuple[float, float] = (7.0, 4.0)) -> Any:
    """Return the given axes, or those of a new figure."""
    if ax is not None and not hasattr(ax, "get_subplotspec"):
        raise OptionError(f"plot: expected `ax`, axes of matplotlib, got {shown(ax)}.")
    return figure(size).add_subplot() if ax is None else ax


def legend(ax: Any) -> None:
    """Add a legend to the right of the axes."""
    lines, labels = ax.get_legend_handles_labels()
    labels = ["\n".join(textwrap.wrap(label, 24)) for label in labels]
    ax.legend(
        lines, labels, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, frameon=False, handlelength=3.4
    )


def steps_axis(ax: Any, steps: HostArray, tokens: Sequence[str] | None = None, label: str = "time step t") -> None:
    """Label the x axis with time steps, or with their tokens if they fit.

    Args:
        ax: the axes.
        steps: the numbers of the steps; decreasing numbers are labelled as read from right to left.
        tokens: one for each of `steps`.
        label: the label of the axis.
    """
    label += ", read from right to left" if len(steps) > 1 and steps[1] < steps[0] else ""
    half = _half(steps)
    ax.set_xlabel(label)
    ax.set_xlim(min(steps) - half, max(steps) + half)
    if tokens is not None and len(steps) <= MAX_TICK_LABELS:
        ax.set_xticks(steps, [visible(token) for token in tokens], family="monospace")
        ax.set_xlabel(label.replace("step t", "step t (token read)"))
    else:
        ax.xaxis.get_major_locator().set_params(integer=True)


def visible(token: str) -> str:
    """Return a token with visible signs for white space, and without matplotlib's mathematics.

    >>> visible("a b"), visible(chr(10))
    ('a␣b', '↵')
    """
    shown = token.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥")
    return "".join(c if c.isprintable() else "·" for c in shown).replace("$", r"\$")


def hatch_masked(ax: Any, steps: HostArray, masked: HostArray) -> None:
    """Hatch the masked steps of a row."""
    half = _half(steps)
    label: str | None = "masked"
    for begin, end in runs(masked):
        first, last = sorted((steps[begin], steps[end - 1]))
        ax.axvspan(
            first - half, last + half,
            facecolor="#DDDDDD", edgecolor="#9A9A9A", hatch="//", linewidth=0, alpha=0.6, zorder=0.5, label=label,
        )  # fmt: skip
        label = None


def _half(steps: HostArray) -> float:
    """Half of the distance between two steps."""
    return abs(steps[1] - steps[0]) / 2 if len(steps) > 1 else 0.5


def runs(flags: HostArray) -> list[tuple[int, int]]:
    """Return the begin and end of each run of True.

    >>> runs([True, False, True, True])
    [(0, 1), (2, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(flags, int), [0]])))
    return [(int(a), int(b)) for a, b in list(pairwise(edges))[::2]]
