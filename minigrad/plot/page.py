"""HTML pages in one file, with pictures, their alt texts and tables, without references to the network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from minigrad.engine.arguments import listed, text, whole
from minigrad.engine.errors import OptionError, shown
from minigrad.engine.files import a_path, write_atomically
from minigrad.engine.foreign import attempted
from minigrad.plot.drawing import Drawing

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
figure { margin: 1rem 0 2rem; } figure svg, figure img { max-width: 100%; height: auto; }
figcaption { color: #444; font-size: .9rem; max-width: 46rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem; }
th, td { padding: .15rem .6rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid #666; }
.wide { overflow-x: auto; } code { background: #f3f3f3; } pre { white-space: pre-wrap; }
"""


class Page:
    """An HTML page, written part by part.

    Args:
        title: the title of the page.

    Attributes:
        parts: pieces of HTML.
    """

    def __init__(self, title: str) -> None:
        self.title = text("Page: `title`", title)
        self.parts: list[str] = []

    def heading(self, text: str, level: int = 2) -> Page:
        """Add a heading."""
        n = whole("Page.heading: `level`", level, 1, 6)
        self.parts.append(f"<h{n}>{_escaped('Page.heading: `text`', text)}</h{n}>")
        return self

    def text(self, text: str) -> Page:
        """Add a paragraph."""
        self.parts.append(f"<p>{_escaped('Page.text: `text`', text)}</p>")
        return self

    def picture(self, drawing: Drawing, caption: str = "") -> Page:
        """Add a picture, with its alt text in the picture and in an expandable line below."""
        if not isinstance(drawing, Drawing):
            raise OptionError(f"Page.picture: `drawing`: expected a Drawing, of plot.svg(ax), got {shown(drawing)}.")
        about = _escaped("Page.picture: `caption`", caption)
        words = f"{about} <details><summary>in words</summary>{escape(drawing.alt)}</details>"
        self.parts.append(f"<figure>{drawing.svg}<figcaption>{words}</figcaption></figure>")
        return self

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], caption: str = "") -> Page:
        """Add a table; numbers are rounded to four digits."""
        names = [_escaped("Page.table: `columns`", column) for column in listed("Page.table: `columns`", columns)]
        cells = [listed("Page.table: `rows`", row) for row in listed("Page.table: `rows`", rows)]
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        body = "".join("<tr>" + "".join(f"<td>{escape(_cell(v))}</td>" for v in row) + "</tr>" for row in cells)
        about = _escaped("Page.table: `caption`", caption)
        title = f"<caption>{about}</caption>" if about else ""
        self.parts.append(
            f'<div class="wide"><table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )
        return self

    def html(self) -> str:
        """Return the whole page."""
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(self.title)}</title>\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
            f"<body><h1>{escape(self.title)}</h1>\n" + "\n".join(self.parts) + "\n</body></html>\n"
        )

    def _repr_html_(self) -> str:
        """The page in a frame, which separates its style and scripts from those of a notebook."""
        return (
            f'<iframe srcdoc="{escape(self.html())}" title="{escape(self.title)}" width="100%" height="620"></iframe>'
        )

    def save(self, file: str | Path) -> None:
        """Write the page atomically."""
        write_atomically(a_path("Page.save: `file`", file), lambda out: out.write(self.html().encode()))


def _escaped(where: str, value: str) -> str:
    """Return a text as HTML."""
    return escape(text(where, value))


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else attempted(str, value, shown(value))
