"""Read the options, run the parts one after the other, and print the results."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.gpu.report import TITLES, Report

Row = dict[str, Any]

MAIN = Path(__file__).with_name("__main__.py")
PROGRAM = "python tests/benchmarks/gpu"
# The share of the time that is left which a part may take. The tests come last since they can use all of it.
SHARES = {"machine": 0.15, "kernels": 0.35, "times": 0.5, "tests": 1.0}
GRACE_SECONDS = 5.0  # after its time, a part is ended
SPARE_SECONDS = 10.0  # kept free at the end
ALL_WELL, SOMETHING_WRONG, NO_DEVICE = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Run the baseline.

    Returns:
        0 if all is well, 1 if a kernel differs, something failed or time ran out, 2 where no GPU answers.
    """
    options = read(arguments)
    if options.part:
        run_part(options)
        return ALL_WELL
    end = time.monotonic() + 60 * options.minutes - min(SPARE_SECONDS, 6 * options.minutes)
    command = " ".join([PROGRAM, *arguments])
    report = Report(options.out, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", command)
    options.log = report.log
    for part in ["machine", *options.only]:
        seconds = SHARES[part] * max(1.0, end - time.monotonic())
        for row in told_by(part, options, seconds, report):
            if "unavailable" in row:
                print(f"{PROGRAM}: no measurement without the {options.backend} backend: {row['unavailable']}")
                return NO_DEVICE
            report.add(part, row)
        if not report.parts["machine"]["rows"]:
            print(f"{PROGRAM}: minigrad cannot be used here: {report.parts['machine']['ended']}")
            return NO_DEVICE
        well, sentence = report.verdicts()[part]
        print(f"{TITLES[part]}: {'' if well else 'attention: '}{sentence}", flush=True)
    print(f"The report is in {report.markdown} and {report.json.name}.")
    return ALL_WELL if all(well for well, _ in report.verdicts().values()) else SOMETHING_WRONG


def told_by(part: str, options: argparse.Namespace, seconds: float, report: Report) -> Iterator[Row]:
    """Run a part in a separate process and yield its rows as they arrive."""
    start, opened = time.monotonic(), False
    command = [sys.executable, str(MAIN), "--part", part, "--seconds", str(seconds), "--backend", options.backend]
    command += ["--torch-python", options.torch_python, "--log", str(options.log)]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        with process_of(command, seconds + GRACE_SECONDS, errors) as (process, late):
            for line in process.stdout or ():
                if not line.endswith("\n"):  # the process was ended in the middle of a row
                    break
                row = json.loads(line)
                if not opened and "unavailable" not in row:
                    report.begin(part)
                    opened = True
                yield row
            process.wait()
        if not opened:
            report.begin(part)
        errors.seek(0)
        last = ([line.strip() for line in errors if line.strip()] or ["it printed nothing"])[-1]
    how = f"failed: {last}" if process.returncode else "done"
    report.end(part, "stopped at its time limit" if late.is_set() else how, time.monotonic() - start)


@contextmanager
def process_of(command: Sequence[str], seconds: float, errors: Any) -> Iterator[tuple[Any, threading.Event]]:
    """Start a process and its group; end all of them after this number of seconds, and at the latest with the block.

    Yields:
        The process, and an event that is set if it was ended for its time.
    """
    late = threading.Event()
    # A separate group, where there are groups, holds what the process starts: pytest, PyTorch.
    group: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8", **group)

    def end() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL) if group else process.kill()

    def too_late() -> None:
        late.set()
        end()

    timer = threading.Timer(seconds, too_late)
    timer.start()
    try:
        yield process, late
    finally:
        timer.cancel()
        if process.poll() is None:
            end()
        process.communicate()


def run_part(options: argparse.Namespace) -> None:
    """Run one part in this process; write a line of JSON for each row, and nothing else, to standard output."""
    from benchmarks.gpu import kernels, machine, suite, times

    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print
    name, seconds, python = options.backend, options.seconds, options.torch_python
    rows = {
        "machine": lambda: machine.rows(name, seconds, python),
        "kernels": lambda: kernels.rows(name, seconds),
        "times": lambda: times.rows(name, seconds, python),
        "tests": lambda: suite.rows(options.log, seconds),
    }[options.part]()
    for row in rows:
        print(json.dumps(row), file=out, flush=True)


# --- the options ------------------------------------------------------------------------------------------------------


def read(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; end with status 2 and a sentence where one is wrong."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Baseline on a GPU: is it right, and how fast is it?")
    parser.add_argument("--backend", default="cupy", help="any other is a dry run without a GPU, e.g. numpy")
    parser.add_argument("--minutes", type=minutes, default=10.0, help="time for all parts (default: 10)")
    parser.add_argument("--out", type=folder, help="folder of the report (default: $OUT, or else build)")
    parser.add_argument("--torch-python", type=program, default=sys.executable, help="an interpreter with PyTorch")
    parser.add_argument("--only", type=parts, default=list(TITLES)[1:], help="some of kernels,times,tests")
    parser.add_argument("--part", choices=TITLES, help=argparse.SUPPRESS)  # this process is that of a part
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--log", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.out is None and not options.part:
        options.out = folder(os.environ.get("OUT") or str(MAIN.parents[3] / "build"))
    return options


def minutes(word: str) -> float:
    """Return a number of minutes above 0."""
    try:
        number = float(word)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected minutes, a number above 0 such as 10, got {word!r}")
    return number


def folder(word: str) -> Path:
    """Return a folder, made if need be."""
    path = Path(word).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"expected a folder, {word} cannot be one: {error.strerror}") from None
    return path


def program(word: str) -> str:
    """Return the full path of an interpreter."""
    found = shutil.which(str(Path(word).expanduser()))
    if found is None:
        raise argparse.ArgumentTypeError(f"expected the path of a Python interpreter, there is no program {word!r}")
    return found


def parts(word: str) -> list[str]:
    """Return the parts in the order in which they run."""
    asked = [name.strip() for name in word.split(",")]
    known = list(TITLES)[1:]
    for name in asked:
        if name not in known:
            raise argparse.ArgumentTypeError(f"expected some of {', '.join(known)}, got {name!r}")
    return [name for name in known if name in asked]
