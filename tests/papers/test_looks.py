"""The looks beyond the literal readings, and the measurement of the state's drift."""

from __future__ import annotations

import re

import pytest

from minigrad.papers import command
from minigrad.papers.drift import measure
from minigrad.papers.hochreiter97.looks import LOOKS, Look
from minigrad.papers.hochreiter97.rows import ROWS


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"Table {look.table}")
def test_every_look_names_rows_and_readings(look: Look) -> None:
    rows = [row for row in ROWS if row.table == look.table]
    assert all(command.rows_named([word], rows) for word in look.rows)
    known = {name for row in command.rows_named(look.rows or [""], rows) for name in row.readings}
    assert set(look.readings) <= known


def test_the_command_of_a_look() -> None:
    """The words of the command choose its rows."""
    look = LOOKS[0]
    _, table, rows, readings = (word.strip('"') for word in re.split(" --[a-z]+ ", look.command))
    options = command.PapersOptions(table=table, rows=rows, readings=readings)
    found = command.chosen_rows(options)
    assert {row.name for row in found} == {"q = 50, p = 50", "q = 100, p = 100"}
    assert {row.reading for row in found} == set(look.readings)


def test_a_name_is_not_a_word_of_longer_names() -> None:
    rows = command.chosen_rows(command.PapersOptions(table="7", rows="T = 100"))
    assert [row.name for row in rows] == ["T = 100"]


@pytest.mark.parametrize("reading", ["literal", "silent + streak start"])
def test_drift(reading: str) -> None:
    row = next(row for row in ROWS if row.name == "q = 50, p = 50")
    row = row if reading == "literal" else row.read_as(reading)
    found = measure(row, 100, 1, compiles=False)
    assert found["wrong"] == 1.0  # of sequences: a hundred are too few
    for cell in range(2):
        assert 0.3 < found["input gate"][cell] < 0.7  # there are no biases
        assert abs(found["increment"][cell]) < 0.2
        assert found["spread"][cell] > 0
        assert found["signal"][cell] >= 0
