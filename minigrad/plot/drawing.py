"""A picture as SVG with its alt text: one file, nothing fetched from anywhere, fit to stand in a page."""

from __future__ import annotations

import io
import re
from html import escape
from pathlib import Path
from typing import Any

from minigrad.engine.files import write_atomically
from minigrad.plot.alt import alt_text


class Drawing:
    """An SVG picture that says what it shows.

    Attributes:
        svg: the picture, one element ``<svg role="img" aria-label="…">``.
        alt: what it shows.
    """

    def __init__(self, svg: str, alt: str) -> None:
        self.svg, self.alt = _accessible(svg, alt), alt

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Drawing({self.alt!r})"

    def save(self, file: str | Path) -> None:
        """Writes an SVG file."""
        write_atomically(file, lambda out: out.write(self.svg.encode()))


def svg(ax: Any, name: str = "") -> Drawing:
    """Returns the figure of some axes as a drawing, in which text is drawn as shapes: it looks the same everywhere.

    The same figure gives the same bytes.

    Args:
        ax: axes, or a figure.
        name: stands before every id, so that several drawings can stand in one page.

    Raises:
        MinigradError: nothing of minigrad's is in it.
    """
    from matplotlib import rc_context

    figure = getattr(ax, "figure", None) or ax
    alt = alt_text(figure)
    out = io.StringIO()
    with rc_context({"svg.hashsalt": "minigrad"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"^.*?(?=<svg)|<metadata>.*?</metadata>\s*", "", out.getvalue(), flags=re.DOTALL)
    return Drawing(_prefixed(text, name) if name else text, alt)


def _prefixed(text: str, name: str) -> str:
    """Puts a name before every id, and before what refers to one."""
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)


def _accessible(text: str, alt: str) -> str:
    """Says in the picture what it shows."""
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
