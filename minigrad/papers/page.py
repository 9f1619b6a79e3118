"""A results file as an HTML page: tables and figures, without training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.papers import report
from minigrad.papers.figures import comparison, survival_curves
from minigrad.papers.record_figures import gate_trace, learning_curves, state_growth
from minigrad.papers.report import Line
from minigrad.plot.drawing import svg
from minigrad.plot.page import Page


def page_of(
    title: str, values: Mapping[str, Any], literal: Sequence[Line], other: Sequence[Line],
    recorded: Sequence[Mapping[str, Any]] = (),
) -> Page:  # fmt: skip
    """Return the page of a results file.

    Args:
        title: the paper.
        values: the content of the file.
        literal: the lines of literal readings.
        other: those of other readings.
        recorded: the nets of a recorded run.
    """
    page = Page(title)
    page.text(
        f"{len(values['trials'])} trials, from {values['begun']} to {values['ended']}, on {values['machine']}; code "
        f"{values['code'][:12]}. match: the paper's number of trials, all successful, an interval no wider than ±20 % "
        "with the published mean in it. order: all successful, our mean between half and twice the published one. no: "
        "the rest. undecided: fewer trials. Intervals are by bootstrap over successful trials."
    )
    if literal:
        page.heading("Literal readings").table(report.HEAD, list(map(report.cells, literal)))
        page.picture(svg(comparison(literal), "comparison"), "Published means and ours.")
    for table in dict.fromkeys(line.row.table for line in literal):
        own = [line for line in literal if line.row.table == table]
        page.picture(
            svg(survival_curves(own), f"survival{table}"), f"Table {table}: trials that have not succeeded yet."
        )
    if recorded:
        page.heading("One net of each task")
        for name, draw in (("curves", learning_curves), ("growth", state_growth)):
            page.picture(svg(draw(recorded), name))
        for one in recorded:
            page.picture(svg(gate_trace(one), f"trace{one['table']}"), f"Table {one['table']}, {one['row']}.")
    if other:
        readings = {(line.row.table, line.row.name): len(line.row.readings) for line in other}
        page.heading("Other readings")
        page.text(f"Of at most {max(readings.values())} readings of a row. One that fits among many is weak evidence.")
        page.table((*report.HEAD, "fixed"), [(*report.cells(line), fixed(line)) for line in other])
    return page


def fixed(line: Line) -> str:
    """Return when a reading was fixed."""
    return "before any run" if line.row.readings[line.row.reading].before else "chosen afterwards"
