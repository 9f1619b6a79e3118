"""Sweeps: the grid, the same bits as a loop, reruns, killed and failed trials, the report."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from minigrad.train import sweep, sweep_report
from minigrad.train.commands.sweep import grid_of, main
from minigrad.train.errors import OptionError, RunError
from minigrad.train.executors import InTurn, completed, executor_of
from minigrad.train.run import Run
from minigrad.train.sweep import run_trial, trials_of
from minigrad.train.tasks import TASKS
from minigrad.train.threads import one_thread

SMALL = {"steps": "6", "length": "5", "batch": "3", "evaluate_every": "3"}
FILES = ("config.json", "metrics.jsonl", "checkpoint.npz", "result.json")


def trials(folder, seeds=3, **given):
    options, grid = grid_of("adding", {**SMALL, "units": "2,4", **given}, str(seeds))
    return trials_of(Path(folder), "adding", options, grid)


def words(folder, *more):
    return [
        "adding",
        *(w for k, v in SMALL.items() for w in (f"--{k.replace('_', '-')}", v)),
        "--out",
        str(folder),
        *more,
    ]


def test_the_grid_is_every_combination_in_order(tmp_path):
    found = trials(tmp_path, learning_rate="0.1,0.01")
    assert len(found) == 2 * 2 * 3
    assert len({trial.folder for trial in found}) == 12
    assert [t.point for t in found[:2]] == [
        {"units": 2, "learning_rate": 0.1, "seed": 0}, {"units": 2, "learning_rate": 0.1, "seed": 1}
    ]  # fmt: skip
    assert {t.options.steps for t in found} == {6}


@pytest.mark.parametrize(
    ("given", "seeds", "expected"),
    [
        ({"units": "2,2"}, "1", "--units: expected different values"),
        ({"units": "2,x"}, "1", "--units: expected a positive integer"),
        ({"seed": "1,2"}, "3", "--seeds N or a list of --seed"),
        ({"minutes": "1"}, "1", "expected --steps, got --minutes"),
        ({}, "0", "--seeds: expected a positive integer"),
        ({"units": ",".join(map(str, range(1, 102)))}, "1000", "at most 100,000 trials"),
    ],
)
def test_a_wrong_grid_is_refused(tmp_path, given, seeds, expected):
    with pytest.raises(OptionError, match=expected):
        trials_of(tmp_path, "adding", *grid_of("adding", given, seeds))


@pytest.mark.parametrize("processes", [1, 2])
def test_trials_give_the_bytes_of_a_loop(tmp_path, processes):
    found = trials(tmp_path / "sweep", seeds=1 + (processes == 1))
    with executor_of(processes) as executor:
        records = list(completed(run_trial, found, executor))
    assert len(records) == len(found)
    for trial in found:
        alone = tmp_path / "alone" / Path(trial.folder).name
        with one_thread():
            Run.create(alone, trial.options, "adding").train()
        for name in FILES:
            assert (alone / name).read_bytes() == (Path(trial.folder) / name).read_bytes()


def test_the_command_runs_only_what_is_missing(tmp_path, monkeypatch, capsys):
    folder, ran = tmp_path / "sweep", []
    original = sweep.run_trial
    monkeypatch.setattr("minigrad.train.commands.sweep.run_trial", lambda trial: ran.append(trial) or original(trial))
    more = ("--units", "2,4", "--processes", "1")
    assert main(words(folder, "--seeds", "2", *more)) == 0
    assert len(ran) == 4
    assert main(words(folder, "--seeds", "3", *more)) == 0
    assert len(ran) == 4 + 2
    said = capsys.readouterr().out
    assert "units 4  3" in said
    with open(folder / "sweep.csv", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 6
    assert main(["--report", str(folder)]) == 0
    assert "6 of 6 trials are finished." in capsys.readouterr().out
    with pytest.raises(RunError, match="another sweep"):
        main(words(folder, "--seeds", "3", "--layers", "2", *more))


def test_a_killed_trial_is_resumed_with_the_same_bytes(tmp_path):
    whole, killed = trials(tmp_path / "whole", seeds=1), trials(tmp_path / "killed", seeds=1)
    assert all("value" in record for record in completed(run_trial, whole, InTurn()))
    run = Run.create(killed[0].folder, killed[0].options, "adding")
    run._train_step(_Quiet())
    run.save()
    del run
    assert all("value" in record for record in completed(run_trial, killed, InTurn()))
    for a, b in zip(whole, killed, strict=True):
        for name in FILES:
            assert (Path(a.folder) / name).read_bytes() == (Path(b.folder) / name).read_bytes()


class _Quiet:
    def update(self, *args):
        pass

    def note(self, text):
        pass


def test_a_failed_trial_is_counted_and_does_not_end_the_others(tmp_path, capsys):
    more = ("--learning-rate", "0.01,1e30", "--warmup", "0", "--clip-norm", "1e30", "--processes", "1")
    code = main(words(tmp_path / "sweep", "--seeds", "1", *more))
    said = capsys.readouterr().out
    assert code == 1
    assert "1 trials failed" in said
    assert "learning rate 0.01" in said


def test_an_error_in_a_job_finishes_those_that_run():
    def job(n):
        if n == 1:
            raise ValueError("one")
        return n

    found = []
    with executor_of(1) as executor, pytest.raises(ValueError, match="one"):
        found.extend(completed(job, range(3), executor))


def test_the_table_has_median_and_quartiles():
    records = [{"units": 2, "seed": k, "value": float(k), "baseline": 1.0, "beats_baseline": k < 1} for k in range(5)]
    text = sweep_report.table(records, {"units": [2, 4], "seed": list(range(5))}, TASKS["adding"])
    (line,) = [line for line in text.splitlines() if line.startswith("units 2")]
    assert line.split()[2:] == ["5", "2", "1", "…", "3", "0", "…", "4", "1", "of", "5"]


def test_a_value_that_is_not_finite_has_no_place_in_the_median():
    assert sweep_report.finite([{"value": None}, {"value": float("nan")}, {"value": 2.0}, {"error": "x"}]) == [2.0]
    assert np.isfinite(sweep_report.finite([{"value": 1.0}])).all()
    assert "dask" not in sys.modules
