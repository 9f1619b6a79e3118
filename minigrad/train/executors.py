"""Independent trials through executors of `concurrent.futures`: in this process, in a pool, on MPI; and their progress.

Anything else with that interface serves too, such as ``dask.distributed.Client(…).get_executor()``.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TextIO, TypeVar

from tqdm import tqdm

from minigrad.distributed.world import DistributedError, launched, world
from minigrad.train.progress import SECONDS_BETWEEN_LINES

Job = TypeVar("Job")


class InTurn(Executor):
    """An executor that runs each call when it is submitted, in this process."""

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return a finished future; an exception is raised here."""
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


@contextmanager
def executor_of(processes: int) -> Iterator[Executor | None]:
    """Yield an executor: under a launcher the processes of its job, else a pool; leaving early cancels what waits.

    Args:
        processes: the number of processes of the pool; 1 runs everything in this one. A launcher's job has its own.

    Yields:
        The executor; None in a process of a job that works for process 0, once there is no more work.
    """
    if (launched() or (0, 1))[1] > 1:
        with _of_job() as executor:
            yield executor
    elif processes == 1:
        yield InTurn()
    else:
        pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _of_job() -> Iterator[Executor | None]:
    comm = world().comm
    try:
        from mpi4py.futures import MPICommExecutor
    except ImportError as error:
        raise DistributedError(f"distributed: mpi4py has no executors: {error}. Take mpi4py 3.1 or later.") from None
    with MPICommExecutor(comm, root=0) as found:
        executor: Any = found
        yield executor


def completed(function: Callable[[Job], Any], jobs: Sequence[Job], executor: Executor) -> Iterator[Any]:
    """Yield the results of a function for each job, as they come.

    Where the executor is that of an MPI job, process 0 works too: it hands two jobs to each of the others, runs one
    itself, and collects the results that have come meanwhile. After an error in a job, those that run are finished,
    the others are not begun, and the error is raised.
    """
    if isinstance(executor, InTurn):
        yield from map(function, jobs)
        return
    others = world().size - 1
    waiting, running, errors = deque(jobs), set[Future[Any]](), list[BaseException]()
    while running or (waiting and not errors):
        while waiting and not errors and (not others or len(running) < 2 * others):
            running.add(executor.submit(function, waiting.popleft()))
        helps = bool(others and waiting and not errors)
        if helps:
            yield function(waiting.popleft())
        done, running = wait(running, timeout=0 if helps else None, return_when=FIRST_COMPLETED)
        for future in done:
            if future.cancelled():
                continue
            if (error := future.exception()) is None:
                yield future.result()
            else:  # those that run now are not lost
                errors.append(error)
                for other in running:
                    other.cancel()
    if errors:
        raise errors[0]


class TrialProgress:
    """Trials done, successes so far and the time left: a bar on a terminal, a line every few seconds elsewhere.

    Args:
        trials: the number of all trials.
        done: the number of those that had been run before.
        stream: the stream to write to.
    """

    def __init__(self, trials: int, done: int, stream: TextIO) -> None:
        self.trials, self.done, self.before, self.successes, self.stream = trials, done, done, 0, stream
        self.begin = self.shown = time.perf_counter()
        self.bar: Any = (
            tqdm(total=trials, initial=done, unit="trial", file=stream, dynamic_ncols=True) if stream.isatty() else None
        )
        if done and not self.bar:
            print(f"{done} of {trials} trials had been run before.", file=stream, flush=True)

    def update(self, success: bool) -> None:
        """Count a trial."""
        self.done, self.successes = self.done + 1, self.successes + success
        if self.bar:
            self.bar.set_postfix_str(f"{self.successes} of {self.done - self.before} successful", refresh=False)
            self.bar.update(1)
        elif (now := time.perf_counter()) - self.shown >= SECONDS_BETWEEN_LINES or self.done == self.trials:
            self.shown, new = now, self.done - self.before
            left = (self.trials - self.done) * (now - self.begin) / new
            text = f"{self.done} of {self.trials} trials, {self.successes} of {new} successful, {left:.0f} s left"
            print(text, file=self.stream, flush=True)

    def close(self) -> None:
        """Close the bar and leave it visible."""
        if self.bar:
            self.bar.close()
