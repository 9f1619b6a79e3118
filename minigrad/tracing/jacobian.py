"""∂s_T/∂s_t, exactly: how much of a change in the state at step t is left at the end.

Row k of ∂s_T/∂s_t is the gradient of unit k of s_T, so walking back from a loss that is that unit alone gives it. All
units are walked back at once: the gradients of a step get an axis in front, one entry for each unit, and its matrix
products become products of as many matrices. Of each ∂s_T/∂s_t only the norm is kept. In a net that forgets, it falls
off with the distance T − t; a gradient that grows with it explodes.
"""

from __future__ import annotations

import warnings
from math import prod

import numpy as np

from minigrad.engine.dtypes import dtype_name
from minigrad.engine.protocol import Array
from minigrad.recurrent.bptt_options import step_back
from minigrad.recurrent.watch import Watch
from minigrad.tracing.reading import LIMIT, TooLargeError, itemsize
from minigrad.tracing.trace import HostArray

MANY = 5_000_000_000  # T · batch · units³, beyond which it takes longer than a few seconds


def cost(steps: int, batch: int, units: int) -> int:
    """Return what the time is proportional to: for each step and row some products of matrices (units, units)."""
    return steps * batch * units**3


def norms(watch: Watch, state: int, kind: str) -> HostArray:
    """Return ‖∂s_T/∂s_t‖ for t = 0 … T, (T + 1, batch); the last is the norm of the identity.

    Args:
        watch: of a run.
        state: which of the state's arrays.
        kind: ``"spectral"``, the largest stretch, or ``"frobenius"``.

    Raises:
        ValueError: there is no such norm.
        TooLargeError: one step's matrices would take more than a gibibyte.
    """
    if kind not in ("spectral", "frobenius"):
        raise ValueError(f"jacobian_norms: expected norm 'spectral' or 'frobenius', got {kind!r}.")
    xp, cache, T = watch.xp, watch.cache, len(watch.cache.steps)
    batch, units = watch.final[state].shape
    _check_cost(T, batch, units, itemsize(watch.final[state]))
    walks = _ends(watch, state)
    found = [_norm(watch, walks, state, kind)]
    for t in reversed(range(T)):
        walks = [step_back(xp, watch.step, d, t, watch.weights, cache) for d in walks]
        found.append(_norm(watch, walks, state, kind))
    return np.stack(found[::-1])


def _ends(watch: Watch, state: int) -> list[tuple[Array, ...]]:
    """Where the walks begin: of each unit of s_T its gradient by the state, 1 at itself.

    One walk, of arrays (units, batch, units). The cell of a user may have formulas for (batch, units) only: one each.
    """
    xp, (batch, units), own = watch.xp, watch.final[state].shape, watch.final[state].dtype
    one = xp.broadcast_to(xp.expand_dims(xp.asarray(np.eye(units), dtype_name(own)), 1), (units, batch, units))
    together = tuple(one if n == state else xp.zeros((units, *s.shape), s.dtype) for n, s in enumerate(watch.final))
    return [together] if watch.step.name else list(zip(*map(xp.unstack, together), strict=True))


def _norm(watch: Watch, walks: list[tuple[Array, ...]], state: int, kind: str) -> HostArray:
    """(batch,): the norm of the matrix whose rows are where the walks are now."""
    rows = walks[0][state] if watch.step.name else watch.xp.stack([d[state] for d in walks])
    J = watch.xp.to_numpy(rows).swapaxes(0, 1)
    return np.linalg.norm(J, 2 if kind == "spectral" else "fro", axis=(-2, -1))


def _check_cost(T: int, batch: int, units: int, each: int) -> None:
    """Say before it begins what takes long, and refuses what does not fit."""
    size = 10 * prod((units, batch, units)) * each  # the gates' gradients among them
    if size > LIMIT:
        raise TooLargeError(
            f"jacobian_norms: batch {batch} and {units} units would take {size / 2**30:.1f} GiB. Trace a smaller batch."
        )
    if cost(T, batch, units) > MANY:
        warnings.warn(
            f"jacobian_norms: {T} steps, batch {batch}, {units} units take more than a few seconds: the time "
            "grows with steps · batch · units³. A smaller batch is faster.",
            stacklevel=4,
        )
