"""The stored run: all literal trials, of the code as it is, and the tables that are made from it without training."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from minigrad.papers import report
from minigrad.papers.command import PAPERS
from minigrad.papers.hochreiter97.rows import ROWS
from minigrad.papers.machinery import code_hash
from minigrad.papers.results import read_results

FILE = max((Path(__file__).parents[2] / "docs" / "papers").glob("hochreiter97-*.json"))
VALUES = read_results(FILE)
LITERAL = [trial for trial in VALUES["trials"] if trial["reading"] == "literal"]
OTHERS = [row.read_as(name) for row in ROWS for name in row.readings]


def test_it_is_of_the_code_as_it_is() -> None:
    assert VALUES["code"] == code_hash("hochreiter97")
    assert report.outdated([*ROWS, *OTHERS], VALUES["trials"]) == []


def test_every_literal_trial_is_there_to_its_cap() -> None:
    found = Counter((trial["table"], trial["row"]) for trial in LITERAL)
    assert found == {(row.table, row.name): row.trials for row in ROWS}
    caps = {(row.table, row.name): row.cap for row in ROWS}
    assert all(trial["cap"] == caps[trial["table"], trial["row"]] for trial in LITERAL)
    assert {trial["seed"] for trial in LITERAL} == {report.SEED}


def test_a_milestone_that_was_not_reached_was_waited_for_to_its_cap() -> None:
    caps = {(row.table, row.name, m.name): m.cap for row in ROWS for m in row.milestones}
    for trial in LITERAL:
        for name, reached in trial["milestones"].items():
            if not reached:
                assert trial["diverged"] or trial["sequences"] >= caps[trial["table"], trial["row"], name]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.table}: {row.name}")
def test_every_line_has_a_verdict(row: object) -> None:
    for line in report.lines([row], LITERAL):  # type: ignore[list-item]
        assert line.verdict in ("match", "order", "no")


def test_the_page_is_made_from_the_file() -> None:
    literal, other = list(report.lines(ROWS, VALUES["trials"])), list(report.lines(OTHERS, VALUES["trials"]))
    page = report.markdown_page(PAPERS["hochreiter97"], VALUES, literal, other)
    assert page.startswith('# Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory"')
    lines = [line for line in page.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert len(lines) == len(literal) + len(other) >= 37
