"""The LSTM's loop over time on the GPU: per step one product and one elementwise kernel, each way.

The formulas are those of `minigrad.recurrent.lstm_step`; what runs is `minigrad_cupy.source.LSTM`.

    z = x W + b            for all steps at once
    z_t += h U             cuBLAS, in place; then one kernel: gates, c_new, h_new

    one kernel: ds_t, dc   then dh += ds_t Uᵀ, in place
    dx, dW, dU, db         for all steps at once
"""

from __future__ import annotations

from typing import Any

import cupy as cp

from minigrad_cupy import source
from minigrad_cupy.loops import Kept, Run, begin, begin_backward, gathered, outputs, product_of_all_steps

Array = Any


class LSTMRun(Run):
    """All arrays of one sequence; `z` holds the gates i, f, g, o once forward has run."""

    source = source.LSTM
    gates = 4

    def __init__(self, T: int, B: int, H: int, dtype: str, masked: bool, recurrent_activation: str) -> None:
        super().__init__(T, B, H, dtype, masked, recurrent_activation)
        self.c, self.dc = cp.empty((T + 1, B, H), dtype), cp.empty((B, H), dtype)

    def _forward(self) -> None:
        for t, live in enumerate(self.rows):
            self.add_product(self.h[t], self.U, self.z[t])
            self.launch(0, self.z[t], self.h[t], self.c[t], self.h[t + 1], self.c[t + 1], live)

    def _backward(self) -> None:
        for t, live in reversed(list(enumerate(self.rows))):
            c, c_new, dh, dh_before = self.c[t], self.c[t + 1], self.dh[t + 1], self.dh[t]
            self.launch(1, self.z[t], c, c_new, dh, self.dc, self.ds[t], dh_before, live)
            self.add_product(self.ds[t], self.U, dh_before, transposed=True)


def forward(
    x: Array,
    h0: Array,
    c0: Array,
    W: Array,
    U: Array,
    b: Array | None,
    mask: Array | None = None,
    *,
    zero_output: bool = False,
    recurrent_activation: str = "sigmoid",
) -> tuple[Array, Array, Array, Kept]:
    """Runs the LSTM over a sequence. Arguments and results as `minigrad_numpy.lstm.forward`'s."""
    run, kept = begin(LSTMRun, x, h0, U, mask, zero_output, recurrent_activation)
    run.c[0] = c0
    product_of_all_steps(x, W, b, run.z)
    run.forward()
    return outputs(kept), run.h[-1].copy(), run.c[-1].copy(), kept


def backward(
    dy: Array | None,
    dh_T: Array | None,
    dc_T: Array | None,
    kept: Kept,
    x: Array,
    W: Array,
    U: Array,
    *,
    needs_dx: bool = True,
) -> tuple[Array | None, Array, Array, Array, Array, Array]:
    """Walks back through the sequence. Arguments and results as `minigrad_numpy.lstm.backward`'s."""
    run: Any = kept.run
    begin_backward(kept, dy, dh_T)
    run.dc[...] = 0 if dc_T is None else dc_T
    run.backward()
    dx, dW, dU, db, _ = gathered(x, run.h[:-1], W, run.ds, run.ds, needs_dx)
    return dx, run.dh[0].copy(), run.dc.copy(), dW, dU, db
