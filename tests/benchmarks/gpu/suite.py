"""Run the tests that need a GPU, ``pytest -m gpu``, and stop them in time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

ROOT = Path(__file__).resolve().parents[3]
SELECTED = ("-m", "gpu", "tests")
OPTIONS = ("-v", "--tb=short", "--color=no", "-p", "no:cacheprovider")
RESULT = re.compile(r"^(\S+::.*?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b(.*?)(?:\[ *\d+%\])?$")
POLL_SECONDS, GRACE_SECONDS = 1.0, 20.0
NO_TESTS = 5  # pytest's exit status where none was selected


def rows(log: Path, seconds: float, selected: Sequence[str] = SELECTED) -> Iterator[Row]:
    """Yield each test that did not pass, then the counts.

    Args:
        log: a file for pytest's output.
        seconds: after which the tests are interrupted as by Ctrl-C.
        selected: pytest's arguments that say which tests.
    """
    deadline = time.monotonic() + max(seconds - GRACE_SECONDS, seconds / 2)
    counts: Counter[str] = Counter()
    with log.open("w", encoding="utf-8") as output:
        process = started(selected, output)
        stopped = waited(process, deadline)
    lines = log.read_text("utf-8", errors="replace").splitlines()
    for line in lines:
        match = RESULT.match(line)
        if match is None:
            continue
        test, result, reason = match.groups()
        counts[result.lower()] += 1
        if result in ("FAILED", "ERROR"):
            yield {"test": test, "result": result.lower(), "reason": reason_of(test, lines)}
        elif result == "SKIPPED" and counts["skipped"] == 1:
            yield {"test": test, "result": "skipped", "reason": reason.strip()}
    yield {"counts": dict(counts), "stopped": stopped, "status": process.returncode, "last": last_words(lines)}


def started(selected: Sequence[str], output: Any) -> subprocess.Popen[str]:
    """Start pytest in the repository's folder."""
    places = [str(ROOT), str(ROOT / "backends"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places)), "PYTHONUNBUFFERED": "1"}
    environment["COLUMNS"] = "240"  # pytest cuts the reasons of failures to the terminal's width
    command = [sys.executable, "-m", "pytest", *OPTIONS, *selected]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True)


def waited(process: subprocess.Popen[str], deadline: float) -> bool:
    """Wait for pytest until the deadline, then interrupt it; return whether it was interrupted."""
    try:
        process.wait(max(POLL_SECONDS, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        try:
            process.wait(GRACE_SECONDS - 5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return True
    return False


def reason_of(test: str, lines: Sequence[str]) -> str:
    """Return what pytest's summary says of a test that failed."""
    for line in lines:
        head, _, reason = line.partition(" - ")
        if head in (f"FAILED {test}", f"ERROR {test}"):
            return reason
    return ""


def last_words(lines: Sequence[str]) -> str:
    """Return the last line that is not empty, without its frame of equal signs."""
    return next((line.strip("= ") for line in reversed(lines) if line.strip("= ")), "pytest printed nothing")
