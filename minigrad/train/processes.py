"""A training that the processes of a job share: the rows of each, and what they must agree on.

Every process draws the whole batch and computes its rows. The loss is a mean over positions, so the gradient of a
process counts by the weights of its positions:

    g = Σᵣ (Wᵣ / W) gᵣ        Wᵣ: the sum of the weights of process r's positions, W = Σ Wᵣ
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from minigrad.distributed.exchange import check_equal, gathered
from minigrad.distributed.optimizer import mean_gradients
from minigrad.distributed.sharing import rows_of
from minigrad.distributed.world import size
from minigrad.engine.protocol import Array
from minigrad.engine.rows import Rows
from minigrad.train.batch import Batch
from minigrad.train.errors import OptionError
from minigrad.train.task import Predict, RunOptions, Task


def own_rows(whole: Batch) -> tuple[Rows | None, Batch]:
    """Return this process's rows of a batch and their part of it; None and all of it in a single process."""
    if size() == 1:
        return None, whole
    rows = rows_of(len(whole.inputs))
    inputs, targets, weights, fresh = whole
    return rows, Batch(inputs[rows.taken], targets[rows.taken], weights[rows.taken], fresh)


def of_whole_batch(numbers: list[Any], rows: Rows | None, own: Batch, whole: Batch) -> list[Any]:
    """Return the gradients and the loss of the whole batch, for those of this process's rows."""
    if rows is None:
        return numbers
    counts = rows.stop > rows.start
    parts = [float(batch.weights.sum(dtype=np.float64)) for batch in (own, whole)]
    return mean_gradients(numbers, parts[0] / parts[1] if counts else 0.0)


def all_rows(states: list[Array]) -> list[Array]:
    """Return the states of all rows, for those of this process's rows."""
    if size() == 1 or not states:
        return states
    parts = gathered(states)
    return [np.concatenate([part[k] for part in parts]) for k in range(len(states))]


def shared_predict(predict: Predict) -> Predict:
    """Return a function that predicts as `predict` does, each process its rows; the states are those of its rows."""
    if size() == 1:
        return predict

    def of_own_rows(inputs: Array, states: Any = None) -> tuple[Array, Any]:
        if len(inputs) < size():
            return predict(inputs, states)
        outputs, after = predict(inputs[rows_of(len(inputs)).taken], states)
        return np.concatenate(gathered(outputs)), after

    return of_own_rows


def check_processes(task: Task, options: RunOptions) -> None:
    """Check that all processes are about to train the same model on the same data.

    Raises:
        DistributedError: versions, options or data differ.
        OptionError: a process would have no row.
    """
    if size() == 1:
        return
    check_equal("version of minigrad", _version())
    for name, value in options.to_dict().items():
        check_equal(f"--{name.replace('_', '-')}", value)
    check_equal("data", task.facts())
    if options.batch < size():
        raise OptionError(
            f"--batch {options.batch}: expected a row for each of the {size()} processes. Take a larger batch, or "
            "fewer processes."
        )


def _version() -> str:
    try:
        return version("minigrad-bptt")
    except PackageNotFoundError:  # a checkout that was not installed
        return "unknown"
