"""``python -m minigrad playground``: write the page."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.engine.files import write_atomically
from minigrad.playground.builder import playground
from minigrad.train.command_line import Parser, output_file

HELP = "write an interactive HTML page of an LSTM: drag a gate, watch the gradient"
FILE = "playground.html"


def main(arguments: Sequence[str]) -> int:
    """Write the page and return 0."""
    parser = Parser("playground", description=f"{HELP}. One file, no network.")
    parser.add_argument("--out", metavar="FILE", default=FILE, help=f"the HTML file to write (default: {FILE})")
    out = output_file("--out", parser.read(arguments)["out"])
    page = playground().encode()
    write_atomically(out, lambda file: file.write(page))
    print(f"{out}: {len(page) // 1000} kB; open it in a browser.")
    return 0
