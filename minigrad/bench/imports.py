"""Cost of an import: fresh processes, in which the clock starts after the interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from minigrad.bench.harness import MeasureError, Measurement, disturbed, processor_seconds

CODE = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


class Importer:
    """A participant of `harness.compare` that imports a module in a separate process for each measurement.

    Args:
        name: its name in the tables.
        module: the module to import.
        python: the interpreter.
        cache: a folder for compiled files, for a source tree in which Python writes none; by default those of the
            installation are used.
    """

    pause = 0.0

    def __init__(self, name: str, module: str, python: str = sys.executable, cache: str | None = None) -> None:
        self.name, self._command = name, [python, "-c", CODE.format(module)]
        self._environment = dict(os.environ)
        if cache is not None:
            self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
            path = os.pathsep.join(part or os.getcwd() for part in sys.path)
            self._environment |= {"PYTHONPYCACHEPREFIX": cache, "PYTHONPATH": path}

    def measure(self, request: object, repeats: int) -> Measurement:
        """Import the module once; `request` and `repeats` are ignored."""
        start, used_by_all, used = time.perf_counter(), processor_seconds(), _used()
        done = subprocess.run(self._command, capture_output=True, text=True, env=self._environment, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["the process printed nothing"])[-1]
            missing = last.startswith(("ModuleNotFoundError", "ImportError"))
            raise MeasureError(f"not installed: {last.partition(': ')[2]}" if missing else f"failed: {last}")
        wall = time.perf_counter() - start
        others = processor_seconds() - used_by_all - (_used() - used)
        return Measurement(float(done.stdout.split()[-1]), wall, disturbed(others, wall))


def _used() -> float:
    """Return processor seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


def cache_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for compiled files that is deleted when it is closed."""
    return tempfile.TemporaryDirectory(prefix="minigrad-bench-")
