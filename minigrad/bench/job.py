"""A job to time: steps of the character model, or all-reduces. Process 0 prints seconds and numbers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.distributed import rank
from minigrad.distributed.exchange import sum_arrays
from minigrad.train.tasks.text import Text, TextOptions
from minigrad.train.threads import one_thread
from minigrad.train.trainer import Trainer

WARM_UP = 3


def step_of(batch: int) -> tuple[Callable[[], Any], int]:
    """Return a training step of the character model with this batch, and the number of its weights."""
    options = TextOptions(batch=batch, characters=300_000)
    trainer = Trainer(Text(options), options)
    return trainer.advance, trainer.model.count_params()


def allreduce_of(numbers: int) -> tuple[Callable[[], Any], int]:
    """Return an all-reduce of this many float32 numbers."""
    array = np.ones(numbers, np.float32)
    return lambda: sum_arrays([array], "bench"), numbers


def main(kind: str, size: int, repeats: int) -> None:
    """Time the operation, and print the seconds of one."""
    with one_thread():
        run, size_of_message = {"step": step_of, "allreduce": allreduce_of}[kind](size)
        for _ in range(WARM_UP):
            run()
        begin = time.perf_counter()
        for _ in range(repeats):
            run()
        seconds = (time.perf_counter() - begin) / repeats
    if rank() == 0:
        print(seconds, size_of_message)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
