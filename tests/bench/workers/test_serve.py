"""Requests and answers, without a process."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from minigrad.bench.contenders import WORKERS
from minigrad.bench.workers import serve


class Counting:
    """A contender that counts."""

    def __init__(self):
        self.versions, self.runs, self.finished, self.builds = {"it": "1"}, 0, 0, []

    def lstm(self, *size):
        self.builds.append(size)

        def run():
            self.runs += 1
            if size == (0,):
                raise MemoryError("no more\nsecond line")

        return run

    def finish(self):
        self.finished += 1


def answers(contender, *requests):
    out = io.StringIO()
    serve.serve(contender, [json.dumps(request) for request in requests], out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_versions_come_first():
    (hello,) = answers(Counting())
    assert hello["versions"]["it"] == "1"
    assert "python" in hello["versions"]


def test_what_is_built_is_kept_until_something_else_is_asked_for():
    it = Counting()
    _, *found = answers(it, [["lstm", 1], 3], [["lstm", 1], 4], [["lstm", 2], 1], [["lstm", 1], 1])
    assert it.builds == [(1,), (2,), (1,)]
    assert it.runs == 9
    assert it.finished == 4  # once for each measurement
    assert all(set(answer) == {"seconds", "wall", "used", "path"} for answer in found)
    assert found[1]["wall"] == pytest.approx(4 * found[1]["seconds"])


def test_a_fault_is_an_answer_of_one_line():
    it = Counting()
    _, failed, fine = answers(it, [["lstm", 0], 1], [["lstm", 1], 1])
    assert failed == {"failed": "MemoryError: no more"}
    assert "seconds" in fine


def test_an_operation_is_counted_as_often_as_it_is_made(monkeypatch):
    m = SimpleNamespace(tanh=lambda y: y, leaf=lambda values, shape: SimpleNamespace(sum=lambda: backward, grad=1))
    backward = SimpleNamespace(backward=lambda: None)
    _, found = answers(
        SimpleNamespace(versions={}, operations=lambda: m, finish=int), [["operation", "1000 × tanh(y), each"], 2]
    )
    assert found["wall"] == pytest.approx(2000 * found["seconds"])


LARGE = """
import io, json
from minigrad.bench.workers import serve

class Large:
    versions = {}
    lstm = staticmethod(lambda size: lambda: bytearray(b"x") * 50_000_000)
    finish = staticmethod(lambda: None)

out = io.StringIO()
serve.serve(Large(), [json.dumps([["memory", "lstm", 1], 1])], out)
print(out.getvalue().splitlines()[-1])
"""


def test_memory_sees_what_a_run_takes():
    """In a separate process, as in a measurement: one that has freed much takes it from there and does not grow."""
    found = json.loads(subprocess.run([sys.executable, "-c", LARGE], check=True, capture_output=True, text=True).stdout)
    if sys.platform == "linux":
        assert 40e6 < found["more"] < 200e6
    assert found["peak"] >= found["more"]


OURS = {  # files that run in minigrad's own process only, and what they import
    "models_minigrad.py": {"minigrad"},
    "profiling.py": {"minigrad"},
    "recording.py": {"numpy"},
    "with_minigrad.py": {"minigrad"},
}


@pytest.mark.parametrize("path", sorted(WORKERS.glob("*.py")), ids=lambda path: path.name)
def test_what_runs_elsewhere_needs_nothing_of_ours(path: Path):
    """At the top of a file only the standard library; minigrad in its own files alone."""
    tree = ast.parse(path.read_text("utf-8"))
    within = [
        node for body in tree.body if not isinstance(body, (ast.Import, ast.ImportFrom)) for node in ast.walk(body)
    ]
    top = {_base(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))}
    late = {_base(node) for node in within if isinstance(node, (ast.Import, ast.ImportFrom))} - set(
        sys.stdlib_module_names
    )
    strangers = top - set(sys.stdlib_module_names)
    assert strangers == OURS.get(path.name, set())
    measured = {"with_torch.py": "torch", "with_tensorflow.py": "tensorflow", "with_minigrad.py": "threadpoolctl"}
    assert late == ({measured[path.name]} if path.name in measured else set())


def _base(node):
    return (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).partition(".")[0]
