"""Tables of the page on the paper of 1997, from the files of docs/papers, without training."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docs.tables.markdown import table
from minigrad.papers import report
from minigrad.papers.hochreiter97.rows import ROWS
from minigrad.papers.results import read_results

FOLDER = Path(__file__).resolve().parents[1] / "papers"
DRIFT = {
    "row": "row", "reading": "reading", "sequences": "sequences", "wrong": "wrong", "input gate": "y_in",
    "output gate": "y_out", "increment": "\\|y_in g\\|", "spread": "spread of s", "signal": "distance of classes",
}  # fmt: skip


def newest(pattern: str) -> Path:
    """Return the newest file: their names end with dates."""
    return max(FOLDER.glob(pattern))


def results() -> dict[str, Any]:
    """Return the content of the newest run, whose seals are checked."""
    return read_results(newest("hochreiter97-*.json"))


def literal() -> str:
    """Return what the run was, and the table of literal readings."""
    values = results()
    lines = list(report.lines(ROWS, values["trials"]))
    return f"{report.about(values)} {report.RULE}\n\n{_unbroken(report.markdown(lines))}"


def other() -> str:
    """Return the table of the other readings."""
    rows = [row.read_as(name) for row in ROWS for name in row.readings]
    lines = list(report.lines(rows, results()["trials"]))
    return _unbroken(report.markdown(lines, other=True), reading=True)


def _unbroken(markdown: str, reading: bool = False) -> str:
    """Return a table whose cells stay on one line, the verdict before the numbers that are needed less often."""
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in markdown.rstrip("\n").split("\n")]
    head, _, *body = rows
    first = ["table", "row", *(["reading"] if reading else []), "published", report.HEAD[4], "trials", "verdict"]
    last = [name for name in head if name not in (*first, "reading")]
    places = [head.index(name) for name in (*first, *last)]
    kept = [[row[k].replace(" ", "\u00a0") for k in places] for row in body]
    return table([head[k] for k in places], kept)


def drift() -> str:
    """Return the table of the state's drift."""
    found = json.loads(newest("drift-*.json").read_text("utf-8"))
    shown: dict[type, Callable[[Any], str]] = {str: str, int: "{:,}".format, float: "{:.3g}".format}
    return table(list(DRIFT.values()), [[shown[type(one[name])](one[name]) for name in DRIFT] for one in found])
