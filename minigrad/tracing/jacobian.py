"""∂s_T/∂s_t, exactly: how much of a change in the state at step t is left at the end.

Row k of ∂s_T/∂s_t is the gradient of unit k of s_T, so it comes from walking back through the sequence once for each
unit, from a loss that is that unit alone. In a net that forgets, the norm falls off with the distance T − t; a gradient
that grows with it explodes.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minigrad.recurrent import bptt
from minigrad.recurrent.watch import Watch

HostArray = Any

MANY = 100_000  # steps back, beyond which it takes longer than a few seconds


def jacobians(watch: Watch, state: int) -> HostArray:
    """Returns ∂s_T/∂s_t for every t, (T + 1, batch, units, units); the last is the identity.

    Args:
        watch: of a run.
        state: which of the state's arrays.
    """
    xp, kept, T = watch.xp, watch.kept, len(watch.kept.steps)
    zero = [xp.zeros(s.shape, s.dtype) for s in watch.final]
    batch, units = watch.final[state].shape
    if T * units > MANY:
        warnings.warn(
            f"jacobian_norms walks back {units} times through {T} steps, which takes a while. Fewer steps are faster.",
            stacklevel=4,
        )
    silent = xp.zeros(watch.outputs.shape[1:], watch.outputs.dtype)
    J = np.empty((T + 1, batch, units, units), str(zero[state].dtype).rsplit(".", 1)[-1])
    for k in range(units):
        dstate = tuple(xp.setitem(z, (slice(None), k), 1.0) if n == state else z for n, z in enumerate(zero))
        rows = [dstate[state]]
        for t in reversed(range(T)):
            dstate = bptt.step_back(xp, watch.step, silent, dstate, t, watch.weights, kept).dstate
            rows.append(dstate[state])
        J[:, :, k] = xp.to_numpy(xp.stack(rows[::-1]))
    return J


def norms(J: HostArray, kind: str) -> HostArray:
    """Returns the norms of matrices (…, n, n): ``"spectral"``, the largest stretch, or ``"frobenius"``."""
    if kind not in ("spectral", "frobenius"):
        raise ValueError(f"jacobian_norms: expected norm 'spectral' or 'frobenius', got {kind!r}.")
    return np.linalg.norm(J, 2 if kind == "spectral" else "fro", axis=(-2, -1))
