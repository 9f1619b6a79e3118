"""One trial: a row and a number give the same bits alone, in a pool and in any order."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from minigrad.papers.batch import Task
from minigrad.papers.kernel.build import Trainer
from minigrad.papers.machinery import row_hash
from minigrad.papers.row import Checked, Growth, Milestone, Row, Window

CHUNK = 100  # sequences drawn at once, and between two tests
BLOCK = 32  # test sequences drawn at once: a test ends early when too many are wrong
STREAMS = {"prepare": 0, "weights": 1, "train": 2, "check": 3, "test": 4}


def run_trial(row: Row, number: int, seed: int, cap: int | None = None, compiles: bool | None = None) -> dict[str, Any]:
    """Run a trial, and return its record.

    Args:
        row: the row, in one of its readings.
        number: the number of the trial, from 0.
        seed: the seed of the run; a row's readings have the same sequences and first weights.
        cap: the number of sequences after which it ends; by default the row's.
        compiles: whether to use Numba; by default where it is installed.
    """
    return _Trial(row, number, seed, cap or row.cap, compiles).run()


class _Trial:
    def __init__(self, row: Row, number: int, seed: int, cap: int, compiles: bool | None) -> None:
        self.row, self.number, self.seed, self.cap = row, number, seed, cap
        self.task: Task = row.task.prepared(self._random("prepare", number // row.groups if row.groups > 1 else number))
        W, V = row.start.draw(row.net, self._random("weights", number))
        self.trainer = Trainer(row.net, W, V, row.rate, row.update, compiles)
        self.train, self.check = self._random("train", number), self._random("check", number)
        self.n = self.steps = 0
        self.found: dict[str, Any] = {}
        self.growth = _Growing(self.trainer, row.grows) if row.grows else None

    def _random(self, stream: str, number: int) -> np.random.Generator:
        row = zlib.crc32(f"{self.row.table}/{self.row.name}".encode())
        return np.random.default_rng([self.seed, row, STREAMS[stream], number])

    def run(self) -> dict[str, Any]:
        diverged = None
        for milestone in self.row.milestones:
            if diverged is None:
                diverged = self._reach(milestone)
            self.found.setdefault(milestone.name, None)
        return {
            "table": self.row.table, "row": self.row.name, "reading": self.row.reading, "number": self.number,
            "seed": self.seed, "cap": self.cap, "sequences": self.n, "steps": self.steps, "diverged": diverged,
            "data": row_hash(self.row), "milestones": self.found, "added": self.growth.added if self.growth else None,
        }  # fmt: skip

    def _reach(self, milestone: Milestone) -> int | None:
        """Learn until a milestone or the cap; return the sequence at which the net diverged, or None."""
        window = milestone.stop if isinstance(milestone.stop, Window) else None
        self.trainer.watch(window)
        while self.n < self.cap:
            batch, first = self.task.train(self.train, CHUNK), 0
            learnt, totals = self.trainer.learn(batch)
            self.n += abs(learnt)
            self.steps += int(batch.lengths[first : abs(learnt)].sum())
            if learnt < 0:
                return self.n
            if self.growth:
                self.growth.watch(float(totals.sum()), self.n)
            passed = self.trainer.stopped if window else self._passes(milestone.stop)  # type: ignore[arg-type]
            if passed:
                self._record(milestone)
                return None
        return None

    def _passes(self, stop: Checked) -> bool:
        """Return whether the net passes a test; NaN passes none."""
        done, wrong, total, block = 0, 0.0, 0.0, stop.sequences if stop.tolerance == 0.0 else BLOCK
        while done < stop.sequences:
            batch = self.task.test(self.check, min(block, stop.sequences - done))
            rows = self.trainer.check(batch, stop.tolerance, stop.fewer_than, stop.last)
            done, wrong, total = done + len(rows), wrong + rows[:, 3].sum(), total + rows[:, 1].sum()
            if not wrong < stop.fewer_than:
                return False
        return bool(total / done < stop.mean_below)

    def _record(self, milestone: Milestone) -> None:
        """Record a milestone, unless it is past its own cap, with the final test of the net at this point."""
        before = milestone.stop.length if isinstance(milestone.stop, Window) and milestone.stop.count == "start" else 0
        reached = self.n - before
        if reached > milestone.cap:
            return
        record: dict[str, Any] = {"sequences": reached}
        if self.row.test:
            batch = self.task.test(self._random("test", self.number), self.row.test)
            tolerance = milestone.stop.tolerance
            rows = self.trainer.check(batch, tolerance, self.row.test + 1)
            mean, square = rows[:, 1:3].mean(0)
            record |= {"wrong": int(rows[:, 3].sum()), "mean error": float(mean), "mean square": float(square)}
        self.found[milestone.name] = record


class _Growing:
    """A net that begins without its memory cells: they are added once its error has stopped decreasing."""

    def __init__(self, trainer: Trainer, rule: Growth) -> None:
        self.trainer, self.rule, self.last, self.sum, self.added = trainer, rule, float("inf"), 0.0, None
        cells = trainer.net.cells
        self.V, self.learns = trainer.V[:cells].copy(), (trainer.learns_W.copy(), trainer.learns_V.copy())
        trainer.V[:cells] = trainer.learns_W[:] = trainer.learns_V[:cells] = 0.0

    added: int | None

    def watch(self, total: float, n: int) -> None:
        """Take the sum of errors of the last hundred sequences."""
        self.sum += total
        if n % self.rule.window:
            return
        if self.added is None and not self.sum < self.last * (1.0 - self.rule.falls):
            self.trainer.V[: len(self.V)], self.added = self.V, n
            self.trainer.learns_W[:], self.trainer.learns_V[:] = self.learns
        self.last, self.sum = self.sum, 0.0
