"""metrics.jsonl: a line a step, none twice."""

from __future__ import annotations

import json

import pytest

from minigrad.keras.files import FileError
from minigrad.train.errors import RunError
from minigrad.train.metrics import Metrics


@pytest.fixture
def metrics(tmp_path):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    for step in (1, 2, 3):
        metrics.append({"step": step, "loss": 1 / step})
    return metrics


def test_lines_come_back(metrics):
    assert metrics.read() == [{"step": step, "loss": 1 / step} for step in (1, 2, 3)]


def test_what_came_after_a_checkpoint_is_forgotten_and_written_again_alike(metrics):
    before = metrics.path.read_bytes()
    metrics.keep_until(1)
    assert metrics.read() == [{"step": 1, "loss": 1.0}]
    for step in (2, 3):
        metrics.append({"step": step, "loss": 1 / step})
    assert metrics.path.read_bytes() == before


def test_a_line_cut_short_at_the_end_does_not_count(metrics):
    with metrics.path.open("a") as file:
        file.write('{"step": 4, "lo')
    assert [record["step"] for record in metrics.read()] == [1, 2, 3]
    metrics.keep_until(3)
    metrics.append({"step": 4, "loss": 0.25})
    assert metrics.read()[-1] == {"step": 4, "loss": 0.25}


@pytest.mark.parametrize("line", ["nonsense", "[1]", "{}", '{"step": "x"}', ""])
def test_a_line_in_the_middle_that_is_none(metrics, line):
    with metrics.path.open("a") as file:
        file.write(line + '\n{"step": 5}\n')
    with pytest.raises(RunError, match="line 4: expected a JSON object with a step"):
        metrics.read()


def test_what_is_not_finite_is_null(tmp_path):
    metrics = Metrics(tmp_path / "m")
    metrics.append({"step": 1, "loss": float("nan"), "validation": {"mse": float("inf")}})
    assert json.loads(metrics.path.read_text()) == {"step": 1, "loss": None, "validation": {"mse": None}}


def test_no_file_is_no_lines(tmp_path):
    assert Metrics(tmp_path / "none").read() == []


def test_a_file_that_cannot_be_written_or_read(tmp_path):
    (tmp_path / "metrics.jsonl").mkdir()
    metrics = Metrics(tmp_path / "metrics.jsonl")
    with pytest.raises(FileError, match=r"metrics\.jsonl: cannot be written: Is a directory"):
        metrics.append({"step": 1})
    with pytest.raises(RunError, match=r"metrics\.jsonl: cannot be read: it is a folder"):
        metrics.read()
