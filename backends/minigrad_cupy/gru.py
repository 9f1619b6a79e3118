"""The loop over time of the GRU that resets afterwards, on the GPU: per step one product and one kernel, each way.

The formulas are those of `minigrad.recurrent.gru_step`; what runs is `minigrad_cupy.source.GRU`. The state's product
k = h U + b_h is kept apart from z = x W + b, since the reset gate multiplies one and not the other.
"""

from __future__ import annotations

from typing import Any

import cupy as cp

from minigrad_cupy import source
from minigrad_cupy.loops import Kept, Run, begin, begin_backward, gathered, outputs, product_of_all_steps

Array = Any


class GRURun(Run):
    """All arrays of one sequence; `z` holds the gates z, r, g once forward has run."""

    source = source.GRU
    gates = 3

    def __init__(self, T: int, B: int, H: int, dtype: str, masked: bool, recurrent_activation: str) -> None:
        super().__init__(T, B, H, dtype, masked, recurrent_activation)
        self.k, self.dk = cp.empty((T, B, 3 * H), dtype), cp.empty((T, B, 3 * H), dtype)

    def _forward(self) -> None:
        for t, live in enumerate(self.rows):
            self.add_product(self.h[t], self.U, self.k[t])
            self.launch(0, self.z[t], self.k[t], self.h[t], self.h[t + 1], live)

    def _backward(self) -> None:
        for t, live in reversed(list(enumerate(self.rows))):
            dh, dh_before = self.dh[t + 1], self.dh[t]
            self.launch(1, self.z[t], self.k[t], self.h[t], dh, self.ds[t], self.dk[t], dh_before, live)
            self.add_product(self.dk[t], self.U, dh_before, transposed=True)


def forward(
    x: Array,
    h0: Array,
    W: Array,
    U: Array,
    b: Array | None,
    b_h: Array | None,
    mask: Array | None = None,
    *,
    zero_output: bool = False,
    recurrent_activation: str = "sigmoid",
) -> tuple[Array, Array, Kept]:
    """Runs the GRU over a sequence. Arguments and results as `minigrad_numpy.gru.forward`'s."""
    run, kept = begin(GRURun, x, h0, U, mask, zero_output, recurrent_activation)
    product_of_all_steps(x, W, b, run.z)
    run.k[...] = 0 if b_h is None else b_h
    run.forward()
    return outputs(kept), run.h[-1].copy(), kept


def backward(
    dy: Array | None, dh_T: Array | None, kept: Kept, x: Array, W: Array, U: Array, *, needs_dx: bool = True
) -> tuple[Array | None, Array, Array, Array, Array, Array]:
    """Walks back through the sequence. Arguments and results as `minigrad_numpy.gru.backward`'s."""
    run: Any = kept.run
    begin_backward(kept, dy, dh_T)
    run.backward()
    dx, dW, dU, db, db_h = gathered(x, run.h[:-1], W, run.ds, run.dk, needs_dx)
    return dx, run.dh[0].copy(), dW, dU, db, db_h
