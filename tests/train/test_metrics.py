"""metrics.jsonl: a line a step, none twice."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from file_errors import IS_A_FOLDER
from minigrad.engine.files import FileError
from minigrad.train.checkpoint import load
from minigrad.train.errors import RunError
from minigrad.train.metrics import Metrics
from minigrad.train.progress import Silent
from minigrad.train.run import Run
from train.runs import StopAt, options_of


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
    with pytest.raises(RunError, match=rf"metrics\.jsonl: {IS_A_FOLDER}"):
        metrics.read()


# --- what a power cut leaves ----------------------------------------------------------------------


def test_the_lines_are_on_the_disk_before_each_checkpoint(tmp_path, corpus, monkeypatch):
    """Order of the writes: first all lines of a checkpoint's steps, then the checkpoint."""
    synced, moved = [0], []
    fsync, replace = os.fsync, os.replace

    def counted(descriptor):
        fsync(descriptor)
        if path.exists() and os.path.samestat(os.fstat(descriptor), os.stat(path)):
            synced[0] = path.read_bytes().count(b"\n")

    def noted(source, target):
        replace(source, target)
        if str(target).endswith(".npz"):
            moved.append((load(Path(target)).about["step"], synced[0]))

    path = tmp_path / "run" / "metrics.jsonl"
    monkeypatch.setattr("os.fsync", counted)
    monkeypatch.setattr("os.replace", noted)
    Run.create(tmp_path / "run", options_of("reber", corpus, steps=12, evaluate_every=4, save_every=3), "reber").train()
    assert len(moved) >= 6
    assert all(lines >= step for step, lines in moved), moved


class Notes(Silent):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, corpus):
    """A run of 12 steps that was stopped after step 9, and the files of one that was not."""
    place = tmp_path_factory.mktemp("stopped")
    options = options_of("reber", corpus, steps=12, evaluate_every=3, save_every=3)
    stop = StopAt(9)
    Run.create(place / "run", options, "reber").train(stop, stop.interruption)
    Run.create(place / "whole", options, "reber").train()
    return place


@pytest.mark.parametrize("tail", [b"", b'{"step": 10, "lo', bytes(300), b'\0\n{"st\n' + bytes(9), b"\xff\n" * 9])
@pytest.mark.parametrize(
    ("lines", "said"), [(9, ""), (11, ""), (8, "step 9"), (4, "steps 5 to 9"), (0, "steps 1 to 9")]
)
def test_a_run_goes_on_and_says_which_lines_are_missing(stopped, tmp_path, lines, said, tail):
    shutil.copytree(stopped / "run", tmp_path / "run")
    path, whole = tmp_path / "run" / "metrics.jsonl", (stopped / "whole" / "metrics.jsonl").read_bytes()
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:lines]) + tail)
    progress = Notes()
    assert Run.resume(tmp_path / "run").train(progress)
    gaps = [note for note in progress.notes if "missing" in note]
    assert gaps == ([f"{path}: {said} missing. The run continues; its curve has a gap."] if said else [])
    kept = [line for line in whole.splitlines(keepends=True) if json.loads(line)["step"] <= min(lines, 9)]
    assert path.read_bytes() == b"".join(kept) + b"".join(whole.splitlines(keepends=True)[9:])
    for name in ("checkpoint.npz", "best.npz", "result.json", "config.json"):
        assert (tmp_path / "run" / name).read_bytes() == (stopped / "whole" / name).read_bytes(), name


def test_a_result_is_that_of_the_last_step_though_its_line_is_gone(stopped, tmp_path):
    shutil.copytree(stopped / "whole", tmp_path / "run")
    path = tmp_path / "run" / "metrics.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:5]))
    (tmp_path / "run" / "result.json").unlink()
    assert Run.resume(tmp_path / "run").train()
    assert (tmp_path / "run" / "result.json").read_bytes() == (stopped / "whole" / "result.json").read_bytes()


def test_a_damaged_line_among_those_that_are_kept_is_an_error(metrics):
    first, _, third = metrics.path.read_bytes().splitlines(keepends=True)
    metrics.path.write_bytes(first + b"\0\0\0\n" + third)
    with pytest.raises(RunError, match="line 2: expected a JSON object with a step above 1"):
        metrics.keep_until(3)
    assert metrics.keep_until(2) == [(2, 2)]
    assert metrics.path.read_bytes() == first


@pytest.mark.parametrize(
    ("steps", "gaps"),
    [([], [(1, 5)]), ([1, 2, 3, 4, 5], []), ([2, 4, 5], [(1, 1), (3, 3)]), ([3, 9], [(1, 2), (4, 5)])],
)
def test_gaps(tmp_path, steps, gaps):
    metrics = Metrics(tmp_path / "m")
    for step in steps:
        metrics.append({"step": step})
    assert metrics.keep_until(5) == gaps
