"""How it is told: rows, tables in Markdown, JSON."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from minigrad.bench.contenders import OURS, reference
from minigrad.bench.figures import Ratio, ratio, significant
from minigrad.bench.harness import Compared


@dataclass
class Row:
    """One contender at one measure.

    Attributes:
        measure: what was measured.
        contender: who.
        value: seconds, bytes or an exponent; None where there is none.
        versus: with whom it is compared.
        ratio: to that one.
        target: what the ratio is to be at most.
        quiet: of how many rounds were undisturbed, and how many count.
        more: further numbers of the section's.
        note: why there is no value, or how it was reached.
    """

    measure: str
    contender: str
    value: float | None = None
    versus: str | None = None
    ratio: Ratio | None = None
    target: float | None = None
    quiet: tuple[int, int] | None = None
    more: dict[str, float] = field(default_factory=dict)
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {**asdict(self), "ratio": None if self.ratio is None else self.ratio._asdict()}


Column = tuple[str, Callable[[Row], str]]
"""A heading, and what stands below it in a row."""


@dataclass
class Section:
    """One part of the benchmark: a table.

    Args:
        name: as in ``--only``.
        title: the heading.
        about: a sentence or two below it.
        columns: those between the contender and the note.
    """

    name: str
    title: str
    about: str
    columns: Sequence[Column]
    rows: list[Row] = field(default_factory=list)

    def head(self) -> str:
        """The heading, the sentence, and the first two lines of the table."""
        headings = ["", "contender", *(heading for heading, _ in self.columns)]
        return f"\n## {self.title}\n\n{self.about}\n\n| {' | '.join(headings)} |\n|{'---|' * len(headings)}"

    def line(self, row: Row) -> str:
        """A row of the table; where there is no value, the reason stands in its place."""
        count = len(self.columns)
        reason = [row.note.replace("|", "\\|"), *[""] * (count - 1)]
        cells = reason if row.value is None else [told(row) for _, told in self.columns]
        return f"| {' | '.join([row.measure, row.contender, *cells])} |"

    def to_dict(self) -> dict[str, Any]:
        """Return the section as plain values; each row with its line of the table."""
        rows = [{**row.to_dict(), "line": self.line(row)} for row in self.rows]
        return {"name": self.name, "head": self.head(), "rows": rows}


def value_in(unit: float) -> Callable[[Row], str]:
    """A column of values in a unit, e.g. 1e-3 for milliseconds."""
    return lambda row: "" if row.value is None else significant(row.value / unit)


def more(name: str, unit: float = 1.0) -> Callable[[Row], str]:
    """A column of further numbers."""
    return lambda row: significant(row.more[name] / unit) if name in row.more else ""


def times(unit: float, name: str, with_targets: bool) -> list[Column]:
    """The columns of a table of times.

    Args:
        unit: in seconds.
        name: the unit's.
        with_targets: are there any?
    """
    target: list[Column] = [("target", lambda row: "" if row.target is None else f"≤ {row.target:g}")]
    return [
        (name, value_in(unit)),
        ("ratio", lambda row: "" if row.ratio is None else f"**{significant(row.ratio.median)}**"),
        ("middle half", _middle_half),
        *(target if with_targets else []),
        ("quiet rounds", lambda row: "" if row.quiet is None else f"{row.quiet[0]} of {row.quiet[1]}"),
    ]


def _middle_half(row: Row) -> str:
    return "" if row.ratio is None else f"{significant(row.ratio.low)} … {significant(row.ratio.high)}"


def timed_rows(
    measure: str, names: Iterable[str], found: Compared, targets: dict[str, float], beside: str | None = None
) -> list[Row]:
    """The rows of a measure.

    Args:
        measure: what it is called.
        names: of the contenders, in order.
        found: what the rounds gave.
        targets: by contender, what its ratio is to be at most; not held against another backend of ours.
        beside: with whom all are compared; by default, whom `reference` says.
    """
    rows = []
    for name in names:
        if name not in found.seconds or not found.seconds[name]:
            rows.append(Row(measure, name, note=found.failed.get(name, "not measured")))
            continue
        column, versus = found.seconds[name], reference(name, found.seconds) if beside is None else beside
        versus = versus if versus in found.seconds and versus != name else None
        rounds = (min(found.quiet, len(column)), len(column))
        row = Row(measure, name, statistics.median(column), versus, quiet=rounds, more={"least": min(column)})
        if versus is not None:
            row.ratio = ratio(column, found.seconds[versus])
            row.target = targets.get(name) if not versus.startswith(OURS) else None
        rows.append(row)
    return rows


# --- the header -------------------------------------------------------------------------------------------------------


def machine() -> str:
    """One line about where the numbers come from."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def header(threads: int, rounds: int, versions: dict[str, dict[str, str]], missing: dict[str, str]) -> dict[str, Any]:
    """What stands above all tables.

    Args:
        threads: of each contender.
        rounds: how many were asked for.
        versions: by contender, of the libraries it stands on.
        missing: by contender, why it cannot take part.
    """
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    told = {"date": now, "machine": machine(), "threads": threads, "rounds": rounds}
    return {**told, "versions": versions, "missing": missing}


def told_header(head: dict[str, Any]) -> str:
    """The header in Markdown."""
    there = [f"- {name}: {', '.join(f'{k} {v}' for k, v in found.items())}" for name, found in head["versions"].items()]
    missing = [f"- {name}: {why}" for name, why in head["missing"].items()]
    lines = [
        "# minigrad bench\n",
        f"{head['date']}; {head['machine']}; {head['threads']} threads; {head['rounds']} rounds.\n",
        "Each contender runs in a process of its own; in each round all are measured in turn. A time is the median of",
        "the rounds, a ratio the median of the rounds' ratios, to `torch.nn.LSTM` unless it says otherwise; the middle",
        "half tells how far to trust it. A round is quiet if no other process was at work. Smaller is better.\n",
    ]
    return "\n".join([*lines, *there, *missing])
