"""Several processes in the benchmark: rows of scripted jobs, a real job, the model of the page on scaling."""

from __future__ import annotations

import math

import pytest

import mpi
from docs.tables import scaling
from minigrad.bench import processes
from minigrad.bench.contenders import Contenders
from minigrad.bench.harness import Effort, Measurement
from minigrad.bench.processes import BATCH, FOUR, MESSAGES, ONE, TWO, UNDER
from minigrad.bench.sections import Benchmark

F, C, ALPHA, BETA, WEIGHTS = 0.02, 0.001, 2e-6, 5e9, 400_000


def seconds(kind, size, count):
    """The time of a step or an all-reduce by the model itself."""
    far = 2 * ALPHA * math.log2(count) + 2 * (count - 1) / count * 4 * (WEIGHTS if kind == "step" else size) / BETA
    return far if kind == "allreduce" else F + C * size / count + (far if count > 1 else 0.0)


@pytest.fixture
def section(monkeypatch):
    def job(self, request, repeats):
        self.numbers = float(WEIGHTS)
        return Measurement(seconds(request[0], int(request[1]), max(self._processes, 1)), 1.0, False)

    monkeypatch.setattr(processes.Job, "measure", job)
    monkeypatch.setattr(
        processes.Sweep, "measure", lambda self, request, repeats: Measurement(8.0 / self._processes, 1.0, False)
    )
    monkeypatch.setattr(processes, "find_launcher", lambda: "mpiexec")
    return processes.processes(Benchmark(Contenders(["numpy"]), Effort(3, 0.0, 0.0), 1))


def test_every_row_is_there_with_its_goal(section):
    rows = {(row.measure, row.contender): row for row in section.rows}
    step = "a step of the character model"
    assert len(rows) == 4 + 2 + 2 * len(MESSAGES)
    assert rows[step, TWO].target == pytest.approx(1 / 1.6)
    assert rows[step, UNDER].target == 1.03
    assert rows["a sweep of 100 trainings", TWO].ratio.median == pytest.approx(0.5)
    assert rows[step, FOUR].versus == ONE


def test_the_model_finds_the_numbers_that_made_the_rows(section):
    rows = [row.to_dict() for row in section.rows]
    alpha, beta = scaling.link(rows)
    assert alpha == pytest.approx(ALPHA)
    assert beta == pytest.approx(BETA)
    text = scaling.model_of(rows)
    assert f"f = {1e3 * F:.1f} ms" in text
    assert f"c = {1e6 * C:.0f} µs a row" in text
    ethernet = scaling.travel_of(16, *scaling.NETWORKS["10 Gbit/s Ethernet"], WEIGHTS)
    speed = seconds("step", BATCH, 1) / (F + C * BATCH / 16 + ethernet)
    assert f"| 16 | {1e3 * ethernet:.2f} ms | {speed:.1f} |" in text


def test_a_real_job_is_timed(monkeypatch):
    mpi.launcher()
    for name, value in mpi.environment().items():
        monkeypatch.setenv(name, value)
    found = processes.Job(TWO, 2, repeats=3).measure(["allreduce", "10"], 1)
    assert 0.0 < found.seconds < found.wall
