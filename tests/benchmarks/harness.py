"""What the benchmarks share: contenders in processes of their own, measured in turn, compared by medians of ratios.

Each contender runs in a process of its own that lives as long as the benchmark, is handed the same number of threads,
and is warm before anything counts. In each round one measures after the other, in alternating order; the figure to read
is the median of the rounds' ratios, and the middle half says how far to trust it. Threads of a product that wait for
each other suffer out of proportion when another process wants a core, so a round in which others were at work is
measured again, as long as `patience` lasts (on Linux, where the system says who used the processor).

A benchmark is a script with a `main` that makes `Worker`s, which start the same script again with ``--worker NAME
--threads N``; there it calls `work`. Only the standard library is imported here, for the interpreters of other
libraries run it too.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

STAT = Path("/proc/stat")
PAUSE_SECONDS = 0.1  # between measurements with several threads: those of a product go on spinning for a while
DISTURBED = 0.1  # of one core, taken by processes that are not measured
TICKS = 0.03  # seconds: the system counts in hundredths

Built = tuple[Callable[[], Any], int]
"""What is to be timed, and how many operations it is."""


# --- a worker: one contender in a process of its own ------------------------------------------------------------------


def work(versions: dict[str, str], build: Callable[[Any], Built]) -> None:
    """Answers each line of standard input, [request, repeats], with what `Worker.measure` returns.

    Args:
        versions: of what is measured, for the header.
        build: makes what a request asks for; the one before is done with then, and its memory goes.
    """
    print(json.dumps({"python": platform.python_version(), **versions}), flush=True)
    built: dict[str, Built] = {}
    for line in sys.stdin:
        request, repeats = json.loads(line)
        key = json.dumps(request)
        if key not in built:
            built.clear()
            built[key] = build(request)
        run, count = built[key]
        start, used = time.perf_counter(), time.process_time()
        for _ in range(repeats):
            run()
        wall = time.perf_counter() - start
        print(json.dumps([wall / repeats / count, wall, time.process_time() - used]), flush=True)


class Measured(NamedTuple):
    """One measurement."""

    seconds: float  # of one operation
    wall: float  # of all
    disturbed: bool  # were other processes at work meanwhile?


class Worker:
    """The other end of `work`.

    Args:
        name: which contender.
        script: the benchmark's file.
        python: the interpreter that has what it needs.
        threads: how many it may use.

    Attributes:
        versions: of what it measures.
    """

    def __init__(self, name: str, script: str, python: str = sys.executable, threads: int = 1) -> None:
        """Starts the process and reads its versions."""
        counts = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}
        self.name, self._pause = name, PAUSE_SECONDS if threads > 1 else 0.0
        self._process = subprocess.Popen(
            [python, script, "--worker", name, "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **counts},
        )
        self.versions: dict[str, str] = self._answer()

    def measure(self, request: Any, repeats: int) -> Measured:
        """Times so many runs, one after the other, of what a request asks for."""
        time.sleep(self._pause)
        start, used_by_all = time.perf_counter(), processor_seconds()
        print(json.dumps([request, repeats]), file=self._process.stdin, flush=True)
        seconds, wall, used = self._answer()
        others = processor_seconds() - used_by_all - used
        return Measured(seconds, wall, others > max(TICKS, DISTURBED * (time.perf_counter() - start)))

    def repeats(self, request: Any, seconds: float) -> int:
        """How many runs take so long, once it is warm."""
        self.measure(request, 2)
        return max(2, math.ceil(2 * seconds / self.measure(request, 2).wall))

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()

    def _answer(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            sys.exit(f"benchmark: the worker of {self.name!r} ended; its message stands above.")
        return json.loads(line)


# --- the measurement --------------------------------------------------------------------------------------------------


class Compared(NamedTuple):
    """What the rounds gave for several workers, the last of which is the one that the others are compared with."""

    seconds: list[float]  # the median of each worker
    ratios: list[tuple[float, float, float]]  # of each but the last: lower quartile, median, upper quartile
    rounds: int
    quiet: int  # rounds in which nobody else was at work


def compare(workers: Sequence[Worker], request: Any, rounds: int, patience: float, batch_seconds: float) -> Compared:
    """Measures workers in turn.

    Args:
        workers: at least two; the last is the measure of the others.
        request: what to time.
        rounds: how many quiet rounds are wanted.
        patience: for how many seconds disturbed rounds are measured again.
        batch_seconds: a measurement repeats what it times for at least so long.
    """
    repeats = [worker.repeats(request, batch_seconds) for worker in workers]
    quiet: list[list[float]] = []
    disturbed: list[list[float]] = []
    deadline = time.monotonic() + patience
    while len(quiet) < rounds and (time.monotonic() < deadline or len(quiet) + len(disturbed) < rounds):
        order = list(range(len(workers)))[:: 1 if len(quiet + disturbed) % 2 else -1]
        found = {k: workers[k].measure(request, repeats[k]) for k in order}
        noise = any(measured.disturbed for measured in found.values())
        (disturbed if noise else quiet).append([found[k].seconds for k in sorted(found)])
        if noise:
            time.sleep(workers[0]._pause * 10)
    kept = quiet if len(quiet) > 1 else quiet + disturbed
    ratios = [
        tuple(statistics.quantiles([row[k] / row[-1] for row in kept], n=4, method="inclusive"))
        for k in range(len(workers) - 1)
    ]
    return Compared([statistics.median(column) for column in zip(*kept, strict=True)], ratios, len(kept), len(quiet))


def processor_seconds() -> float:
    """What all processes together have used of all cores; always 0 where the system does not tell."""
    if not STAT.exists():
        return 0.0
    user, nice, system, _idle, _iowait, *rest = map(int, STAT.read_text().partition("\n")[0].split()[1:])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


# --- what is printed, and what can be asked for -----------------------------------------------------------------------


def machine(threads: int) -> str:
    """One line about where the numbers come from."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {threads} threads; {platform.system()}; {datetime.now(UTC):%Y-%m-%d}"


def header(workers: Sequence[Worker], threads: int) -> dict[str, Any]:
    """Prints the machine and the versions, and returns them."""
    told = {"machine": machine(threads), "versions": {worker.name: worker.versions for worker in workers}}
    print(told["machine"], *(f"{worker.name}: {worker.versions}" for worker in workers), sep="\n", end="\n\n")
    return told


def table_head(*columns: str) -> str:
    """The first two lines of a Markdown table."""
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"


def table_row(name: Any, compared: Compared, unit: float, *more: Any) -> str:
    """A line for two contenders: their times in a unit, the ratio, its middle half, how many rounds were quiet."""
    a, b = (seconds / unit for seconds in compared.seconds)
    low, ratio, high = compared.ratios[0]
    cells = [name, f"{a:.2f}", f"{b:.2f}", f"**{ratio:.2f}**", f"{low:.2f} … {high:.2f}"]
    return f"| {' | '.join(map(str, [*cells, *more, f'{compared.quiet} of {compared.rounds}']))} |"


def parser(doc: str | None, workers: Sequence[str], patience: float, threads: int) -> argparse.ArgumentParser:
    """Returns a parser of what every benchmark can be asked for."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--torch-python", default=sys.executable, metavar="PATH", help="an interpreter that has torch")
    made.add_argument("--rounds", type=int, default=15)
    made.add_argument("--patience", type=float, default=patience, metavar="SECONDS", help="for each row of the table")
    made.add_argument("--threads", type=int, default=threads)
    made.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here too")
    made.add_argument("--worker", choices=list(workers), help=argparse.SUPPRESS)
    return made


def write(path: Path | None, told: dict[str, Any], rows: dict[str, Compared]) -> None:
    """Writes the numbers, if asked to."""
    if path is not None:
        values = {**told, "rows": {name: compared._asdict() for name, compared in rows.items()}}
        path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", "utf-8")
