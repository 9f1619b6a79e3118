"""Table 2 from the results alone: published and ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.papers.gers00.rows import GOOD, NETS, ROWS, Row2000
from minigrad.papers.gers00.trial import Job2000
from minigrad.papers.statistics import bootstrap, proportion

HEAD = ("algorithm", "weights", "", "perfect (streams)", "good ⟨length⟩", "rest ⟨length⟩", "nets")


class Found(NamedTuple):
    """The numbers of a row's nets.

    Attributes:
        nets: the number of all nets.
        perfect: for each perfect net, its training streams.
        good: for each good net, the mean error-free test stream.
        rest: likewise for the others.
        diverged: the number of nets that diverged.
        out: the number of nets that ended without streams left to learn, because their symbols had run out.
    """

    nets: int
    perfect: list[int]
    good: list[float]
    rest: list[float]
    diverged: int
    out: int


def found(row: Row2000, trials: Sequence[Mapping[str, Any]]) -> Found:
    """Return the numbers of a row; trials with other data of the row do not count."""
    own = [t for t in trials if t["row"] == row.name and t["data"] == Job2000(row, 0, 0).data]
    perfect = [t["milestones"]["perfect"]["sequences"] for t in own if t["milestones"]["perfect"]]
    lengths = [t["length"] for t in own if not t["milestones"]["perfect"]]
    good, rest = ([n for n in lengths if (n > GOOD) is is_good] for is_good in (True, False))
    return Found(
        len(own),
        perfect,
        good,
        rest,
        sum(t["diverged"] is not None for t in own),
        sum(t["out of symbols"] for t in own),
    )


def cells(row: Row2000, ours: Found) -> list[tuple[str, ...]]:
    """Return the texts of a row's two lines, in the order of `HEAD`."""
    p = row.published
    first = (
        row.name, f"{row.weights} = {row.net.weights}", "published", _part(p.perfect, p.streams, "({:,})"),
        _part(p.good, p.good_length, "⟨{:,}⟩"), _part(p.rest, p.rest_length, "⟨{:,}⟩"), str(NETS),
    )  # fmt: skip
    n = ours.nets
    low, high = proportion(len(ours.perfect), n)
    perfect = f"{_percent(len(ours.perfect), n)} % [{low:.0%}, {high:.0%}]".replace("%,", " %,").replace("%]", " %]")
    if ours.perfect:
        ends = bootstrap(list(map(float, ours.perfect)))
        perfect += f" ({np.mean(ours.perfect):,.0f} [{ends[0]:,.0f}, {ends[1]:,.0f}])"
    notes = [f"{ours.diverged} diverged"] * (ours.diverged > 0) + [f"{ours.out} out of symbols"] * (ours.out > 0)
    last = f"{n} ({', '.join(notes)})" if notes else str(n)
    parts = [_part(_percent(len(own), n), np.mean(own) if own else None, "⟨{:,.0f}⟩") for own in (ours.good, ours.rest)]
    return [first, ("", "", "ours", perfect, *parts, last)]


def table(trials: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return the lines of all rows that have trials."""
    every = [(row, found(row, trials)) for row in ROWS]
    return [line for row, ours in every if ours.nets for line in cells(row, ours)]


def _part(percent: int, value: Any, form: str) -> str:
    return f"{percent} %" + (f" {form.format(value)}" if value is not None else "")


def _percent(count: int, nets: int) -> int:
    return round(100 * count / nets)
