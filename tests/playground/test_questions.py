"""The questions: each right answer, and no other, against minigrad's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstm_on_tape import case_of, on_the_tape
from minigrad.playground.experiments import EXPERIMENTS
from minigrad.playground.networks import Network
from minigrad.playground.questions import QUESTIONS

BY_KEY = {each.key: each for each in EXPERIMENTS}


@pytest.fixture
def two(request: pytest.FixtureRequest, nets: dict[str, Network]) -> list[dict[str, Any]]:
    """Numbers before and after a question."""
    one = QUESTIONS[request.param]
    return [on_the_tape(case_of(BY_KEY[key], nets)) for key in (one.before, one.after)]


def asks(n: int) -> Any:
    return pytest.mark.parametrize("two", [n], indirect=True)


@asks(0)
def test_the_forget_bias(two: list[dict[str, Any]]) -> None:
    left = [np.abs(run["dc_0"]).sum() / np.abs(run["dc_through_o 7"]).sum() for run in two]
    assert 1 / 40 < left[1] / left[0] < 1 / 25
    assert QUESTIONS[0].choices[QUESTIONS[0].right].startswith("about a thirtieth")
    f = [np.mean([run[f"f {t}"] for t in range(8)]) for run in two]
    assert f == pytest.approx([0.75, 0.5], abs=0.03)
    assert round((0.5 / 0.75) ** 8, 2) == 0.04


@asks(1)
def test_a_closed_gate(two: list[dict[str, Any]]) -> None:
    left = np.abs(two[1]["dx 2"]).sum() / np.abs(two[0]["dx 2"]).sum()
    assert 0 < left < 0.1
    assert QUESTIONS[1].choices[QUESTIONS[1].right] == "less than a tenth"


@asks(2)
def test_closed_input_gates(two: list[dict[str, Any]]) -> None:
    assert all((two[1][name] == 0).all() for name in ("dW", "dU", "db"))
    assert all((two[0][name] != 0).any() for name in ("dW", "dU", "db"))
    assert QUESTIONS[2].choices[QUESTIONS[2].right] == "none of them"


def test_each_question_has_one_right_answer() -> None:
    for each in QUESTIONS:
        assert each.before in BY_KEY
        assert each.after in BY_KEY
        assert 0 <= each.right < len(each.choices) == len(set(each.choices)) == 3
    assert len({each.right for each in QUESTIONS}) > 1
