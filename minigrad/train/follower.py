"""A run in the processes other than 0: they train with it, and write nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Self

from minigrad.distributed.exchange import shared
from minigrad.distributed.world import rank
from minigrad.train.checkpoint import LAST
from minigrad.train.processes import check_processes
from minigrad.train.run import Run
from minigrad.train.task import RunOptions
from minigrad.train.tasks.table import find


class Follower(Run):
    """The part of a run in a process other than 0. Its methods take part in what the processes exchange."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.metrics: Any = _NoMetrics()

    @classmethod
    def create(cls, folder: str | Path, options: RunOptions, task: str) -> Self:
        """Begin a run that process 0 creates."""
        run = cls(Path(folder), find(task)(options), options)
        check_processes(run.task, options)
        run.save()
        return run

    @classmethod
    def resume(cls, folder: str | Path, steps: int | None = None) -> Self:
        """Open a run at the checkpoint that process 0 has read."""
        task, options, saved = shared(None)
        run = cls(Path(folder), find(task)(options), options)
        check_processes(run.task, options)
        run.trainer.restore(saved)
        run.best, run._files_current = saved.about["best"], False
        return run

    def save(self, name: str = LAST) -> None:
        """Send the states of this process's rows."""
        self.trainer.capture()

    def draw(self) -> bool:
        """Draw nothing."""
        return False

    def finish(self) -> None:
        """Write nothing."""

    def _alone_in_folder(self) -> AbstractContextManager[None]:
        return nullcontext()

    def _write_config(self) -> None:
        pass


class _NoMetrics:
    """Metrics that are not written."""

    def append(self, record: dict[str, Any]) -> None:
        pass

    def keep_until(self, step: int) -> list[tuple[int, int]]:
        return []


def run_type() -> type[Run]:
    """Return the class of this process's part in a run."""
    return Follower if rank() else Run
