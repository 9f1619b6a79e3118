"""Report of a benchmark: rows, tables in Markdown, JSON."""

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
from minigrad.bench.harness import KERNEL_CHOICE, Comparison


@dataclass
class Row:
    """One contender at one measure.

    Attributes:
        measure: the name of the measure.
        contender: the name of the contender.
        value: seconds, bytes or an exponent; None if there is none.
        versus: the name of the reference.
        ratio: the ratio to the reference.
        target: the largest ratio to reach.
        limit: the longest time to reach, in seconds, where there is no reference.
        quiet: the number of undisturbed rounds, and of all that count.
        rounds: seconds in each of the rounds that count; the same rounds for all contenders of a measure.
        more: further numbers of the section.
        note: the reason for a missing value, or the implementation that ran.
    """

    measure: str
    contender: str
    value: float | None = None
    versus: str | None = None
    ratio: Ratio | None = None
    target: float | None = None
    limit: float | None = None
    quiet: tuple[int, int] | None = None
    rounds: list[float] = field(default_factory=list)
    more: dict[str, float] = field(default_factory=dict)
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        rounds = [float(f"{seconds:.4g}") for seconds in self.rounds]
        return {**asdict(self), "ratio": None if self.ratio is None else self.ratio._asdict(), "rounds": rounds}


Column = tuple[str, Callable[[Row], str]]
"""A heading, and a function that returns the cell of a row."""


@dataclass
class Section:
    """One part of the benchmark: a table.

    Args:
        name: the name for ``--only``.
        title: the heading.
        about: one or two sentences below it.
        columns: the columns after the contender.
    """

    name: str
    title: str
    about: str
    columns: Sequence[Column]
    rows: list[Row] = field(default_factory=list)

    def head(self) -> str:
        """Return the heading, the sentences, and the first two lines of the table."""
        headings = ["", "contender", *(heading for heading, _ in self.columns)]
        return f"\n## {self.title}\n\n{self.about}\n\n| {' | '.join(headings)} |\n|{'---|' * len(headings)}"

    def line(self, row: Row) -> str:
        """Return a row of the table; the note replaces a missing value."""
        count = len(self.columns)
        reason = [row.note.replace("|", "\\|"), *[""] * (count - 1)]
        cells = reason if row.value is None else [cell(row) for _, cell in self.columns]
        return f"| {' | '.join([row.measure, row.contender, *cells])} |"

    def to_dict(self) -> dict[str, Any]:
        """Return the section as plain values, each row with its line of the table."""
        rows = [{**row.to_dict(), "line": self.line(row)} for row in self.rows]
        return {"name": self.name, "head": self.head(), "rows": rows}


def value_in(unit: float) -> Callable[[Row], str]:
    """Return a column of values in a unit, such as 1e-3 for milliseconds."""
    return lambda row: "" if row.value is None else significant(row.value / unit)


def more(name: str, unit: float = 1.0) -> Callable[[Row], str]:
    """Return a column of further numbers."""
    return lambda row: significant(row.more[name] / unit) if name in row.more else ""


def times(unit: float, name: str, with_targets: bool) -> list[Column]:
    """Return the columns of a table of times.

    Args:
        unit: the unit in seconds.
        name: the name of the unit.
        with_targets: whether to add a column of targets.
    """
    target: list[Column] = [("target", _target)]
    return [
        (name, value_in(unit)),
        ("ratio", lambda row: "" if row.ratio is None else f"**{significant(row.ratio.median)}**"),
        ("middle half", _middle_half),
        *(target if with_targets else []),
        ("quiet rounds", lambda row: "" if row.quiet is None else f"{row.quiet[0]} of {row.quiet[1]}"),
    ]


def _target(row: Row) -> str:
    if row.target is not None:
        return f"≤ {row.target:g}"
    return "" if row.limit is None else f"≤ {row.limit:g} s"


def _middle_half(row: Row) -> str:
    return "" if row.ratio is None else f"{significant(row.ratio.low)} … {significant(row.ratio.high)}"


def timed_rows(
    measure: str, names: Iterable[str], comparison: Comparison, targets: dict[str, float], against: str | None = None
) -> list[Row]:
    """Return the rows of a measure.

    Args:
        measure: its name.
        names: the names of the contenders, in order.
        comparison: the result of the rounds.
        targets: contender → its largest ratio; ignored if the reference is a backend of minigrad.
        against: the reference for all; by default that of `reference`.
    """
    rows = []
    for name in names:
        if name not in comparison.seconds or not comparison.seconds[name]:
            rows.append(Row(measure, name, note=comparison.failed.get(name, "not measured")))
            continue
        column, versus = comparison.seconds[name], reference(name, comparison.seconds) if against is None else against
        versus = versus if versus in comparison.seconds and versus != name else None
        rounds = (min(comparison.quiet, len(column)), len(column))
        row = Row(measure, name, statistics.median(column), versus, quiet=rounds, more={"least": min(column)})
        row.rounds = column
        if versus is not None:
            row.ratio = ratio(column, comparison.seconds[versus])
            row.target = targets.get(name) if not versus.startswith(OURS) else None
        rows.append(row)
    return rows


# --- the header -------------------------------------------------------------------------------------------------------


def machine() -> str:
    """Return one line about this machine."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def header(threads: int, rounds: int, versions: dict[str, dict[str, str]], missing: dict[str, str]) -> dict[str, Any]:
    """Return the header above all tables as plain values.

    Args:
        threads: the number of threads of each contender.
        rounds: the number of rounds to reach.
        versions: contender → versions of its libraries.
        missing: contender → the reason why it is unavailable.
    """
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    head = {"date": now, "machine": machine(), "threads": threads, "rounds": rounds}
    unset = {name: os.environ[name] for name in KERNEL_CHOICE if name in os.environ}
    return {**head, "unset": unset, "versions": versions, "missing": missing}


def render_header(head: dict[str, Any]) -> str:
    """Return the header in Markdown."""
    available = [
        f"- {name}: {', '.join(f'{k} {v}' for k, v in found.items())}" for name, found in head["versions"].items()
    ]
    missing = [f"- {name}: {why}" for name, why in head["missing"].items()]
    unset = " and ".join(f"{name}={value}" for name, value in head["unset"].items())
    note = f"The environment has {unset}; the contenders run without, so that OpenBLAS chooses its kernels.\n"
    lines = [
        "# minigrad bench\n",
        f"{head['date']}; {head['machine']}; {head['threads']} threads; {head['rounds']} rounds.\n",
        "Each contender runs in a separate process; in each round all are measured in turn. A time is the median of",
        "the rounds, a ratio the median of the rounds' ratios, to `torch` or `torch.nn.LSTM` unless stated otherwise;",
        "the middle half shows its spread. A round is quiet if no other process used the processor. Smaller is",
        "better.\n",
        *([note] if unset else []),
    ]
    return "\n".join([*lines, *available, *missing])
