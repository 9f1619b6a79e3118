"""A whole sequence, or a single step, as one operation on the tape, with the hand-derived gradient.

The tape then holds one node for a sequence, or for a step, and not some twenty for each step. Where the backend has
compiled the cell's loop over time, that loop runs in place of the formulas; a test says that the numbers are the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.engine.ops.op import MultiOp
from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent import bptt
from minigrad.recurrent.compiled import Compiled
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
        loop: the backend's loop for this cell, or None for the formulas.
        watch: where to write down what happens, or None.
    """

    cell: Step
    states: int
    mask: Array | None = None
    zero_output: bool = False
    tbptt: tuple[int, int] | None = None
    loop: Compiled | None = None
    watch: Watch | None = None

    def loop_in(self, xp: Xp) -> Compiled | None:
        """The backend's loop, if xp is a backend: on Tensors the formulas run."""
        return self.loop if hasattr(xp, "to_numpy") else None


class Sequence(MultiOp):
    """outputs, *final_state = the cell run over x from an initial state.

    Inputs: x (time, batch, features), then the state's arrays, then the weights (None where the cell has none).
    """

    caches = True

    def forward(xp: Xp, x: Array, *state_and_weights: Array, plan: Plan) -> tuple[tuple[Array, ...], Any]:
        state, weights = state_and_weights[: plan.states], state_and_weights[plan.states :]
        loop = plan.loop_in(xp)
        if loop is not None:
            y, state_T, cache = loop.forward(x, state, weights, plan.mask, plan.zero_output)
        else:
            y, state_T, cache = bptt.forward(xp, plan.cell, x, state, weights, plan.mask, plan.zero_output)
        if plan.watch is not None:
            plan.watch.went_forward(xp, x, y, state_T, weights, cache)
        return (y, *state_T), cache

    def backward(
        xp: Xp,
        dy: tuple[Array, ...],
        y: tuple[Array, ...],
        x: Array,
        *state_and_weights: Array,
        plan: Plan,
        cache: Any,
        needs: tuple[bool, ...],
    ) -> tuple[Array | None, ...]:
        weights = state_and_weights[plan.states :]
        doutputs, *dstate = dy
        loop = plan.loop_in(xp)
        if loop is not None:
            g: Any = loop.backward(doutputs, tuple(dstate), x, weights, cache, needs[0])
        else:
            seen = None if plan.watch is None else plan.watch.step_back_in(xp)
            g = bptt.backward(xp, plan.cell, doutputs, tuple(dstate), x, weights, cache, plan.tbptt, seen)
        dx, dstate_0, dweights = g
        if plan.watch is not None:
            plan.watch.went_back(xp, dx)
        absent = (None,) * (len(weights) - len(dweights))
        return (dx, *dstate_0, *dweights, *absent)


class OneStep(MultiOp):
    """new states = one step of a cell from its states: a cell that is called by hand.

    Inputs: x (batch, features), then the state's arrays, then the weights (None where the cell has none).
    """

    caches = True

    def forward(xp: Xp, x: Array, *state_and_weights: Array, plan: Plan) -> tuple[tuple[Array, ...], Any]:
        state, weights = state_and_weights[: plan.states], state_and_weights[plan.states :]
        return plan.cell.step(xp, plan.cell.project(xp, x, weights), state, weights)

    def backward(
        xp: Xp, dy: tuple[Array, ...], y: tuple[Array, ...], x: Array, *state_and_weights: Array, plan: Plan, cache: Any
    ) -> tuple[Array | None, ...]:
        state, weights = state_and_weights[: plan.states], state_and_weights[plan.states :]
        dz, dstate = plan.cell.step_backward(xp, dy, cache, state, weights)
        dx, dweights = plan.cell.gather(xp, xp.expand_dims(x, 0), [state], [cache], [dz], weights)
        absent = (None,) * (len(weights) - len(dweights))
        return (xp.squeeze(dx, 0), *dstate, *dweights, *absent)
