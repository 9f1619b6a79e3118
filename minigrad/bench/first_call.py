"""Cost of the first call of a layer that a backend compiles, in fresh processes."""

from __future__ import annotations

import os
import subprocess
import sys

from minigrad.bench.harness import MeasureError
from minigrad.bench.imports import cache_folder

CODE = """
import sys, time
import minigrad as mg
mg.use(sys.argv[1])
layer, x = mg.keras.layers.LSTM(16, return_sequences=True), mg.random.normal((2, 5, 8))
x.requires_grad = True
start = time.perf_counter()
layer(x).sum().backward()
print(time.perf_counter() - start)
"""


def first_calls(backend: str) -> tuple[float, float]:
    """Return the seconds of an LSTM's first forward and backward pass, without imports.

    Args:
        backend: the backend's name.

    Returns:
        In a process that finds nothing on disk, and in one that finds what the first has compiled.

    Raises:
        MeasureError: a process failed.
    """
    path = os.pathsep.join(part or os.getcwd() for part in sys.path)
    with cache_folder() as cache:
        environment = {**os.environ, "PYTHONPATH": path, "NUMBA_CACHE_DIR": cache}
        return _seconds(backend, environment), _seconds(backend, environment)


def _seconds(backend: str, environment: dict[str, str]) -> float:
    command = [sys.executable, "-c", CODE, backend]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise MeasureError(f"failed: {(done.stderr.strip().splitlines() or ['the process printed nothing'])[-1]}")
    return float(done.stdout)
