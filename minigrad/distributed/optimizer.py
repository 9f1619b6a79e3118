"""An optimizer whose gradients are those of the whole batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from functools import cache
from typing import Any

import numpy as np

from minigrad.distributed.exchange import sum_arrays
from minigrad.distributed.sharing import share
from minigrad.distributed.world import world
from minigrad.engine import rows
from minigrad.engine.conversion import constant
from minigrad.engine.errors import OptionError, shown
from minigrad.engine.tensor import Tensor


def DistributedOptimizer(optimizer: Any) -> Any:  # noqa: N802  (Horovod's name)
    """Return an optimizer that applies the gradient of the whole batch.

        g = Σᵣ nᵣ gᵣ / Σᵣ nᵣ        gᵣ: the gradient of a mean over the nᵣ rows of process r

    All gradients of one dtype travel as one array. Clipping, `weight_decay` and the slots come after it, and are the
    same in every process. `fit` and `train_on_batch` share each batch among the processes; a custom loop calls
    `shard`.

    Args:
        optimizer: an optimizer of `minigrad.keras.optimizers`, not yet used elsewhere.

    Returns:
        A copy of the optimizer.

    Raises:
        OptionError: the argument is not an optimizer.
    """
    kind: Any = type(optimizer)
    if isinstance(optimizer, type) or not (hasattr(optimizer, "apply_gradients") and hasattr(optimizer, "minimize")):
        raise OptionError(f"DistributedOptimizer: expected `optimizer`, an optimizer, got {shown(optimizer)}.")
    made = copy(optimizer)
    if not issubclass(kind, OfWholeBatch):
        made.__class__ = _distributed(kind)
    return made


class OfWholeBatch:
    """The part that `DistributedOptimizer` adds to a class of optimizers."""

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Tensor]], where: Any = None) -> int:
        """Run one update with the gradients of the whole batch; arguments as in the optimizer's own."""
        pairs: Any = grads_and_vars if isinstance(grads_and_vars, (list, tuple)) else list(grads_and_vars)
        if world().size > 1 and all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
            means = mean_gradients([g for g, _ in pairs])
            pairs = list(zip(means, [w for _, w in pairs], strict=True))
        own_rows = rows.current()
        if own_rows is not None and own_rows.until_update:
            rows.set_current(None)
        updates: int = super().apply_gradients(pairs, where)  # type: ignore[misc]  # of the optimizer's class
        return updates


@cache
def _distributed(kind: Any) -> Any:
    """Return the class with `OfWholeBatch` in front; it keeps its name, so files do not depend on it."""
    return type(kind.__name__, (OfWholeBatch, kind), {"__module__": kind.__module__, "__doc__": kind.__doc__})


def mean_gradients(gradients: Sequence[Any], weight: float | None = None) -> list[Any]:
    """Return Σ weight · gradient over all processes; None where there is none.

    Args:
        gradients: tensors or None, the same ones in every process.
        weight: the part of this process in the batch, by default that of its rows.
    """
    weight = share() if weight is None else weight
    arrays = [g.numpy() for g in gradients if isinstance(g, Tensor)]
    weighted = [a * np.asarray(weight, a.dtype) if weight else np.zeros_like(a) for a in arrays]
    summed = iter(sum_arrays(weighted, "apply_gradients: `grads_and_vars`"))
    return [constant(next(summed), g.backend) if isinstance(g, Tensor) else g for g in gradients]
