"""Masks: a step that leaves some rows as they are.

At a step where a row is masked, the row keeps its state and repeats its previous output. In the backward pass,

- ∂loss/∂state passes that step unchanged, and no part of it reaches the gates;
- ∂loss/∂output passes to the step whose output was repeated. Before the first output there is only the constant 0,
  which has no gradient.

`Masked` does this around any step: its state is the cell's state and the last output, its input z and the row of the
mask. The loops of `minigrad.recurrent.bptt` run it like any other step.

Pad with numbers: a NaN in x at a masked step reaches no output, but it reaches the weights' gradients, as 0 · NaN, as
in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.protocol import State, Weights
from minigrad.recurrent.step import Step


class MaskedCache(NamedTuple):
    """Cached arrays of a masked sequence, a list with one entry for each time step."""

    states: list[State]  # the state before the step
    steps: Sequence[Any]  # the step's own cache, such as its gates
    rows: list[Array]  # (batch, 1), False where the row is masked
    zero_output: bool  # True if the output at masked steps is zero instead of repeated


class Masked(Step):
    """A step around another: masked rows keep their state and repeat their output.

    Args:
        step: the step for rows that are not masked.
        rows: for each time step, (batch, 1) of bools, False where the row is masked.
        states: the number of arrays in the step's state. One follows them: the output of the step before.
        zero_output: True if the output at masked steps is zero instead of repeated.
    """

    def __init__(self, step: Step, rows: Sequence[Array], states: int, zero_output: bool = False) -> None:
        self.inner_step, self.rows, self.output, self.zero_output = step, rows, states, zero_output

    def timesteps(self, xp: Xp, x: Array, weights: Weights) -> Sequence[Any]:
        """Return (z, row of the mask) for each time step."""
        return list(zip(self.inner_step.timesteps(xp, x, weights), self.rows, strict=True))

    def step(self, xp: Xp, z: Any, state: State, weights: Weights) -> tuple[State, Any]:
        """Return the new state, the output included, and (cache, row of the mask)."""
        (z, row), output, state = z, state[-1], state[:-1]
        state_new, cache = self.inner_step.step(xp, z, state, weights)
        output_new = xp.where(row, state_new[self.inner_step.output], 0.0 if self.zero_output else output)
        state_new = tuple(xp.where(row, new, old) for new, old in zip(state_new, state, strict=True))
        return (*state_new, output_new), (cache, row)

    def step_backward(self, xp: Xp, dstate: State, cache: Any, state: State, weights: Weights) -> tuple[Any, State]:
        """Return dz and ∂loss/∂(state before), ∂loss/∂(output before) included."""
        cache, row = cache
        dnew, dmasked = self.split(xp, dstate, row)
        drepeated = xp.where(row, 0.0, dstate[-1])
        if self.zero_output:
            drepeated = xp.zeros(drepeated.shape, drepeated.dtype)
        dz, dbefore = self.inner_step.step_backward(xp, dnew, cache, state[: self.output], weights)
        return dz, (*(through + past for through, past in zip(dbefore, dmasked, strict=True)), drepeated)

    def split(self, xp: Xp, dstate: State, row: Array) -> tuple[State, State]:
        """Return ∂loss/∂(new state) of the cell's step, 0 in masked rows, and the gradient that passes it in these."""
        doutput, dstate = xp.where(row, dstate[-1], 0.0), dstate[:-1]
        dmasked = tuple(xp.where(row, 0.0, ds) for ds in dstate)
        dstate = tuple(xp.where(row, ds, 0.0) for ds in dstate)
        k = self.inner_step.output
        return (*dstate[:k], dstate[k] + doutput, *dstate[k + 1 :]), dmasked
