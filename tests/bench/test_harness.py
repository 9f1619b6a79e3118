"""Rounds, who is left out of them, and the processes."""

from __future__ import annotations

import itertools
import sys

import pytest

from minigrad.bench import harness
from minigrad.bench.contenders import Contender
from minigrad.bench.harness import KERNEL_CHOICE, Effort, MeasureError, Measurement, Worker, compare, disturbed


class Scripted:
    """Hands out seconds from a list, the last one for ever; None is a failure, a negative number a disturbed one."""

    pause = 0.0

    def __init__(self, name, seconds, log=None):
        self.name, self._seconds, self._log = name, itertools.chain(seconds, itertools.repeat(seconds[-1])), log
        self.asked = []

    def measure(self, request, repeats):
        self.asked.append((request, repeats))
        if self._log is not None:
            self._log.append(self.name)
        seconds = next(self._seconds)
        if seconds is None:
            raise MeasureError("failed: KeyError: 'x'")
        return Measurement(abs(seconds), abs(seconds) * repeats, seconds < 0)


WARM = [1.0, 1.0]  # two measurements before anything counts
QUICK = Effort(rounds=3, patience=0.0, batch_seconds=0.0)


def test_what_was_measured_while_warming_up_does_not_count():
    found = compare([Scripted("a", [9.0, 8.0, 1.0]), Scripted("b", [*WARM, 2.0])], "x", QUICK)
    assert found == ({"a": [1.0, 1.0, 1.0], "b": [2.0, 2.0, 2.0]}, 3, {})


def test_the_order_alternates_and_the_columns_stay():
    log: list[str] = []
    found = compare([Scripted("a", [*WARM, 1.0, 2.0, 3.0], log), Scripted("b", [*WARM, 4.0, 5.0, 6.0], log)], 0, QUICK)
    assert "".join(log[4:]) == "baabba"
    assert found.seconds == {"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]}


def test_a_measurement_is_repeated_until_it_is_long_enough():
    worker = Scripted("a", [0.001])
    compare([worker], "x", QUICK._replace(batch_seconds=0.2))
    assert worker.asked[-1] == ("x", 200)


def test_who_fails_is_left_out():
    workers = [Scripted("a", [*WARM, 1.0]), Scripted("b", [None]), Scripted("c", [*WARM, 3.0])]
    found = compare(workers, "x", QUICK)
    assert found.seconds == {"a": [1.0] * 3, "c": [3.0] * 3}
    assert found.failed == {"b": "failed: KeyError: 'x'"}


def test_who_fails_in_the_middle_takes_its_earlier_rounds_along():
    workers = [Scripted("a", [*WARM, 1.0, None]), Scripted("b", [*WARM, 2.0])]
    found = compare(workers, "x", QUICK)
    assert found.seconds == {"b": [2.0] * 3}
    assert list(found.failed) == ["a"]


def test_if_all_fail_nothing_is_measured():
    assert compare([Scripted("a", [None])], "x", QUICK).seconds == {}


def test_disturbed_rounds_are_measured_again_and_dropped():
    worker = Scripted("a", [*WARM, -5.0, 1.0, -6.0, 2.0, 3.0])
    found = compare([worker], "x", QUICK._replace(patience=60.0))
    assert found.seconds == {"a": [1.0, 2.0, 3.0]}
    assert found.quiet == 3


def test_when_patience_ends_the_disturbed_ones_count_if_there_is_nothing_else():
    found = compare([Scripted("a", [*WARM, -5.0, 1.0, -6.0])], "x", QUICK)
    assert found.seconds == {"a": [1.0, 5.0, 6.0]}
    assert found.quiet == 1


@pytest.mark.parametrize(("others", "wall", "is_so"), [(0.0, 1.0, False), (0.2, 1.0, True), (0.02, 0.01, False)])
def test_disturbed(others, wall, is_so):
    assert disturbed(others, wall) is is_so


def test_the_processor_seconds_of_linux(tmp_path, monkeypatch):
    (tmp_path / "stat").write_text("cpu  100 20 30 4000 50 6 7 8 99 99\ncpu0 1 2 3\n")
    monkeypatch.setattr(harness, "STAT", tmp_path / "stat")
    monkeypatch.setattr(harness.os, "sysconf", lambda name: 100, raising=False)
    assert harness.processor_seconds() == 1.71  # not idle, not waiting; a guest's are in the first number
    monkeypatch.setattr(harness, "STAT", tmp_path / "none")
    assert harness.processor_seconds() == 0.0


# --- processes ----------------------------------------------------------------------------------

GOOD = """
import os, sys
class Contender:
    def __init__(self, variant, threads):
        self.versions, self.path = {"it": variant}, "the long way"
        print("libraries talk")
    def lstm(self, B, T, I, H):
        return lambda: 1 / B
    def step(self, *sizes):
        print("the roof is on fire", file=sys.stderr)
        os._exit(3)
    def finish(self):
        pass
"""


@pytest.fixture
def worker(tmp_path):
    """A process that runs a file with this text."""
    started = []

    def start(text, python=sys.executable):
        (tmp_path / "it.py").write_text(text)
        started.append(Worker(Contender("it", str(tmp_path / "it.py"), "v7", python), threads=1))
        started[-1].connect()
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_a_worker_tells_versions_and_measures(worker):
    it = worker(GOOD)
    assert it.missing == ""
    assert it.versions["it"] == "v7"
    assert "python" in it.versions
    measured = it.measure(["lstm", 1, 2, 3, 4], 5)
    assert 0 < measured.seconds < measured.wall
    assert it.path == "the long way"


def test_a_request_that_fails_leaves_the_worker_alive(worker):
    it = worker(GOOD)
    with pytest.raises(MeasureError, match="failed: ZeroDivisionError: division by zero"):
        it.measure(["lstm", 0, 2, 3, 4], 5)
    assert it.measure(["lstm", 1, 2, 3, 4], 5).seconds > 0


def test_a_process_that_dies_is_told_with_its_last_words(worker):
    it = worker(GOOD)
    for _ in range(2):
        with pytest.raises(MeasureError, match=r"failed: the roof is on fire \(exit code 3\)"):
            it.measure(["step", 1], 5)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import no_such_library", "not installed: No module named 'no_such_library'"),
        ("raise OSError('libfoo.so is missing')", "failed: OSError: libfoo.so is missing (exit code 1)"),
    ],
)
def test_a_library_that_does_not_come_up(worker, text, why):
    assert worker(text).missing == why


@pytest.mark.skipif(sys.platform == "win32", reason="writes a shell script")
def test_an_interpreter_that_talks_nonsense(worker, tmp_path):
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho hello\n")
    script.chmod(0o755)
    assert worker("", str(script)).missing == "failed: expected an answer in JSON, got 'hello'"


def test_openblas_chooses_its_kernels(worker, monkeypatch):
    for name in KERNEL_CHOICE:
        monkeypatch.setenv(name, "1")
    text = GOOD.replace('{"it": variant}', '{"it": " ".join(k for k in os.environ if k.startswith("OPENBLAS"))}')
    assert worker(text).versions["it"] == "OPENBLAS_NUM_THREADS"


def test_threads_are_handed_on(worker):
    text = GOOD.replace(
        '{"it": variant}', 'dict(it=os.environ["OPENBLAS_NUM_THREADS"] + os.environ["OMP_NUM_THREADS"])'
    )
    assert worker(text).versions["it"] == "11"
