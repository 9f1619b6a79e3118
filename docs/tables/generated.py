"""Tables in pages, each between ``<!-- generated: NAME -->`` and ``<!-- end of NAME -->``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from docs.builder import equations
from docs.tables import arguments, benchmarks, charts, difference, laboratory, masks, papers, scaling
from docs.tables import names as tensorflow_names
from minigrad.recurrent import LSTM, LSTMP

DOCS = Path(__file__).resolve().parents[1]
TABLES: dict[str, Callable[[], str]] = {
    "arguments": arguments.tables,
    "benchmarks": benchmarks.tables,
    "difference": difference.of_copied_weights,
    "equations-lstm": equations.table(equations.forward, LSTM),
    "equations-lstm-backward": equations.table(equations.backward, LSTM),
    "equations-lstmp": equations.table(equations.forward, LSTMP),
    "equations-lstmp-backward": equations.table(equations.backward, LSTMP),
    "masks-dynamic-rnn": masks.of_dynamic_rnn,
    "masks-keras": masks.of_keras,
    "masks-zeros": masks.of_keras_with_zeros,
    "papers-drift": papers.drift,
    "papers-literal": papers.literal,
    "papers-other": papers.other,
    "scaling": scaling.tables,
    "tensorflow-names": tensorflow_names.tables,
    **laboratory.BLOCKS,
}
_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n)(?P<text>.*?)(<!-- end of (?P=name) -->)", re.DOTALL)


def pages() -> list[Path]:
    """Return all pages."""
    return sorted(DOCS.rglob("*.md"))


def names(text: str) -> list[str]:
    """Return the names of the tables of a page."""
    return [block["name"] for block in _BLOCK.finditer(text)]


def renewed(text: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with its tables computed again."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{tables[block['name']]()}\n{block[4]}", text)


def renew() -> Iterator[Path]:
    """Write the tables of all pages and their charts again, and yield the files that changed."""
    yield from charts.renew(benchmarks.rows(benchmarks.runs()))
    yield from laboratory.renew()
    for page in pages():
        old = page.read_text("utf-8")
        new = renewed(old, TABLES)
        if new != old:
            page.write_text(new, "utf-8")
            yield page
