"""Programs in several processes: `python -m pytest` needs mpi4py and an ``mpiexec``; the extra `mpi` brings both."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from minigrad.distributed.launcher import find_launcher

SECONDS = 120  # a job that takes longer hangs


def launcher() -> str:
    """Return the path of mpiexec, or skip the test."""
    if find_spec("mpi4py") is None:
        pytest.skip("mpi4py is not installed: python -m pip install -e '.[mpi]'")
    found = find_launcher()
    if found is None:
        pytest.skip("there is no mpiexec: python -m pip install -e '.[mpi]'")
    return found


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a job: one thread each, and leave for Open MPI to run as root, as in a container."""
    kind = {"OMPI_MCA_mpi_yield_when_idle": "1", "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"}
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return {**os.environ, **kind, **allowed, "OPENBLAS_NUM_THREADS": "1", **more}


def command(processes: int, *words: str) -> list[str]:
    """Return the command line of a job whose processes run Python with these words."""
    return [launcher(), "-n", str(processes), sys.executable, *map(str, words)]


def run(processes: int, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a job of Python programs, or a single process without a launcher, and return what it printed."""
    line = command(processes, *words) if processes > 1 else [sys.executable, *map(str, words)]
    return subprocess.run(line, env=environment(**more), text=True, capture_output=True, timeout=SECONDS, check=False)
