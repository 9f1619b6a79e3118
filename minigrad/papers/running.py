"""Trials through an executor of `concurrent.futures`: missing ones are run, each is kept as it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple, Protocol, TextIO

from minigrad.papers.machinery import row_hash
from minigrad.papers.results import Key, Results
from minigrad.papers.row import Row
from minigrad.papers.trial import run_trial
from minigrad.train.executors import TrialProgress, completed


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


def run(jobs: Sequence[Work], results: Results, executor: Executor, stream: TextIO | None = None) -> None:
    """Run the trials that the results do not have yet; each is written as it ends."""
    missing = [job for job in jobs if not results.has(job.key, job.data)]
    progress = TrialProgress(len(jobs), len(jobs) - len(missing), sys.stderr if stream is None else stream)
    for trial in completed(timed, missing, executor):
        results.add(trial)
        progress.update(all(trial["milestones"].values()))
    progress.close()


def timed(job: Work) -> dict[str, Any]:
    """Run a trial, and return its record with its seconds: those of the processor, as machines are shared."""
    begin = time.thread_time()
    return {**job.run(), "seconds": round(time.thread_time() - begin, 3)}
