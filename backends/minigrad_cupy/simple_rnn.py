"""The simple recurrent net's loop over time on the GPU: per step one product and one kernel, each way.

The formulas are those of `minigrad.recurrent.simple_rnn_step`; what runs is `minigrad_cupy.source.SIMPLE_RNN`.
"""

from __future__ import annotations

from typing import Any

from minigrad_cupy import source
from minigrad_cupy.loops import Kept, Run, begin, begin_backward, gathered, outputs, product_of_all_steps

Array = Any


class SimpleRNNRun(Run):
    """All arrays of one sequence."""

    source = source.SIMPLE_RNN
    gates = 1

    def _forward(self) -> None:
        for t, live in enumerate(self.rows):
            self.add_product(self.h[t], self.U, self.z[t])
            self.launch(0, self.z[t], self.h[t], self.h[t + 1], live)

    def _backward(self) -> None:
        for t, live in reversed(list(enumerate(self.rows))):
            self.launch(1, self.h[t + 1], self.dh[t + 1], self.ds[t], self.dh[t], live)
            self.add_product(self.ds[t], self.U, self.dh[t], transposed=True)


def forward(
    x: Array, h0: Array, W: Array, U: Array, b: Array | None, mask: Array | None = None, *, zero_output: bool = False
) -> tuple[Array, Array, Kept]:
    """Runs the net over a sequence. Arguments and results as `minigrad_numpy.simple_rnn.forward`'s."""
    run, kept = begin(SimpleRNNRun, x, h0, U, mask, zero_output, "sigmoid")
    product_of_all_steps(x, W, b, run.z)
    run.forward()
    return outputs(kept), run.h[-1].copy(), kept


def backward(
    dy: Array | None, dh_T: Array | None, kept: Kept, x: Array, W: Array, U: Array, *, needs_dx: bool = True
) -> tuple[Array | None, Array, Array, Array, Array]:
    """Walks back through the sequence. Arguments and results as `minigrad_numpy.simple_rnn.backward`'s."""
    run: Any = kept.run
    begin_backward(kept, dy, dh_T)
    run.backward()
    dx, dW, dU, db, _ = gathered(x, run.h[:-1], W, run.ds, run.ds, needs_dx)
    return dx, run.dh[0].copy(), dW, dU, db
