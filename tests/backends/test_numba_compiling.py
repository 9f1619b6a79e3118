"""Compilation: the message of the first process, the cache that the second one reads, and recompilation."""

from __future__ import annotations

import logging
import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

import minigrad
import minigrad_numba
from minigrad_numba import compiling

RUN = """
import numpy as np
from minigrad.engine.optional import LoopOptions
from minigrad.engine.ops.pointwise import Tanh
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.rules import rule_of
from minigrad.recurrent.simple_rnn import SimpleRNN
from minigrad_numba import compile, compiling
x, h, W = np.zeros((2, 1, 1), "float32"), np.zeros((1, 1), "float32"), np.zeros((1, 1), "float32")
loop = compile(describe(SimpleRNN, frozenset({"b"})), "float32", LoopOptions(None, rule_of(Tanh)))
*_, cache = loop.forward(x, (h,), (W, W), None, False)
loop.backward(None, (None,), x, (W, W), cache, True)
read_only = np.broadcast_to(W, (2, 1, 1))  # another layout, no new compilation
loop.forward(read_only, (h,), (W, W), None, False)
print(compiling.compilations())
"""
SOURCES = Path(minigrad_numba.__file__).parents[1]


def run(sources: Path, cache: Path | None = None, home: Path | None = None) -> tuple[int, str]:
    """Return the number of loops that a new process compiled, and its messages."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    path = os.pathsep.join([str(sources), str(Path(minigrad.__file__).parents[1])])
    environment |= {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"NUMBA_CACHE_DIR": str(cache)} if cache else {}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home)} if home else {}
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout), done.stderr


def copied(to: Path) -> Path:
    for package in ("minigrad_numba", "minigrad_numpy"):
        shutil.copytree(SOURCES / package, to / package, ignore=shutil.ignore_patterns("__pycache__"))
    return to


@pytest.mark.slow
def test_the_second_process_compiles_nothing(tmp_path: Path) -> None:
    sources, cache = copied(tmp_path / "sources"), tmp_path / "cache"
    count, messages = run(sources, cache)
    assert count == 2
    assert messages.splitlines() == [
        f"numba: compiling the SimpleRNN's loop {way} for float32, once; the result is cached on disk."
        for way in ("forward", "backward")
    ]
    assert run(sources, cache) == (0, "")
    helper = sources / "minigrad_numba" / "activations.py"
    helper.write_text(helper.read_text("utf-8") + "\n# changed\n", "utf-8")
    assert run(sources, cache)[0] == 2, "a change in a helper's file went unnoticed"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="folders are not made read-only like this there")
def test_in_an_installation_that_cannot_be_written_to(tmp_path: Path) -> None:
    """The user's cache directory stores the result."""
    sources, home = copied(tmp_path / "sources"), tmp_path / "home"
    home.mkdir()
    folder = sources / "minigrad_numba"
    folder.chmod(stat.S_IREAD | stat.S_IEXEC)
    if os.access(folder, os.W_OK):  # root may write anywhere, but not into a file in place of the cache folder
        (folder / "__pycache__").write_text("")
    try:
        assert run(sources, home=home)[0] == 2
        assert run(sources, home=home) == (0, "")
    finally:
        folder.chmod(stat.S_IRWXU)
    assert list(home.rglob("*.nbi"))


@pytest.mark.slow
def test_two_processes_at_once(tmp_path: Path) -> None:
    """Both print, compile and cache the loop; the third process reads it."""
    cache = tmp_path / "cache"
    with ThreadPoolExecutor() as pool:
        assert [count for count, _ in pool.map(lambda _: run(SOURCES, cache), range(2))] != [0, 0]
    assert run(SOURCES, cache) == (0, "")
    assert len(list(cache.rglob("minigrad_loop_*.py"))) == 1


def test_the_message_can_be_silenced(caplog: pytest.LogCaptureFixture) -> None:
    """Silence the logged message through the level of the logger."""
    loop = compiling.compiled("a loop of the tests")(_doubled)
    before = compiling.compilations()
    with caplog.at_level(logging.WARNING, "minigrad_numba"):
        loop(np.ones(2))
    if compiling.compilations() > before:  # unless an earlier run of the tests cached it on disk
        assert "numba: compiling a loop of the tests for float64, once" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.ERROR, "minigrad_numba"):
        loop(np.ones(2, "float32"))
    assert not caplog.records


def _doubled(x):  # type: ignore[no-untyped-def]
    return x + x
