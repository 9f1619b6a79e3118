"""Trials through an executor of `concurrent.futures`: missing ones are run, each is kept as it ends."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, TextIO

from tqdm import tqdm

from minigrad.papers.machinery import row_hash
from minigrad.papers.results import Key, Results
from minigrad.papers.row import Row
from minigrad.papers.trial import run_trial
from minigrad.train.progress import SECONDS_BETWEEN_LINES


class Work(Protocol):
    """A trial that a run needs, of any paper."""

    @property
    def data(self) -> str:
        """The hash of the row's data."""

    @property
    def key(self) -> Key:
        """The trial's key in the results."""

    def run(self) -> dict[str, Any]:
        """Run the trial, and return its record."""


class Job(NamedTuple):
    """A trial that a run needs: the arguments of `run_trial`."""

    row: Row
    number: int
    seed: int
    cap: int

    @property
    def data(self) -> str:
        """The hash of the row's data."""
        return row_hash(self.row)

    @property
    def key(self) -> tuple[int, str, str, int, int, int]:
        """The trial's key in the results."""
        return (self.row.table, self.row.name, self.row.reading, self.number, self.seed, self.cap)

    def run(self) -> dict[str, Any]:
        """Run the trial, and return its record."""
        return run_trial(*self)


class InTurn(Executor):
    """An executor that runs each call when it is submitted, in this process."""

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return a finished future; an exception is raised here."""
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


@contextmanager
def executor_of(processes: int) -> Iterator[Executor]:
    """Yield an executor with this number of processes; leaving the block early cancels what has not begun."""
    if processes == 1:
        yield InTurn()
        return
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def run(jobs: Sequence[Work], results: Results, executor: Executor, stream: TextIO | None = None) -> None:
    """Run the trials that the results do not have yet; each is written as it ends."""
    missing = [job for job in jobs if not results.has(job.key, job.data)]
    progress = Progress(len(jobs), len(jobs) - len(missing), sys.stderr if stream is None else stream)
    for trial in finished(missing, executor):
        results.add(trial)
        progress.update(all(trial["milestones"].values()))
    progress.close()


def finished(jobs: Sequence[Work], executor: Executor) -> Iterator[dict[str, Any]]:
    """Yield the records of trials as they end.

    The executor may be any of `concurrent.futures`. After an error in a trial, those that run are finished, the others
    are not begun, and the error is raised.
    """
    if isinstance(executor, InTurn):
        yield from (timed(job) for job in jobs)
        return
    futures, errors = [executor.submit(timed, job) for job in jobs], list[BaseException]()
    for future in as_completed(futures):
        if future.cancelled():
            continue
        if (error := future.exception()) is None:
            yield future.result()
        else:  # those that run now are not lost
            errors.append(error)
            for other in futures:
                other.cancel()
    if errors:
        raise errors[0]


def timed(job: Work) -> dict[str, Any]:
    """Run a trial, and return its record with its seconds: those of the processor, as machines are shared."""
    begin = time.thread_time()
    return {**job.run(), "seconds": round(time.thread_time() - begin, 3)}


class Progress:
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
