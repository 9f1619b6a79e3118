"""A whole sequence as one operation on the tape: forward runs the loop, backward runs it in reverse.

The tape then holds one node for a sequence and not some twenty for each step. Where the backend offers a fused kernel
for the cell, the kernel runs in place of the formulas; a test says that the numbers are the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.backend.protocol import Array, Xp
from minigrad.ops.op import MultiOp
from minigrad.recurrent import bptt
from minigrad.recurrent.step import Step
from minigrad.recurrent.watch import Watch


class Plan(NamedTuple):
    """How a sequence is to be run.

    Attributes:
        cell: the step and its gradient.
        states: how many arrays the state has.
        mask: (time, batch) of bools, or None.
        zero_output: the output at masked steps is zero instead of repeated.
        tbptt: (k1, k2), or None for the whole way back.
        kernel: the backend's fused kernel for this cell, or None for the formulas.
        watch: where to write down what happens, or None.
    """

    cell: Step
    states: int
    mask: Array | None = None
    zero_output: bool = False
    tbptt: tuple[int, int] | None = None
    kernel: Any = None
    watch: Watch | None = None

    def kernel_in(self, xp: Xp) -> Any:
        """The kernel, if xp is a backend that has one: `minigrad.functional` has none."""
        return self.kernel if hasattr(xp, "kernels") else None


class Sequence(MultiOp):
    """outputs, *final_state = the cell run over x from an initial state.

    Inputs: x (time, batch, features), then the state's arrays, then the weights (None where the cell has none).
    """

    keeps = True

    def forward(xp: Xp, x: Array, *state_and_weights: Array, plan: Plan) -> tuple[tuple[Array, ...], Any]:
        state, weights = state_and_weights[: plan.states], state_and_weights[plan.states :]
        kernel = plan.kernel_in(xp)
        if kernel is not None:
            y, state_T, kept = kernel.forward(plan.cell, x, state, weights, plan.mask, plan.zero_output)
        else:
            y, state_T, kept = bptt.forward(xp, plan.cell, x, state, weights, plan.mask, plan.zero_output)
        if plan.watch is not None:
            plan.watch.went_forward(xp, x, y, state_T, weights, kept)
        return (y, *state_T), kept

    def backward(
        xp: Xp,
        dy: tuple[Array, ...],
        y: tuple[Array, ...],
        x: Array,
        *state_and_weights: Array,
        plan: Plan,
        kept: Any,
        needs: tuple[bool, ...],
    ) -> tuple[Array | None, ...]:
        weights = state_and_weights[plan.states :]
        doutputs, *dstate = dy
        kernel = plan.kernel_in(xp)
        if kernel is not None:
            g = kernel.backward(plan.cell, doutputs, tuple(dstate), x, weights, kept, needs[0])
        else:
            seen = None if plan.watch is None else plan.watch.step_back_in(xp)
            g = bptt.backward(xp, plan.cell, doutputs, tuple(dstate), x, weights, kept, plan.tbptt, seen)
        dx, dstate_0, dweights = g
        if plan.watch is not None:
            plan.watch.went_back(xp, dx)
        absent = (None,) * (len(weights) - len(dweights))
        return (dx, *dstate_0, *dweights, *absent)
