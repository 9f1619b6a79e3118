"""A row of a published table as data: net, task, learning, stops, published numbers; and its other readings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from minigrad.papers.batch import Task
from minigrad.papers.net import Net, Start

CAP = 2  # a milestone's cap, in published means: a mean beyond it can only be a "no"


Update = Literal["step", "sequence", "late"]


@dataclass(frozen=True, kw_only=True)
class Window:
    """A stop during training, from the errors of the last sequences at their last step.

    Attributes:
        length: the number of sequences.
        tolerance: a sequence is correct if the error of every output is below it.
        fewer_than: the number of incorrect sequences is below this.
        mean_below: the mean error is below this; the error of a sequence is the sum over the outputs.
        squared: whether the mean is that of squared errors.
        average: the mean: of the window, or an exponential average over all sequences, whose time constant is the
            window's length and whose first value is the first error.
        count: the sequence that counts: the last of the window, "end", or the one before the window, "start".
    """

    length: int
    tolerance: float
    fewer_than: int = 1
    mean_below: float = float("inf")
    squared: bool = False
    average: Literal["window", "exponential"] = "window"
    count: Literal["end", "start"] = "end"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A stop from tests without learning, after every hundred sequences.

    Attributes:
        sequences: the number of test sequences; their errors count at the last step, or at all that have a target.
        tolerance: a sequence is correct if the error of every output is below it; 0 for the ranking of symbols, in
            which every legal next symbol is more active than every other.
        fewer_than: the number of incorrect sequences is below this.
        mean_below: the mean error is below this.
        last: whether the last step alone counts, where every step has a target.
    """

    sequences: int
    tolerance: float
    fewer_than: int = 1
    mean_below: float = float("inf")
    last: bool = False


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The rule by which a net that begins without its memory cells gets them: its error has stopped decreasing.

    Attributes:
        window: the number of sequences, a multiple of 100, whose mean error is compared with that of the window before.
        falls: the part of the error before by which it has to fall; the cells are added when it does not.
    """

    window: int = 100
    falls: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Milestone:
    """A point of learning that a table reports.

    Attributes:
        name: its name in the table; "" where a row has no other.
        stop: the rule that recognises it.
        published: the mean number of training sequences, as printed.
        test: the result of the final test, as printed; "" if there is none.
    """

    name: str = ""
    stop: Window | Checked
    published: int
    test: str = ""

    @property
    def cap(self) -> int:
        """The number of sequences after which a trial has failed: twice the published mean."""
        return CAP * self.published

    @property
    def after(self) -> int:
        """The number of sequences that a trial runs after those that count."""
        return self.stop.length if isinstance(self.stop, Window) and self.stop.count == "start" else 0


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table, in its literal reading or another.

    Attributes:
        table: the number of the table.
        name: the row's words in the table.
        task: the sequences.
        net: the net.
        weights: the number of weights, as printed.
        start: the first weights.
        rate: the learning rate.
        update: when weights change: at every step with a target, after each sequence, or late: after the first step of
            the next one.
        trials: the number of trials, as printed.
        success: the percentage of successful trials, as printed.
        milestones: one or more, of the same trials, each harder than the one before.
        test: the number of sequences of the final test; 0 for none.
        groups: consecutive trials share what a task prepares, such as a training set: this number of them.
        grows: the rule by which memory cells are added; None if they are there from the start.
        readings: by name, other readings.
        reading: the name of this reading.
    """

    table: int
    name: str
    task: Task
    net: Net
    weights: int
    start: Start
    rate: float
    update: Update = "sequence"
    trials: int
    success: int = 100
    milestones: tuple[Milestone, ...]
    test: int = 0
    groups: int = 1
    grows: Growth | None = None
    readings: Mapping[str, Reading] = field(default_factory=dict, repr=False, compare=False)
    reading: str = "literal"

    @property
    def cap(self) -> int:
        """The number of sequences of the longest trial: the largest cap of its milestones, and sequences after it."""
        return max(m.cap + m.after for m in self.milestones)

    def read_as(self, name: str) -> Row:
        """Return the row in another of its readings."""
        row = self
        for place, value in self.readings[name].changes.items():
            row = _changed(row, place.split("."), value)
        return dataclasses.replace(row, reading=name)


@dataclass(frozen=True)
class Reading:
    """Another reading of a row.

    Attributes:
        text: the reading in a few words.
        changes: for places such as ``"net.silent"``, another value; ``"stop.…"`` means the stops of all milestones.
        before: whether it was fixed before any run; the others were chosen after some results had been seen.
    """

    text: str
    changes: Mapping[str, Any]
    before: bool = False


def _changed(part: Any, place: list[str], value: Any) -> Any:
    """Return a dataclass with another value at a place inside it."""
    name, *rest = place
    if name == "stop" and isinstance(part, Row):
        stops = tuple(_changed(m, place, value) for m in part.milestones)
        return dataclasses.replace(part, milestones=stops)
    return dataclasses.replace(part, **{name: _changed(getattr(part, name), rest, value) if rest else value})


FULL = Reading("the full gradient", {"net.full": True})
HALF = Reading("activations of 0.5 before the first step", {"net.start": 0.5}, before=True)
SILENT = Reading("recurrent weights carry no signal", {"net.silent": True})
CAPTION = Reading(
    "h in [−2, 2], g in [−1, 1]: the caption of Table 10", {"net.h_max": 2.0, "net.g_max": 1.0}, before=True
)
ADDED = Reading("gate biases added to random numbers, as in the later simulator", {"start.added": True}, before=True)
LATE = Reading(
    "weights change after the first step of the next sequence, as in the later simulator",
    {"update": "late"},
    before=True,
)
COMMON = {"start at 0.5": HALF, "caption": CAPTION, "late": LATE}
"""Readings that every row with output gates has."""


def doubled(rate: float) -> Reading:
    """Return the reading of a row with this learning rate in which gradients have a factor 2."""
    return Reading("a factor 2 in gradients: equations 16 and 17", {"rate": 2 * rate}, before=True)


def cells_only(weights: int) -> Reading:
    """Return the reading without gates as sources; its net has this number of weights."""
    return Reading("another net: only cells are sources", {"net.sources": "cells", "weights": weights})


def biased(rate: float, second_biases: int) -> dict[str, Reading]:
    """Return the readings of a row whose gates have biases.

    Args:
        rate: its learning rate.
        second_biases: the number of weights with a second bias.
    """
    second = {"net.biases": "all", "net.output_biases": True, "net.second_biases": True, "weights": second_biases}
    text = "a second bias of hidden units, that of the outputs"
    return {
        **COMMON,
        "factor 2": doubled(rate),
        "added biases": ADDED,
        "second biases": Reading(f"another net: {text}, as in the later simulator", second, before=True),
        "simulator": Reading(
            f"all of the later simulator: activations of 0.5, added biases, late, {text}",
            {**HALF.changes, **ADDED.changes, **LATE.changes, **second},
            before=True,
        ),
    }
