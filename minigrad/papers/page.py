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
    page.text(f"{report.about(values)} {report.RULE}")
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
        page.heading("Other readings").text("One that fits among many is weak evidence.")
        page.table(report.OTHER_HEAD, list(map(report.other_cells, other)))
    return page
