"""Weight guessing: a test that every net passes, one that none passes, and the two-sequence problem."""

from __future__ import annotations

import dataclasses

from minigrad.papers.guessing import guess
from minigrad.papers.hochreiter97.rows import ROWS
from minigrad.papers.row import Checked, Milestone, Window
from minigrad.papers.tasks.two_sequences import TwoSequences
from papers.test_trial import EASY


def test_the_first_guess_passes_an_easy_test() -> None:
    assert guess(EASY, 0, 1.0, 5, compiles=False) == 1  # a window of 30 sequences
    hard = Milestone(stop=Checked(sequences=10, tolerance=1e-9), published=1)
    assert guess(dataclasses.replace(EASY, milestones=(hard,)), 0, 1.0, 5, compiles=False) is None


def test_a_guess_solves_the_two_sequence_problem() -> None:
    row = next(row for row in ROWS if row.table == 4)
    stop = Milestone(stop=Window(length=10, tolerance=0.2), published=1)
    short = dataclasses.replace(row, task=TwoSequences(5, 2), milestones=(stop,))
    found = guess(short, 1, 20.0, 3000, compiles=False)
    assert found is not None
    assert found > 1
    assert guess(short, 1, 20.0, 3000, compiles=False) == found
