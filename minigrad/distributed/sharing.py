"""Rows of a batch for each process, and means over the whole batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.distributed.exchange import sum_arrays
from minigrad.distributed.world import world
from minigrad.engine import rows as batch_rows
from minigrad.engine import tree
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import ShapeError
from minigrad.engine.rows import Rows


def rows_of(total: int) -> Rows:
    """Return this process's rows of a batch: as many as any other's, up to one."""
    job = world()
    return Rows(total * job.rank // job.size, total * (job.rank + 1) // job.size, total)


def shard(batch: Any) -> Any:
    """Return this process's rows of a batch, and draw dropout masks for the whole batch until the next update.

    Args:
        batch: arrays (rows, …), or tuples, lists and dictionaries of them, the same in every process; None stays None.

    Returns:
        The same structure. A process without a row gets the first one, which then counts with weight 0.

    Raises:
        ShapeError: the arrays have no rows, or different numbers of them.
    """
    given = tree.map(lambda part: None if part is None else as_tensor(part, None, "shard: `batch`"), batch)
    rows, parts = rows_and_parts(given)
    if world().size > 1:
        batch_rows.set_current(rows._replace(until_update=True))
    return parts


def rows_and_parts(batch: Any) -> tuple[Rows, Any]:
    """Return this process's rows of a batch of tensors, and those parts of it."""
    sizes = {part.shape[0] if part.ndim else 0 for part in tree.leaves(batch) if part is not None}
    if len(sizes) != 1 or sizes == {0}:
        raise ShapeError(f"shard: expected `batch`, arrays with one number of rows, got {sorted(sizes) or 'none'}.")
    rows = rows_of(sizes.pop())
    return rows, tree.map(lambda part: None if part is None else part[rows.taken], batch)


def share() -> float:
    """Return the fraction of the batch that this process computes."""
    rows = batch_rows.current()
    return 1.0 / world().size if rows is None else rows.weight


def mean(value: Any) -> float:
    """Return the mean over the whole batch of a number that is the mean over this process's rows."""
    own, weight = float(value), share()
    if world().size == 1:
        return own
    return float(sum_arrays([np.array([own * weight if weight else 0.0])], "mean")[0][0])


def total_of(number: Any) -> float:
    """Return Σ over all processes of a number that belongs to this process's rows, such as a sum of weights."""
    own = float(number)
    if world().size == 1:
        return own
    return float(sum_arrays([np.array([own if share() else 0.0])], "total_of")[0][0])
