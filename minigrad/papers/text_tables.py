"""Tables of texts: plain, with columns of one width, and in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def text_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in plain text.

    >>> print(text_table(("a", "b"), [("long", "1")]))
    a     b
    long  1
    """
    table = [head, *rows]
    widths = [max(len(row[k]) for row in table) for k in range(len(head))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    table = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in table) + "\n"
