"""Tables in pages, each between ``<!-- generated: NAME -->`` and ``<!-- end of NAME -->``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from docs_pages import arguments, benchmarks, difference, masks

DOCS = Path(__file__).resolve().parents[2] / "docs"
TABLES: dict[str, Callable[[], str]] = {
    "arguments": arguments.tables,
    "benchmarks": benchmarks.tables,
    "difference": difference.of_copied_weights,
    "masks-dynamic-rnn": masks.of_dynamic_rnn,
    "masks-keras": masks.of_keras,
    "masks-zeros": masks.of_keras_with_zeros,
}
_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n)(?P<text>.*?)(<!-- end of (?P=name) -->)", re.DOTALL)


def pages() -> list[Path]:
    """All pages."""
    return sorted(DOCS.rglob("*.md"))


def names(text: str) -> list[str]:
    """The tables of a page."""
    return [block["name"] for block in _BLOCK.finditer(text)]


def renewed(text: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """The page with its tables computed anew."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{tables[block['name']]()}\n{block[4]}", text)
