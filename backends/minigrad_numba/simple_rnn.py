"""The simple recurrent net's loop over time, compiled.

    h_new = tanh(x W + b + h U)

Backward, dh being ∂loss/∂h_new as it arrives:

    ds = dh ∘ (1 − h_new²)       dh = ds Uᵀ       to the step before
    dx = ds Wᵀ       dW = Σ xᵀ ds       dU = Σ hᵀ ds       db = Σ ds

Source: Elman, 1990, "Finding Structure in Time".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_numba.activations import tanh
from minigrad_numba.arrays import add_rest, gather, project, project_back
from minigrad_numba.compiling import compiled, inlined
from minigrad_numba.loops import Loop, block_of
from minigrad_numba.tiles import add_product
from minigrad_numpy.memory import carved

Array = Any


class SimpleRNN(Loop):
    """The net's loop. For the way back it keeps one float a unit and step, and the last h."""

    def forward(
        self, x: Array, h0: Array, W: Array, U: Array, b: Array | None, mask: Any = None, **options: Any
    ) -> Any:
        """Runs the net over a sequence: y, h_T, kept."""
        return self._forward(x, (h0,), (W, U, b), mask, **options)

    def backward(self, dy: Any, dh_T: Any, kept: Any, x: Array, W: Array, U: Array, needs_dx: bool = True) -> Any:
        """Walks back through it: dx, dh0, dW, dU, db."""
        return self._backward(dy, (dh_T,), kept, x, (W, U), needs_dx)

    def _run(self, x: Array, state: Any, matrices: Any, rests: Array, options: Any) -> Any:
        T, B, _ = x.shape
        (h,) = carved(x.dtype, (T + 1, B, state[0].shape[1]))
        h[0] = state[0]
        _forward(x, *matrices, h, rests, block_of(x))
        return h[1:], (h[T],), h

    def _run_back(self, dy: Array, dstate: Any, kept: Array, x: Array, matrices: Any, rests: Array, dx: Array) -> Any:
        (_, B, I), H, n = x.shape, kept.shape[2], block_of(x)
        dW, dU, db = (np.zeros(shape, x.dtype) for shape in ((I, H), (H, H), H))
        (ds,) = carved(x.dtype, (n, B, H))
        _backward(dy, *dstate, kept, x, *matrices, rests, ds, dx, dW, dU, db)
        return dW, dU, db


@compiled("the simple recurrent net's loop forward")
def _forward(x, W, U, b, h, rests, n):  # type: ignore[no-untyped-def]
    """Fills h, the first of which is given."""
    for start in range(0, len(x), n):
        stop = min(start + n, len(x))
        project(x[start:stop], W, b, h[start + 1 : stop + 1])
        for t in range(start, stop):
            add_product(h[t], U, h[t + 1])
            for row in range(len(h[t])):
                if rests.size and rests[t, row]:
                    h[t + 1, row] = h[t, row]
                else:
                    _activate(h[t + 1, row])


@inlined
def _activate(s):  # type: ignore[no-untyped-def]
    """Replaces s by tanh s."""
    for k in range(len(s)):
        s[k] = tanh(s[k])


@compiled("the simple recurrent net's loop backward")
def _backward(dy, dh, h, x, Wᵀ, Uᵀ, rests, ds, dx, dW, dU, db):  # type: ignore[no-untyped-def]
    """Fills dx, dW, dU and db; leaves in dh what reached h₀. ds is for the steps of one block."""
    n = len(ds)
    for stop in range(len(x), 0, -n):
        block = slice(max(stop - n, 0), stop)
        for t in range(stop - 1, block.start - 1, -1):
            ds_t = ds[t - block.start]
            for row in range(len(ds_t)):
                if rests.size and rests[t, row]:
                    add_rest(dy[t, row], dh[row], ds_t[row])
                else:
                    _step_backward(dy[t, row], dh[row], h[t + 1, row], ds_t[row])
            add_product(ds_t, Uᵀ, dh)
        of_block = ds[: stop - block.start]
        project_back(of_block, x[block], Wᵀ, dx[block], dW, db)
        gather(h[block], of_block, dU)


@inlined
def _step_backward(dy, dh, h_new, ds):  # type: ignore[no-untyped-def]
    """One row's step back: writes ds; of dh nothing remains but what ds Uᵀ will add."""
    one = dh.dtype.type(1)
    for k in range(len(ds)):
        ds[k] = (dh[k] + dy[k]) * (one - h_new[k] * h_new[k])
        dh[k] = 0


loop = SimpleRNN()
