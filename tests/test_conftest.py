"""The leak detector detects leaks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import minigrad as mg
from conftest import leaks
from minigrad.compat import v1
from minigrad.engine import recording, registry
from minigrad.layers.call_context import inside
from needed import needed

strict_backend = needed("strict_backend")

ON_THE_TAPE = "a block is open: recording or observing"
A_TAPE = "a GradientTape is open, here or in another thread"


def test_quiet_where_nothing_leaks() -> None:
    assert leaks(registry.current()) == []


def test_notices_another_backend() -> None:
    before = registry.current()
    mg.use(strict_backend)
    found = leaks(before)
    mg.use(before)
    assert found == ["the current backend is 'strict', was 'numpy'"]


def test_notices_every_open_block() -> None:
    before = registry.current()
    lstm = mg.keras.layers.LSTM(2)
    with mg.using("numpy"):
        assert leaks(before) == ["a block is open: mg.using"]
    with recording.recording(False):
        assert leaks(before) == [ON_THE_TAPE]
    with recording.observing(print):
        assert leaks(before) == [ON_THE_TAPE]
    with mg.GradientTape():
        assert leaks(before) == [ON_THE_TAPE, A_TAPE]
    with mg.trace(lstm):
        assert leaks(before) == ["a block is open: mg.trace"]
    with inside(lstm, "", True):
        assert leaks(before) == ["a block is open: a layer's call or build"]
    with v1.variable_scope("a"):
        assert leaks(before) == ["a block is open: v1.variable_scope"]
    assert leaks(before) == []


def test_notices_a_tape_of_another_thread() -> None:
    left_open = mg.GradientTape()
    thread = Thread(target=left_open.__enter__)
    thread.start()
    thread.join()
    found = leaks(registry.current())
    left_open.__exit__(None, None, None)
    assert found == [A_TAPE]


# --- NumPy and pytest alone -------------------------------------------------------------------------------------------

ONLY_NUMPY = """
import sys
from importlib.machinery import PathFinder

EXTRAS = (
    "array_api_strict", "h5py", "hypothesis", "jupytext", "matplotlib", "mpmath", "nbclient", "nbformat", "numba",
    "onnx", "onnxruntime", "safetensors", "tensorflow", "torch", "xdist",
)


class Alone(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in EXTRAS else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = Alone
"""


def test_the_engines_tests_run_with_numpy_and_pytest_alone(tmp_path: Path) -> None:
    (tmp_path / "only_numpy.py").write_text(ONLY_NUMPY, "utf-8")
    root = Path(__file__).resolve().parents[1]
    chosen = ["tests/engine", "-k", "test_tape or test_tensor or test_op or test_shape"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "only_numpy", "-p", "no:cacheprovider", *chosen]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_XDIST")}
    process = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "needs hypothesis: pip install -e '.[test]'" in process.stdout
    assert "needs array_api_strict: pip install -e '.[test]'" in process.stdout
