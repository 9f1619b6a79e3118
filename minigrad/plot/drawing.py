"""Pictures as SVG with their alt text, each one file without references to others."""

from __future__ import annotations

import io
import re
from html import escape
from pathlib import Path
from typing import Any

from minigrad.engine.arguments import text
from minigrad.engine.errors import MinigradError, shown
from minigrad.engine.files import a_path, write_atomically
from minigrad.plot.alt import alt_text


class Drawing:
    """An SVG picture with its alt text.

    Attributes:
        svg: the picture, one element ``<svg role="img" aria-label="…">``.
        alt: the alt text.
    """

    def __init__(self, svg: str, alt: str) -> None:
        self.svg, self.alt = _accessible(text("Drawing: `svg`", svg), text("Drawing: `alt`", alt)), alt

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Drawing({self.alt!r})"

    def save(self, file: str | Path) -> None:
        """Write an SVG file."""
        write_atomically(a_path("Drawing.save: `file`", file), lambda out: out.write(self.svg.encode()))


def svg(ax: Any, name: str = "") -> Drawing:
    """Return the figure of some axes as a drawing.

    Text is drawn as shapes, so that it looks the same everywhere. The same figure gives the same bytes.

    Args:
        ax: axes, or a figure.
        name: a prefix of every id, for several drawings in one page.

    Raises:
        MinigradError: no function of `minigrad.plot` drew into it.
    """
    from matplotlib import rc_context

    name = text("svg: `name`", name)
    figure = getattr(ax, "figure", ax)
    if not hasattr(figure, "savefig"):
        raise MinigradError(f"svg: expected `ax`, axes that a function of minigrad.plot returned, got {shown(ax)}.")
    alt = alt_text(figure)
    out = io.StringIO()
    with rc_context({"svg.hashsalt": "minigrad"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    picture = re.sub(r"^.*?(?=<svg)|<metadata>.*?</metadata>\s*", "", out.getvalue(), flags=re.DOTALL)
    return Drawing(_prefixed(picture, name) if name else picture, alt)


def _prefixed(text: str, name: str) -> str:
    """Put a prefix before every id and every reference to one."""
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)


def _accessible(text: str, alt: str) -> str:
    """Add the alt text to the SVG element."""
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
