"""The expected cost of a row: sequences, steps, and seconds of the compiled trainer."""

from __future__ import annotations

import numpy as np

from minigrad.papers.row import Row

SECONDS_A_STEP = 0.16e-6  # of the compiled trainer, for a small net


def mean_length(row: Row) -> float:
    """Return the mean number of steps of a sequence."""
    random = np.random.default_rng(0)
    return float(row.task.prepared(random).train(random, 50).lengths.mean())


def seconds(row: Row, sequences: int) -> float:
    """Return the seconds that a trial of this number of sequences takes, roughly."""
    size = 1.0 + row.net.weights / 500.0 if row.grows or row.table == 1 else 1.0
    return sequences * mean_length(row) * SECONDS_A_STEP * size
