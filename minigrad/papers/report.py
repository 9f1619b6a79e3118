"""The table of a paper's rows, published and ours, from the results alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from minigrad.papers import text_tables
from minigrad.papers.machinery import row_hash
from minigrad.papers.row import Milestone, Row
from minigrad.papers.statistics import Summary, Verdict, summary, verdict

HEAD = ("table", "row", "weights", "published", "ours: mean [95 % CI]", "trials", "cap", "reading", "verdict")


class Line(NamedTuple):
    """One line of the table: a milestone of a row in a reading.

    Attributes:
        row: the row, in its reading.
        milestone: the milestone.
        steps: for each trial, the number of sequences, or None.
        summary: the numbers of the trials.
        verdict: the verdict; "" where none is given.
        diverged: the number of trials that diverged.
    """

    row: Row
    milestone: Milestone
    steps: list[int | None]
    summary: Summary
    verdict: Verdict | str
    diverged: int


def lines(rows: Sequence[Row], trials: Sequence[Mapping[str, Any]], verdicts: bool = True) -> Iterator[Line]:
    """Yield the lines of all rows that have trials.

    Args:
        rows: the rows, in their readings.
        trials: the records of all trials.
        verdicts: whether verdicts are given; a trial that ended before the row's cap prevents one.
    """
    for row in rows:
        own = [t for t in trials if _is_of(t, row) and t["data"] == row_hash(row)]
        for milestone in row.milestones if own else ():
            steps = [reached["sequences"] if (reached := t["milestones"][milestone.name]) else None for t in own]
            found = summary(steps)
            full = all(t["cap"] >= milestone.cap for t in own)
            given = verdict(milestone.published, row.trials, found) if verdicts and full else ""
            yield Line(row, milestone, steps, found, given, sum(t["diverged"] is not None for t in own))


def outdated(rows: Sequence[Row], trials: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the trials that no line has: no row has their name and reading, or it has other data now."""
    known = {(row.table, row.name, row.reading): row_hash(row) for row in rows}
    return [t for t in trials if known.get((t["table"], t["row"], t["reading"])) != t["data"]]


def _is_of(trial: Mapping[str, Any], row: Row) -> bool:
    return (trial["table"], trial["row"], trial["reading"]) == (row.table, row.name, row.reading)


def name_of(line: Line) -> str:
    """Return the words of a row and its milestone."""
    return f"{line.row.name}, {line.milestone.name}" if line.milestone.name else line.row.name


def cells(line: Line) -> tuple[str, ...]:
    """Return a line's texts, in the order of `HEAD`."""
    row, found = line.row, line.summary
    ours = f"{found.mean:,.0f} [{found.low:,.0f}, {found.high:,.0f}]" if found.successes else "none"
    lost = f" ({line.diverged} diverged)" if line.diverged else ""
    published = f"{line.milestone.published:,}" + (f" ({row.success} %)" if row.success < 100 else "")
    return (
        str(row.table), name_of(line), f"{row.weights:,} = {row.net.weights:,}", published, ours,
        f"{found.successes} of {found.trials}{lost}", f"{line.milestone.cap:,}", row.reading, str(line.verdict) or "–",
    )  # fmt: skip


def text_table(found: Sequence[Line]) -> str:
    """Return the lines as a table in plain text."""
    return text_tables.text_table(HEAD, map(cells, found))


def markdown(found: Sequence[Line]) -> str:
    """Return the lines as a table in Markdown."""
    return text_tables.markdown_table(HEAD, map(cells, found))
