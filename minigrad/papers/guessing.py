"""Weight guessing, a baseline: draw the weights of a row's net at random until they pass its test, without learning."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.papers.kernel.build import Trainer
from minigrad.papers.net import Start
from minigrad.papers.row import Checked, Row

BLOCK = 32  # test sequences drawn at once: most guesses fail at the first of them


def guess(row: Row, seed: int, width: float, most: int, compiles: bool | None = None) -> int | None:
    """Return the number of guesses until one passes the test of the row's first milestone, or None.

    Args:
        row: the row; its first milestone is a test, or a window of sequences that counts as a test of that many.
        seed: the seed.
        width: weights and biases are uniform in [−width, width].
        most: the largest number of guesses.
        compiles: whether to use Numba; by default where it is installed.
    """
    random = np.random.default_rng(seed)
    start, stop = Start(width=width), row.milestones[0].stop
    task, count = row.task.prepared(random), stop.sequences if isinstance(stop, Checked) else stop.length
    for n in range(1, most + 1):
        trainer = Trainer(row.net, *start.draw(row.net, random), row.rate, compiles=compiles)
        if _passes(trainer, task, random, count, stop.tolerance, stop.fewer_than):
            return n
    return None


def _passes(
    trainer: Trainer, task: Any, random: np.random.Generator, count: int, tolerance: float, fewer_than: int
) -> bool:
    done, wrong = 0, 0.0
    while done < count and wrong < fewer_than:
        batch = task.test(random, min(BLOCK, count - done))
        found = trainer.check(batch, tolerance, fewer_than)
        done, wrong = done + len(found), wrong + found[:, 3].sum()
    return bool(wrong < fewer_than)
