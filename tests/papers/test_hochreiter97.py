"""The rows of Tables 1 to 9: weights counted, caps, readings."""

from __future__ import annotations

import dataclasses

import pytest

from minigrad.papers.hochreiter97.rows import ROWS, TABLES
from minigrad.papers.row import Row, Window

NAMED = {f"{row.table}: {row.name}": row for row in ROWS}


def test_all_tables_are_there() -> None:
    assert TABLES == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert len(NAMED) == len(ROWS) == 30
    assert sum(len(row.milestones) for row in ROWS) == 37


@pytest.mark.parametrize("name", NAMED)
def test_the_printed_weights_are_those_of_the_net(name: str) -> None:
    row = NAMED[name]
    assert row.net.weights == row.weights


@pytest.mark.parametrize("name", NAMED)
def test_every_reading_is_a_row(name: str) -> None:
    row = NAMED[name]
    assert row.reading == "literal"
    for reading in row.readings:
        other = row.read_as(reading)
        assert other.reading == reading
        assert dataclasses.replace(other, reading="literal") != row  # something is different
        assert other.net.weights == other.weights
        assert [m.published for m in other.milestones] == [m.published for m in row.milestones]


@pytest.mark.parametrize("name", NAMED)
def test_the_cap_is_twice_the_published_mean(name: str) -> None:
    row = NAMED[name]
    assert [m.cap for m in row.milestones] == [2 * m.published for m in row.milestones]
    assert row.cap == max(m.cap for m in row.milestones)


def find(table: int, name: str) -> Row:
    return NAMED[f"{table}: {name}"]


def test_readings_change_every_milestone() -> None:
    row = find(8, "T = 100").read_as("squared")
    stops = [m.stop for m in row.milestones]
    assert all(isinstance(stop, Window) for stop in stops)
    assert [stop.tolerance for stop in stops] == [0.2, 0.2]
    assert [stop.fewer_than for stop in stops] == [140, 13]


def test_a_streak_that_does_not_count_is_within_the_cap() -> None:
    row = find(3, "q = 50, p = 50")
    assert row.cap == 60_000
    assert row.read_as("streak start").cap == 70_000


def test_a_reading_of_another_net() -> None:
    row = find(1, "3 blocks of 2, rate 0.5")
    assert row.read_as("shortcuts").net.weights == 332
    assert row.read_as("silent").net.weights == 276  # they are there, and carry no signal
