"""A single step as one operation on the tape, with the hand-derived gradient."""

from __future__ import annotations

from typing import Any

from minigrad.engine.ops.op import MultiOp
from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.protocol import SequenceOptions


class StepOp(MultiOp):
    """new state = one step of a cell from its state.

    Inputs: x (batch, features), then the state's arrays, then the weights (None where the cell has none).
    """

    caches = True

    def forward(xp: Xp, x: Array, *state_and_weights: Array, options: SequenceOptions) -> tuple[tuple[Array, ...], Any]:
        state, weights = state_and_weights[: options.states], state_and_weights[options.states :]
        return options.step.step(xp, options.step.project(xp, x, weights), state, weights)

    def backward(
        xp: Xp,
        dy: tuple[Array, ...],
        y: tuple[Array, ...],
        x: Array,
        *state_and_weights: Array,
        options: SequenceOptions,
        cache: Any,
    ) -> tuple[Array | None, ...]:
        state, weights = state_and_weights[: options.states], state_and_weights[options.states :]
        dz, dstate = options.step.step_backward(xp, dy, cache, state, weights)
        dx, dweights = options.step.gather(xp, xp.expand_dims(x, 0), [state], [cache], [dz], weights)
        return (xp.squeeze(dx, 0), *dstate, *dweights, *(None,) * (len(weights) - len(dweights)))
