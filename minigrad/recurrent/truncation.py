"""Truncated backpropagation through time, `tbptt=(k1, k2)`.

After every k1 steps the loss of those steps is propagated backward through at most k2 steps. With k1 = 1, ∂loss_t/∂x_u
is exact for t − u < k2 and 0 beyond. Each window is one run of the plain loop; where windows overlap, the gradients of
a step are added.

Source: Williams and Peng, 1990, "An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent Network
Trajectories".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from minigrad.engine.errors import MinigradError
from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.bptt import through_time
from minigrad.recurrent.protocol import Cache, State, Weights
from minigrad.recurrent.step import Same, Step


def windows(T: int, tbptt: Any) -> Iterator[tuple[int, int, int]]:
    """Yield (start, stop, earliest): the loss of the steps start … stop − 1 is propagated back to step `earliest`.

    >>> list(windows(5, None))
    [(0, 5, 0)]
    >>> list(windows(5, (2, 3)))
    [(0, 2, 0), (2, 4, 1), (4, 5, 2)]
    """
    k1, k2 = (T, T) if tbptt is None else tbptt if isinstance(tbptt, tuple) and len(tbptt) == 2 else (0, 0)
    if not 1 <= k1 <= k2:
        raise MinigradError(f"bptt: expected tbptt = (k1, k2) with 1 ≤ k1 ≤ k2, got {tbptt!r}.")
    for start in range(0, T, k1):
        stop = min(start + k1, T)
        yield start, stop, max(0, stop - k2)


def through_windows(
    xp: Xp, step: Step, dy: Sequence[Array], dstate: State, weights: Weights, cache: Cache, tbptt: Any
) -> tuple[list[Any], State]:
    """Return dz of every step and ∂loss/∂(initial state), as `bptt.through_time` does, for a truncated gradient."""
    T, zero = len(dy), xp.zeros(dy[0].shape, dy[0].dtype)
    dz: list[Any] = [None] * T
    dstate_0 = zeros = tuple(xp.zeros(ds.shape, ds.dtype) for ds in dstate)
    for start, stop, earliest in windows(T, tbptt):
        d = [*[zero] * (start - earliest), *dy[start:stop]]
        window = Cache(cache.states[earliest:stop], cache.steps[earliest:stop])
        dz_window, dbefore = through_time(xp, step, d, dstate if stop == T else zeros, weights, window)
        for t, dz_t in enumerate(dz_window, earliest):
            dz[t] = added(dz[t], dz_t)
        if earliest == 0:
            dstate_0 = tuple(a + b for a, b in zip(dstate_0, dbefore, strict=True))
    return dz, dstate_0


def added(a: Any, b: Any) -> Any:
    """Return the sum of two gradients that are arrays, tuples of arrays, or None; of two `Same`, the first."""
    if a is None or b is None or isinstance(a, Same):
        return b if a is None else a
    if not isinstance(a, tuple):
        return a + b
    parts = [added(x, y) for x, y in zip(a, b, strict=True)]
    return type(a)(*parts) if hasattr(a, "_fields") else tuple(parts)
