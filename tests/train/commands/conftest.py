"""Small runs of some tasks, and the command line in their folder."""

from __future__ import annotations

import pytest

from minigrad.__main__ import COMMANDS
from minigrad.train.command_line import main
from minigrad.train.run import Run
from minigrad.train.tasks import TASKS

SMALL = {"steps": 2, "units": 4, "batch": 2}
OTHERS = {"adding": {"length": 6}, "reber": {"cell": "gru"}, "copy": {"cell": "simple_rnn"}}


@pytest.fixture(scope="package")
def runs(tmp_path_factory):
    """A folder with a run of each of four tasks."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "text.txt").write_text("the quick brown fox jumps over the lazy dog.\n" * 60)
    for name, options in {"text": {"file": str(folder / "text.txt"), "window": 8}, **OTHERS}.items():
        Run.create(folder / name, TASKS[name].options_type(**options, **SMALL), name).train()
    return folder


@pytest.fixture
def command(runs, monkeypatch, capsys):
    """Run a command in the folder of runs: its words -> (exit status, stdout, stderr)."""
    monkeypatch.chdir(runs)

    def run(*words):
        code = main([*map(str, words)], COMMANDS)
        return (code, *capsys.readouterr())

    return run
