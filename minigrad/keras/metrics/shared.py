"""The values of metrics over the rows of all processes."""

from __future__ import annotations

import copy
from typing import Any

from minigrad.distributed.exchange import allreduce, shared
from minigrad.engine import rows
from minigrad.engine.creation import as_tensor
from minigrad.engine.tensor import Tensor
from minigrad.keras.callbacks.base import Logs
from minigrad.keras.metrics.classes import Metric


def results(metrics: list[Metric]) -> Logs:
    """Return the metrics' values so far by name; where processes share the batch, those over all rows.

    The numbers that a metric's `reset_state` sets are sums over batches. Those of all metrics are added up in one
    message, and each value is computed from the sums.
    """
    if rows.current() is None:
        return {metric.name: metric.result() for metric in metrics}
    found = [(metric, _summed_names(metric)) for metric in metrics]
    whole = iter(allreduce([as_tensor(getattr(m, name), "float64") for m, names in found for name in names]))
    logs: Logs = {}
    for metric, names in found:
        total = copy.copy(metric)
        for name in names:
            total.__dict__[name] = next(whole)
        logs[metric.name] = float(as_tensor(total.result()))
    shared_logs: Logs = shared(logs)  # to the last bit: callbacks of all processes decide the same
    return shared_logs


def _summed_names(metric: Metric) -> list[str]:
    """Return the attributes that `reset_state` sets to numbers."""
    known: list[str] | None = vars(metric).get("_summed_names")
    if known is not None:
        return known
    set_names: list[str] = []
    kind = type(metric)

    def note(instance: Any, name: str, value: Any) -> None:
        set_names.append(name)
        object.__setattr__(instance, name, value)

    probe = copy.copy(metric)
    probe.__class__ = type(kind.__name__, (kind,), {"__setattr__": note})
    probe.reset_state()
    found = [name for name in dict.fromkeys(set_names) if isinstance(getattr(metric, name), (int, float, Tensor))]
    metric.__dict__["_summed_names"] = found
    return found
