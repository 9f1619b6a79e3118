"""Measurement of contenders in separate processes, in turn, compared within each round.

Each contender runs in one process for its part of the benchmark, with the same number of threads, and is warmed up
first. In each round the contenders measure one after the other, in alternating order. Threads of a matrix product wait
for each other, so another process on one core slows all of them. A round that other processes disturbed is therefore
measured again, for up to `patience` seconds (on Linux, where the system reports the use of the processor).
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from minigrad.bench.contenders import WORKERS, Contender

STAT = Path("/proc/stat")
PAUSE_SECONDS = 0.1  # between measurements with several threads: those of a product keep spinning for a while
DISTURBED = 0.1  # fraction of one core used by other processes
# They make OpenBLAS run the kernels of another processor, some at half the speed (measured on a Zen 5).
KERNEL_CHOICE = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
TICKS = 0.03  # seconds: the system counts in hundredths of a second


class MeasureError(Exception):
    """Raised for a contender that fails. Its row gives the reason; the others continue."""


class Measurement(NamedTuple):
    """One measurement."""

    seconds: float  # of one operation
    wall: float  # seconds of all repeats
    disturbed: bool  # whether other processes used the processor


class Measurable(Protocol):
    """A participant of `compare`."""

    name: str
    pause: float  # seconds before a measurement

    def measure(self, request: Any, repeats: int) -> Measurement:
        """Measure a request repeated in succession; raise MeasureError if it fails."""


class Effort(NamedTuple):
    """Number of rounds, and the time spent on them."""

    rounds: int  # undisturbed rounds to reach
    patience: float  # seconds for repeats of disturbed rounds, for each row
    batch_seconds: float  # shortest duration of a measurement, reached by repeats


class Worker:
    """The process of a contender, which runs `workers.serve`.

    Args:
        contender: the contender.
        threads: the number of threads it may use.

    Attributes:
        versions: versions of its libraries.
        missing: the reason why it is unavailable, or empty.
        path: the implementation that ran the last request, if the contender reports it.
    """

    def __init__(self, contender: Contender, threads: int) -> None:
        """Start the process; `connect` waits for it."""
        self.contender, self.name, self.pause = contender, contender.name, PAUSE_SECONDS if threads > 1 else 0.0
        self.versions: dict[str, str] = {}
        self.missing = self.path = ""
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 (closed in `close`)
        self._process = subprocess.Popen(
            [
                contender.python,
                str(WORKERS / "serve.py"),
                str(WORKERS / contender.file),
                contender.variant,
                f"{threads}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            env=_environment(contender, threads),
        )

    def connect(self) -> None:
        """Wait until the library is imported, and store its versions or the reason why it is missing."""
        try:
            answer = self._answer()
        except MeasureError as error:
            self.missing = str(error)
            return
        self.versions = answer.get("versions", {})
        self.missing = f"not installed: {answer['missing']}" if "missing" in answer else ""

    def measure(self, request: Any, repeats: int) -> Measurement:
        """Measure a request repeated in succession."""
        time.sleep(self.pause)
        start, used_by_all = time.perf_counter(), processor_seconds()
        answer = self.ask(request, repeats)
        others = processor_seconds() - used_by_all - answer["used"]
        return Measurement(answer["seconds"], answer["wall"], disturbed(others, time.perf_counter() - start))

    def ask(self, request: Any, repeats: int = 1) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises:
            MeasureError: the request failed, or the process has ended.
        """
        try:
            print(json.dumps([request, repeats]), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise MeasureError(self._ended()) from None
        answer = self._answer()
        self.path = answer.get("path", "")
        if "failed" in answer:
            raise MeasureError(f"failed: {answer['failed']}")
        return answer

    def ended(self) -> bool:
        """Return whether the process has ended."""
        return self._process.poll() is not None

    def close(self) -> None:
        """End the process."""
        self._process.kill()  # it holds no data, and may be in a long run
        self._process.communicate()
        self._stderr.close()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise MeasureError(self._ended())
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise MeasureError(f"failed: expected an answer in JSON, got {line.strip()[:80]!r}") from None
        return answer

    def _ended(self) -> str:
        code = self._process.wait()
        self._stderr.seek(0)
        lines = [line.strip() for line in self._stderr if line.strip()]
        return f"failed: {lines[-1] if lines else 'the process printed nothing'} (exit code {code})"


def _environment(contender: Contender, threads: int) -> dict[str, str]:
    """Return environment variables with the number of threads, and for minigrad its import path.

    Those of KERNEL_CHOICE are left out.
    """
    names = [f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMBA")]
    environment = {**os.environ, **dict.fromkeys(names, str(threads)), "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name in KERNEL_CHOICE:
        environment.pop(name, None)
    if contender.backend:
        environment["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return environment


# --- the measurement --------------------------------------------------------------------------------------------------


class Comparison(NamedTuple):
    """Result of the rounds.

    Attributes:
        seconds: contender → seconds, round by round, in the same order for all.
        quiet: the number of undisturbed rounds. Disturbed rounds are kept only if fewer than two are undisturbed.
        failed: contender → the reason of its failure.
    """

    seconds: dict[str, list[float]]
    quiet: int
    failed: dict[str, str]


def compare(workers: Sequence[Measurable], request: Any, effort: Effort) -> Comparison:
    """Measure workers in turn; those that fail are excluded.

    Args:
        workers: the participants.
        request: the request to time.
        effort: the number of rounds and their durations.
    """
    repeats: dict[str, int] = {}
    failed: dict[str, str] = {}
    for worker in workers:
        try:
            repeats[worker.name] = _repeats(worker, request, effort.batch_seconds)
        except MeasureError as error:
            failed[worker.name] = str(error)
    active = [worker for worker in workers if worker.name in repeats]
    quiet: list[list[float]] = []
    noisy: list[list[float]] = []
    deadline = time.monotonic() + effort.patience
    while active and len(quiet) < effort.rounds:
        if len(quiet) + len(noisy) >= effort.rounds and time.monotonic() >= deadline:
            break
        try:
            found = _round(active, request, repeats, backwards=len(quiet + noisy) % 2 == 0)
        except _WorkerFailedError as error:  # earlier rounds stay, without that worker
            failed[error.name] = str(error)
            k = [worker.name for worker in active].index(error.name)
            for row in (*quiet, *noisy):
                del row[k]
            del active[k]
            continue
        noise = any(measured.disturbed for measured in found)
        (noisy if noise else quiet).append([measured.seconds for measured in found])
        if noise:
            time.sleep(active[0].pause * 10)
    counted = quiet if len(quiet) > 1 else quiet + noisy
    columns = {worker.name: [row[k] for row in counted] for k, worker in enumerate(active)}
    return Comparison(columns, len(quiet), failed)


class _WorkerFailedError(Exception):
    """Raised for a worker that fails during a round."""

    def __init__(self, name: str, error: MeasureError) -> None:
        super().__init__(str(error))
        self.name = name


def _round(active: Sequence[Measurable], request: Any, repeats: dict[str, int], backwards: bool) -> list[Measurement]:
    """Return one measurement of each worker in the order of `active`, measured forwards or backwards."""
    found = []
    for worker in active[:: -1 if backwards else 1]:
        try:
            found.append(worker.measure(request, repeats[worker.name]))
        except MeasureError as error:
            raise _WorkerFailedError(worker.name, error) from error
    return found[:: -1 if backwards else 1]


def _repeats(worker: Measurable, request: Any, seconds: float) -> int:
    """Return the number of repeats in this many seconds, after a warm-up that compiles and fills caches."""
    worker.measure(request, 1)
    count = 1
    while (wall := worker.measure(request, count).wall) < seconds / 4:
        count = max(2 * count, math.ceil(count * seconds / 4 / max(wall, 1e-6)))
    return max(1, math.ceil(count * seconds / wall))


def disturbed(others: float, wall: float) -> bool:
    """Return whether other processes used more of the processor than allowed.

    Args:
        others: processor seconds of other processes.
        wall: the seconds in which they were used.
    """
    return others > max(TICKS, DISTURBED * wall)


def processor_seconds() -> float:
    """Return the processor seconds of all processes on all cores; always 0 if the system does not report them."""
    if not STAT.exists():
        return 0.0
    user, nice, system, _idle, _iowait, *rest = map(int, STAT.read_text().partition("\n")[0].split()[1:])
    return (user + nice + system + sum(rest[:3])) / os.sysconf("SC_CLK_TCK")
