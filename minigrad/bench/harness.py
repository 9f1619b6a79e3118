"""How it is measured: contenders in processes of their own, in turn, compared within each round.

Each contender runs in a process that lives as long as its part of the benchmark, is handed the same number of threads,
and is warm before anything counts. In each round one measures after the other, in alternating order. Threads of a
product that wait for each other suffer out of proportion when another process wants a core, so a round in which others
were at work is measured again, as long as `patience` lasts (on Linux, where the system says who used the processor).
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
PAUSE_SECONDS = 0.1  # between measurements with several threads: those of a product go on spinning for a while
DISTURBED = 0.1  # of one core, taken by processes that are not measured
TICKS = 0.03  # seconds: the system counts in hundredths


class MeasureError(Exception):
    """A contender could not do what it was asked to. Its row says so; the others go on."""


class Measured(NamedTuple):
    """One measurement."""

    seconds: float  # of one operation
    wall: float  # of all
    disturbed: bool  # were other processes at work meanwhile?


class Measurable(Protocol):
    """Who can take part in `compare`."""

    name: str
    pause: float  # seconds before a measurement

    def measure(self, request: Any, repeats: int) -> Measured:
        """Time so many runs, one after the other, of what a request asks for; raises MeasureError."""


class Effort(NamedTuple):
    """How much is measured."""

    rounds: int  # quiet ones wanted
    patience: float  # for how many seconds disturbed rounds are measured again, for each row
    batch_seconds: float  # a measurement repeats what it times for at least so long


class Worker:
    """The process of a contender: the other end of `workers.serve`.

    Args:
        contender: who.
        threads: how many it may use.

    Attributes:
        versions: of what it measures.
        missing: why it cannot take part, or nothing.
        path: how it ran what it was asked for last, if it says.
    """

    def __init__(self, contender: Contender, threads: int) -> None:
        """Start the process; `greet` waits for it."""
        self.contender, self.name, self.pause = contender, contender.name, PAUSE_SECONDS if threads > 1 else 0.0
        self.versions: dict[str, str] = {}
        self.missing = self.path = ""
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 (closed in `close`)
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
            stderr=self._complaints,
            text=True,
            env=_environment(contender, threads),
        )

    def greet(self) -> None:
        """Wait until the library is imported, and learns its versions or that it is missing."""
        try:
            answer = self._answer()
        except MeasureError as error:
            self.missing = str(error)
            return
        self.versions = answer.get("versions", {})
        self.missing = f"not installed: {answer['missing']}" if "missing" in answer else ""

    def measure(self, request: Any, repeats: int) -> Measured:
        """Time so many runs, one after the other, of what a request asks for."""
        time.sleep(self.pause)
        start, used_by_all = time.perf_counter(), processor_seconds()
        answer = self.ask(request, repeats)
        others = processor_seconds() - used_by_all - answer["used"]
        return Measured(answer["seconds"], answer["wall"], disturbed(others, time.perf_counter() - start))

    def ask(self, request: Any, repeats: int = 1) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises:
            MeasureError: it went wrong there, or the process is no more.
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
        """Is the process no more?"""
        return self._process.poll() is not None

    def close(self) -> None:
        """End the process."""
        self._process.kill()  # it has nothing to lose, and may be in the middle of a long run
        self._process.communicate()
        self._complaints.close()

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
        self._complaints.seek(0)
        said = [line.strip() for line in self._complaints if line.strip()]
        return f"failed: {said[-1] if said else 'the process said nothing'} (exit code {code})"


def _environment(contender: Contender, threads: int) -> dict[str, str]:
    """Libraries learn from it how many threads to use, and ours where it is."""
    names = [f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMBA")]
    environment = {**os.environ, **dict.fromkeys(names, str(threads)), "TF_CPP_MIN_LOG_LEVEL": "3"}
    if contender.backend:
        environment["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return environment


# --- the measurement --------------------------------------------------------------------------------------------------


class Compared(NamedTuple):
    """What the rounds gave.

    Attributes:
        seconds: of each contender, round by round; those of the others stand at the same places.
        quiet: how many rounds there were in which nobody else was at work. The disturbed ones are only kept where
            fewer than two were quiet.
        failed: what went wrong for whom.
    """

    seconds: dict[str, list[float]]
    quiet: int
    failed: dict[str, str]


def compare(workers: Sequence[Measurable], request: Any, effort: Effort) -> Compared:
    """Measure workers in turn; who fails is left out.

    Args:
        workers: who takes part.
        request: what to time.
        effort: how long.
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
        except _OneFailedError as error:  # the rounds before stay, without it
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
    kept = quiet if len(quiet) > 1 else quiet + noisy
    columns = {worker.name: [row[k] for row in kept] for k, worker in enumerate(active)}
    return Compared(columns, len(quiet), failed)


class _OneFailedError(Exception):
    """Who failed in the middle of a round."""

    def __init__(self, name: str, error: MeasureError) -> None:
        super().__init__(str(error))
        self.name = name


def _round(active: Sequence[Measurable], request: Any, repeats: dict[str, int], backwards: bool) -> list[Measured]:
    """One measurement of each, in the order of `active` whichever way it was gone through."""
    found = []
    for worker in active[:: -1 if backwards else 1]:
        try:
            found.append(worker.measure(request, repeats[worker.name]))
        except MeasureError as error:
            raise _OneFailedError(worker.name, error) from error
    return found[:: -1 if backwards else 1]


def _repeats(worker: Measurable, request: Any, seconds: float) -> int:
    """How many runs take so long, once it is warm; the first compiles, or fills caches."""
    worker.measure(request, 1)
    count = 1
    while (wall := worker.measure(request, count).wall) < seconds / 4:
        count = max(2 * count, math.ceil(count * seconds / 4 / max(wall, 1e-6)))
    return max(1, math.ceil(count * seconds / wall))


def disturbed(others: float, wall: float) -> bool:
    """Did other processes take more of the processor than they may, in so many seconds?"""
    return others > max(TICKS, DISTURBED * wall)


def processor_seconds() -> float:
    """What all processes together have used of all cores; always 0 where the system does not tell."""
    if not STAT.exists():
        return 0.0
    user, nice, system, _idle, _iowait, *rest = map(int, STAT.read_text().partition("\n")[0].split()[1:])
    return (user + nice + system + sum(rest[:3])) / os.sysconf("SC_CLK_TCK")
