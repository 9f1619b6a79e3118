"""Several processes give the numbers of one: random splits of rows, every task, custom loops and `fit`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import mpi

HERE = Path(__file__).parent
PROCESSES = (2, 3)
TOLERANCE = 1e-10  # float64


@pytest.mark.parametrize("processes", [*PROCESSES, 4])
def test_any_split_of_rows_gives_the_gradient_of_one_process(processes):
    job = mpi.run(processes, HERE / "splits.py", "16")
    assert job.returncode == 0, job.stderr
    worst = [float(x) for x in re.findall(r"16 cases, (\S+)", job.stdout)]
    assert len(worst) == processes
    assert max(worst) < TOLERANCE


def outcomes(program, tmp_path, processes):
    out = tmp_path / f"{processes}.npz"
    job = mpi.run(processes, HERE / program, tmp_path, out)
    assert job.returncode == 0, job.stderr
    with np.load(out) as found:
        return dict(found)


def text_and_series(folder):
    (folder / "text.txt").write_text("the cat sat on the mat, and the dog did not. " * 40)
    (folder / "series.csv").write_text("value\n" + "\n".join(f"{np.sin(k / 3) + k % 7:.4f}" for k in range(400)))


@pytest.mark.parametrize("processes", PROCESSES)
def test_every_task_trains_as_in_one_process(tmp_path, processes):
    text_and_series(tmp_path)
    one, several = (outcomes("tasks.py", tmp_path, n) for n in (1, processes))
    assert one.keys() == several.keys()
    assert any("text/states" in name for name in one)
    for name, array in one.items():
        np.testing.assert_allclose(several[name], array, rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)


@pytest.mark.parametrize("processes", PROCESSES)
def test_custom_loops_and_fit_as_in_one_process(tmp_path, processes):
    one = outcomes("loops.py", tmp_path / "one", 1) if (tmp_path / "one").mkdir() is None else {}
    (tmp_path / "several").mkdir()
    several = outcomes("loops.py", tmp_path / "several", processes)
    for name, array in one.items():
        np.testing.assert_allclose(several[name], array, rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)
    assert several["same in all processes"]
    assert several["stopped"] == 2  # a callback of one process stops all
    assert (tmp_path / "several" / "log.csv").read_text().count("epoch") == 1
