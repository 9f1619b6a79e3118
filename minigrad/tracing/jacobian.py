"""∂s_T/∂s_t, exactly: the effect of a change in the state at step t on the final state.

Row k of ∂s_T/∂s_t is the gradient of unit k of s_T: the backward pass of a loss that is that unit alone. All units run
at once: the gradients of a step get a first axis with one entry for each unit, and its matrix products become batched
products. Only the norm of each ∂s_T/∂s_t is kept. It vanishes with the distance T − t in a network that forgets; a
norm that grows with the distance is an exploding gradient.
"""

from __future__ import annotations

import warnings
from math import prod

import numpy as np

from minigrad.engine.arguments import choice
from minigrad.engine.dtypes import dtype_name
from minigrad.engine.protocol import Array
from minigrad.recurrent.bptt_options import step_back
from minigrad.recurrent.watch import Watch
from minigrad.tracing.assembly import MAX_BYTES, TooLargeError, itemsize
from minigrad.tracing.trace import HostArray

MAX_QUICK_COST = 5_000_000_000  # T · batch · units³, a few seconds


def cost(steps: int, batch: int, units: int) -> int:
    """Return T · batch · units³, to which the time is proportional: products of (units, units) matrices."""
    return steps * batch * units**3


def norms(watch: Watch, state: int, kind: str) -> HostArray:
    """Return ‖∂s_T/∂s_t‖ for t = 0 … T, (T + 1, batch); the last is the norm of the identity.

    Args:
        watch: the record of a run.
        state: the index of the state's array.
        kind: ``"spectral"``, the largest singular value, or ``"frobenius"``.

    Raises:
        ValueError: `kind` is not a norm.
        TooLargeError: one step's matrices would take more than a gibibyte.
    """
    choice("jacobian_norms: `norm`", kind, ("spectral", "frobenius"))
    xp, cache, T = watch.xp, watch.cache, len(watch.cache.steps)
    batch, units = watch.final[state].shape
    _check_cost(T, batch, units, itemsize(watch.final[state]))
    gradients = _identity_gradients(watch, state)
    found = [_norm(watch, gradients, state, kind)]
    silent = xp.zeros(watch.outputs.shape[1:], watch.outputs.dtype)
    for t in reversed(range(T)):
        gradients = [step_back(xp, watch.step, silent, d, t, watch.weights, cache).dstate for d in gradients]
        found.append(_norm(watch, gradients, state, kind))
    return np.stack(found[::-1])


def _identity_gradients(watch: Watch, state: int) -> list[tuple[Array, ...]]:
    """Return the gradients at the end of the sequence: ∂s_T/∂s_T, the identity, for each unit of s_T.

    They are one entry of arrays (units, batch, units). A custom cell may have formulas for (batch, units) only: then
    there is one entry for each unit.
    """
    xp, (batch, units), own = watch.xp, watch.final[state].shape, watch.final[state].dtype
    one = xp.broadcast_to(xp.expand_dims(xp.asarray(np.eye(units), dtype_name(own)), 1), (units, batch, units))
    batched = tuple(one if n == state else xp.zeros((units, *s.shape), s.dtype) for n, s in enumerate(watch.final))
    return [batched] if watch.step.name else list(zip(*map(xp.unstack, batched), strict=True))


def _norm(watch: Watch, gradients: list[tuple[Array, ...]], state: int, kind: str) -> HostArray:
    """Return the norm of ∂s_T/∂s_t, whose rows are the gradients at step t, (batch,)."""
    rows = gradients[0][state] if watch.step.name else watch.xp.stack([d[state] for d in gradients])
    J = watch.xp.to_numpy(rows).swapaxes(0, 1)
    return np.linalg.norm(J, 2 if kind == "spectral" else "fro", axis=(-2, -1))


def _check_cost(T: int, batch: int, units: int, each: int) -> None:
    """Raise an error if the matrices do not fit into memory, and warn if the computation takes long."""
    size = 10 * prod((units, batch, units)) * each  # the gradients of the gates included
    if size > MAX_BYTES:
        raise TooLargeError(
            f"jacobian_norms: batch {batch} and {units} units would take {size / 2**30:.1f} GiB. Trace a smaller batch."
        )
    if cost(T, batch, units) > MAX_QUICK_COST:
        warnings.warn(
            f"jacobian_norms: {T} steps, batch {batch}, {units} units take more than a few seconds: the time "
            "grows with steps · batch · units³. A smaller batch is faster.",
            stacklevel=4,
        )
