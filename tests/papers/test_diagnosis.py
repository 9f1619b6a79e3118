"""Measurements of how nets fail, on short trainings: shapes, ranges, the same numbers each time."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.papers import diagnosis
from minigrad.papers.diagnosis import adding_errors, grammar_errors, growth_on_a_stream
from papers.test_trial import tiny


def test_rows_are_found() -> None:
    assert diagnosis.find(7, "T = 100").weights == 93


def test_errors_by_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "TEST", 200)
    found = adding_errors(tiny(7), 0, 100, compiles=False)
    assert adding_errors(tiny(7), 0, 100, compiles=False) == found
    assert sum(found["count"]) == 200
    assert found["count"][5] > found["count"][0]  # a sum of two is rarely near its ends
    for count, mean, wrong in zip(found["count"], found["mean"], found["wrong"], strict=True):
        assert (mean is None) == (wrong is None) == (count == 0)
        assert count == 0 or (0 <= mean <= 1 and 0 <= wrong <= 1)
    assert found["mean"][1] > 0.2  # a net that has learnt little says about 0.5


def test_errors_of_the_grammar() -> None:
    found = grammar_errors(tiny(1), 0, 100, compiles=False)
    assert set(found) == {"seed", "inside", "to remember", "largest state", "cells at the edge"}
    assert 0 < found["inside"] < 1
    assert 0 <= found["to remember"] <= 1
    assert found["largest state"] > 0


def test_growth_of_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without forget gates the state of a net that has learnt nothing grows; with them it stays bounded."""
    monkeypatch.setattr(diagnosis, "STREAMS", 5)
    without, with_gates = (growth_on_a_stream(1, forget, compiles=False) for forget in (False, True))
    assert [one["forget gates"] for one in (without, with_gates)] == [False, True]
    assert without["largest state"][2] > 3 * without["largest state"][1]
    assert with_gates["largest state"][2] < 3 * with_gates["largest state"][1]
    assert np.shape(with_gates["cells at the edge"]) == (3,)
    assert 0 <= with_gates["right symbols"] < 1000
