"""What an import costs: fresh processes, in which the clock starts when the interpreter is up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from minigrad.bench.harness import Measured, MeasureError, disturbed, processor_seconds

CODE = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


class Importer:
    """Who can take part in `harness.compare`: each measurement imports a module in a process of its own.

    Args:
        name: as it stands in the table.
        module: what to import.
        python: by which interpreter.
        cache: a folder for compiled files, for a source tree where Python was told not to write any; without it they
            are taken from where the installation put them.
    """

    pause = 0.0

    def __init__(self, name: str, module: str, python: str = sys.executable, cache: str | None = None) -> None:
        self.name, self._command = name, [python, "-c", CODE.format(module)]
        self._environment = dict(os.environ)
        if cache is not None:
            self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
            path = os.pathsep.join(part or os.getcwd() for part in sys.path)
            self._environment |= {"PYTHONPYCACHEPREFIX": cache, "PYTHONPATH": path}

    def measure(self, request: object, repeats: int) -> Measured:
        """Import it once, whatever is asked for."""
        start, used_by_all, used = time.perf_counter(), processor_seconds(), _used()
        done = subprocess.run(self._command, capture_output=True, text=True, env=self._environment, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["the process said nothing"]
            missing = said[-1].startswith(("ModuleNotFoundError", "ImportError"))
            raise MeasureError(f"not installed: {said[-1].partition(': ')[2]}" if missing else f"failed: {said[-1]}")
        wall = time.perf_counter() - start
        others = processor_seconds() - used_by_all - (_used() - used)
        return Measured(float(done.stdout.split()[-1]), wall, disturbed(others, wall))


def _used() -> float:
    """Processor seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


def cache_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for compiled files that goes when it is closed."""
    return tempfile.TemporaryDirectory(prefix="minigrad-bench-")
