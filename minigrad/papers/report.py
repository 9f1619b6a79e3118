"""The table of a paper's rows, published and ours, from the results alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from minigrad.papers import text_tables
from minigrad.papers.machinery import row_hash
from minigrad.papers.row import Milestone, Row
from minigrad.papers.statistics import Summary, Verdict, summary, verdict

HEAD = ("table", "row", "weights", "published", "ours: mean [95 % CI]", "trials", "cap", "reading", "verdict")
OTHER_HEAD = (*HEAD, "fixed", "tried", "fresh seeds")
"""Of other readings: when each was fixed, the number of readings tried for its row, and the result on fresh seeds."""
SEED = 1997
"""The seed of the trials that give a line its numbers; trials of other seeds confirm them."""
RULE = (
    "match: the paper's number of trials, all successful, an interval no wider than ±20 % with the published mean in "
    "it. order: all successful, our mean between half and twice the published one. no: the rest. undecided: fewer "
    "trials. Intervals are by bootstrap over successful trials."
)


class Line(NamedTuple):
    """One line of the table: a milestone of a row in a reading.

    Attributes:
        row: the row, in its reading.
        milestone: the milestone.
        steps: for each trial, the number of sequences, or None.
        summary: the numbers of the trials.
        verdict: the verdict; "" where none is given.
        diverged: the number of trials that diverged.
        tried: the number of other readings of the row that have trials.
        fresh: the numbers of trials with fresh seeds, and their verdict; None without any.
    """

    row: Row
    milestone: Milestone
    steps: list[int | None]
    summary: Summary
    verdict: Verdict | str
    diverged: int
    tried: int = 0
    fresh: tuple[Summary, Verdict | str] | None = None


def lines(rows: Sequence[Row], trials: Sequence[Mapping[str, Any]], verdicts: bool = True) -> Iterator[Line]:
    """Yield the lines of all rows that have trials.

    Args:
        rows: the rows, in their readings.
        trials: the records of all trials.
        verdicts: whether verdicts are given; a trial that ended before the row's cap prevents one.
    """
    for row in rows:
        every = _longest(t for t in trials if _is_of(t, row) and t["data"] == row_hash(row))
        seeds = {t["seed"] for t in every}
        first = SEED if SEED in seeds else min(seeds, default=SEED)
        own, other = ([t for t in every if (t["seed"] == first) is is_own] for is_own in (True, False))
        tried = {t["reading"] for t in trials if (t["table"], t["row"]) == (row.table, row.name)} - {"literal"}
        for milestone in row.milestones if own else ():
            steps, found, given = _judged(row, milestone, own, verdicts)
            fresh = _judged(row, milestone, other, verdicts)[1:] if other else None
            diverged = sum(t["diverged"] is not None for t in own)
            yield Line(row, milestone, steps, found, given, diverged, len(tried), fresh)


def _longest(trials: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return one trial of each number and seed, that with the highest cap."""
    by_cap = sorted(trials, key=lambda t: (t["number"], t["cap"]))
    return list({(t["number"], t["seed"]): t for t in by_cap}.values())


def _judged(
    row: Row, milestone: Milestone, trials: Sequence[Mapping[str, Any]], verdicts: bool
) -> tuple[list[int | None], Summary, Verdict | str]:
    """Return the numbers of sequences of trials, their summary and the verdict."""
    steps = [reached["sequences"] if (reached := t["milestones"][milestone.name]) else None for t in trials]
    found = summary(steps)
    full = all(t["cap"] >= milestone.cap for t in trials)
    return steps, found, verdict(milestone.published, row.trials, found) if verdicts and full else ""


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
    lost = f" ({line.diverged} diverged)" if line.diverged else ""
    published = f"{line.milestone.published:,}" + (f" ({row.success} %)" if row.success < 100 else "")
    return (
        str(row.table), name_of(line), f"{row.weights:,} = {row.net.weights:,}", published, _interval(found),
        f"{found.successes} of {found.trials}{lost}", f"{line.milestone.cap:,}", row.reading, str(line.verdict) or "–",
    )  # fmt: skip


def _interval(found: Summary) -> str:
    return f"{found.mean:,.0f} [{found.low:,.0f}, {found.high:,.0f}]" if found.successes else "none"


def fixed(line: Line) -> str:
    """Return when a reading was fixed."""
    return "before any run" if line.row.readings[line.row.reading].before else "chosen afterwards"


def other_cells(line: Line) -> tuple[str, ...]:
    """Return the texts of a line of another reading, in the order of `OTHER_HEAD`."""
    fresh = "–"
    if line.fresh:
        found, given = line.fresh
        fresh = f"{_interval(found)}, {found.successes} of {found.trials}: {given or '–'}"
    return (*cells(line), fixed(line), str(line.tried), fresh)


def text_table(found: Sequence[Line], other: bool = False) -> str:
    """Return the lines as a table in plain text; `other` is for those of other readings."""
    return text_tables.text_table(OTHER_HEAD if other else HEAD, map(other_cells if other else cells, found))


def markdown(found: Sequence[Line], other: bool = False) -> str:
    """Return the lines as a table in Markdown; `other` is for those of other readings."""
    return text_tables.markdown_table(OTHER_HEAD if other else HEAD, map(other_cells if other else cells, found))


def about(values: Mapping[str, Any]) -> str:
    """Return the number of trials of a results file, its time, machine, cost and code in a sentence."""
    trials = values["trials"]
    seconds = sum(t.get("seconds", 0.0) for t in trials)
    return (
        f"{len(trials)} trials, from {values['begun']} to {values['ended']}, on {values['machine']}: "
        f"{seconds / 60:.0f} minutes of one core; code {values['code'][:12]}."
    )


def markdown_page(title: str, values: Mapping[str, Any], literal: Sequence[Line], other: Sequence[Line]) -> str:
    """Return the tables of a results file as a page in Markdown.

    Args:
        title: the paper.
        values: the content of the file.
        literal: the lines of literal readings.
        other: those of other readings.
    """
    parts = [f"# {title}\n", f"{about(values)}\n\n{RULE}\n"]
    if literal:
        parts += ["## Literal readings\n", markdown(literal)]
    if other:
        parts += ["## Other readings\n", "One that fits among many is weak evidence.\n", markdown(other, other=True)]
    return "\n".join(parts)
