"""Tools of all lessons: a picture with its description in words, a table, and the checks of `lesson_checks`."""

from __future__ import annotations

import html
import io
import os
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from lesson_checks import CheckError, ask, attempt, check, check_gradients, gate_orders, returned, same, same_parts

__all__ = [
    "CheckError", "Picture", "ask", "attempt", "check", "check_gradients", "gate_orders", "line", "medians", "picture",
    "returned", "same", "same_parts", "scaled", "table",
]  # fmt: skip

FAST = os.environ.get("MINIGRAD_LESSON_FAST", "0") not in ("", "0")
NO_MATPLOTLIB = "The pictures need matplotlib: run `python -m pip install matplotlib` and restart the kernel."

DPI, SHARP = 110, 2  # of a figure on a page, and how many times sharper its file is

# Okabe and Ito's colours, which people with any colour vision tell apart; each also has its own line style and marker,
# so that nothing depends on colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (3, 4)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def scaled(full: int, fast: int) -> int:
    """Return the number of training steps: `fast` if the variable MINIGRAD_LESSON_FAST is 1, else `full`."""
    return fast if FAST else full


def line(k: int, marker: bool = False) -> dict[str, Any]:
    """Return the style of the k-th line of a figure, as keyword arguments for matplotlib."""
    k %= len(COLOURS)
    look: dict[str, Any] = {"color": COLOURS[k], "linestyle": STYLES[k]}
    return {**look, "marker": MARKERS[k], "markersize": 4} if marker else look


def medians(ax: Any, x: Sequence[float], found: Any, label: str, k: int) -> None:
    """Draw the results of several runs: each as a point, and their median as the k-th line of a figure.

    Args:
        ax: matplotlib's axes.
        x: the position of each column of `found`.
        found: a row for each run, (runs, len(x)).
        label: for the legend.
        k: which line.
    """
    found = np.asarray(found, float)
    look = line(k, marker=True)
    ax.plot(x, np.median(found, axis=0), label=label, **{**look, "marker": None})
    shifted = np.asarray(x, float) * (1 + 0.015 * (k - 1)) if len(x) > 1 else np.asarray(x, float)
    for row in found:
        ax.plot(shifted, row, alpha=0.6, **{**look, "linestyle": "none"})


# --- pictures -----------------------------------------------------------------------------------------------------


class Picture:
    """A figure that a notebook shows, with its description in words for readers who cannot see it.

    Attributes:
        figure: matplotlib's; None where matplotlib is missing, or where there is `svg`.
        alt: what there is to see, in words.
        svg: a drawing, as the text of an SVG file.
    """

    def __init__(self, figure: Any, alt: str, svg: str = "") -> None:
        self.figure = figure
        self.alt = alt
        self.svg = svg

    def __repr__(self) -> str:
        """Return the description, or the reason why there is no picture."""
        return (
            NO_MATPLOTLIB
            if self.figure is None and not self.svg
            else "\n".join(textwrap.wrap(f"Figure: {self.alt}", 100))
        )

    def png(self) -> bytes:
        """Return the picture as a PNG file with two pixels for each pixel of a page, in 256 colours."""
        from PIL import Image

        drawn, file = io.BytesIO(), io.BytesIO()
        self.figure.savefig(drawn, format="png", dpi=SHARP * DPI)
        few = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(file, "PNG", dpi=(SHARP * DPI, SHARP * DPI), optimize=True)
        return file.getvalue()

    def _ipython_display_(self) -> None:
        """Show the picture in Jupyter, with its description folded below it.

        The description is the image's alternative text too (`metadata`); few viewers of notebooks hand that on.
        """
        from IPython.display import display

        if self.figure is None and not self.svg:
            print(NO_MATPLOTLIB)
            return
        kind, image = ("image/svg+xml", self.svg) if self.svg else ("image/png", self.png())
        width = {} if self.svg else {"width": round(self.figure.get_figwidth() * DPI)}
        display({kind: image, "text/plain": repr(self)}, metadata={kind: {"alt": self.alt, **width}}, raw=True)
        words = f"<details><summary>This figure in words</summary><p>{html.escape(self.alt)}</p></details>"
        display({"text/html": words, "text/plain": repr(self)}, raw=True)


def picture(
    draw: Any, alt: str = "", *, rows: int = 1, columns: int = 1, size: tuple[float, float] | None = None
) -> Picture:
    """Draw a figure. Make it the last line of a cell.

    Args:
        draw: is called with matplotlib's axes, one argument for each; or a `minigrad.plot.Drawing`.
        alt: what there is to see, in words: the axes, the curves, and what they show. At least a sentence. It can be
            left out where functions of `minigrad.plot` draw, which say it themselves.
        rows: of axes.
        columns: of axes.
        size: in inches.
    """
    if not callable(draw):
        return Picture(None, _said(alt or draw.alt), draw.svg)
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        return Picture(None, alt)
    with rc_context({"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3}):
        figure = Figure(figsize=size or (4.2 * columns if columns > 1 else 6.5, 3.4 * rows), layout="constrained")
        draw(*np.ravel(figure.subplots(rows, columns)))
    if not alt:
        from minigrad.plot import alt_text

        alt = alt_text(figure)
    return Picture(figure, _said(alt))


def _said(alt: str) -> str:
    """Return the description, if it is one."""
    if len(alt.split()) < 8:
        raise ValueError(f"picture: expected `alt` to say in a sentence what there is to see, got {alt!r}.")
    return alt


# --- tables -------------------------------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table with columns as wide as their contents."""
    texts = [[str(x) if not isinstance(x, float) else f"{x:.4g}" for x in row] for row in [list(header), *rows]]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    texts.insert(1, ["-" * width for width in widths])
    for first, *others in texts:
        print("  ".join([first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]).rstrip())
