"""Lessons, solved, in a process without the threads, processes, sockets and modules that Python in a browser lacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import browser_python

ROOT = Path(__file__).parents[2]
RUN = """
import browser_python

browser_python.take_away()

from lessons.builder.lesson import lessons
from lessons.builder.run import run

wrong = []
for lesson in lessons():
    done = run(lesson, lesson.solved(), fast=True)
    wrong += [f"{lesson.name}.py:{cell.line}: {error!r}" for cell, error in done.errors]
print("\\n".join(wrong), end="")
"""
PROBE = "import browser_python; browser_python.take_away()\n"
LACKS = {
    "import fcntl": "No module named 'fcntl'",
    "import numba": "No module named 'numba'",
    "import multiprocessing as m; m.Process(target=print).start()": "does not support processes",
    "import multiprocessing as m; m.Pool(1)": "No module named '_multiprocessing'",
    "import threading; threading.Thread(target=print).start()": "can't start new thread",
    "from concurrent.futures import ThreadPoolExecutor as T; T(1).submit(print)": "can't start new thread",
    "import subprocess; subprocess.run(['ls'])": "does not support processes",
    "import os; os.fork()": "does not support processes",
    "import socket; socket.create_connection(('127.0.0.1', 9))": "Host is unreachable",
}


def python(code: str) -> subprocess.CompletedProcess[str]:
    places = [str(ROOT), str(ROOT / "backends"), str(Path(browser_python.__file__).parent)]
    code = f"import sys; sys.path[:0] = {places!r}\n{code}"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False, timeout=600
    )


def test_all_lessons_run() -> None:
    done = python(RUN)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == ""


@pytest.mark.parametrize("code", LACKS)
def test_it_is_taken_away(code: str) -> None:
    assert LACKS[code] in python(PROBE + code).stderr.splitlines()[-1]
