"""The rows of a larger batch that this process computes, where several processes share the batch.

A dropout mask is drawn for the whole batch, and its rows are kept. So the numbers do not depend on the number of
processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Rows(NamedTuple):
    """Rows start … stop − 1 of a batch of `total`.

    A process without a row computes the first one with weight 0, so that all processes run the same operations.
    """

    start: int
    stop: int
    total: int
    until_update: bool = False  # of a custom loop: they hold until the next update of weights

    @property
    def weight(self) -> float:
        """The fraction of the batch: Σ weight over all processes is 1."""
        return (self.stop - self.start) / self.total

    @property
    def taken(self) -> slice:
        """The rows to compute, at least one."""
        return slice(self.start, self.stop) if self.stop > self.start else slice(0, 1)

    @property
    def size(self) -> int:
        """The number of rows to compute."""
        return max(self.stop - self.start, 1)


_current: ContextVar[Rows | None] = ContextVar("minigrad.engine.rows", default=None)

current = _current.get
"""Return the rows of the batch that is being computed, or None for a whole batch."""

set_current = _current.set


@contextmanager
def of_batch(rows: Rows | None) -> Iterator[None]:
    """Compute these rows inside the `with` block."""
    before = _current.set(rows)
    try:
        yield
    finally:
        _current.reset(before)


def of_drawn(size: int) -> tuple[int, slice] | None:
    """Return the size to draw in place of an axis of `size`, and the part to keep; None for a whole batch.

    An axis that merges batch and time, batch first, is a multiple of the rows.
    """
    rows = _current.get()
    if rows is None or size % rows.size or rows.size == rows.total:
        return None
    each, start = size // rows.size, rows.taken.start
    return rows.total * each, slice(start * each, start * each + size)
