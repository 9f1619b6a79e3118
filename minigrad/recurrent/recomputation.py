"""Recomputation: cache z alone, and rerun the step in the backward pass.

It saves memory where an activation's derivative needs its argument: `step` would cache the arguments and the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.protocol import State, Weights
from minigrad.recurrent.step import Step


class Recomputing(Step):
    """A step around another, whose cache is z.

    Args:
        step: the step that is rerun.
    """

    def __init__(self, step: Step) -> None:
        self.inner_step, self.output = step, step.output

    def timesteps(self, xp: Xp, x: Array, weights: Weights) -> Sequence[Any]:
        """Return z for each time step."""
        return self.inner_step.timesteps(xp, x, weights)

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, Any]:
        """Return the new state, and z as the cache."""
        return self.inner_step.step(xp, z, state, weights)[0], z

    def step_backward(self, xp: Xp, dstate: State, cache: Any, state: State, weights: Weights) -> tuple[Any, State]:
        """Return dz and ∂loss/∂state, from the cache of a second run of the step."""
        _, recomputed = self.inner_step.step(xp, cache, state, weights)
        return self.inner_step.step_backward(xp, dstate, recomputed, state, weights)


class RecomputedSteps(Sequence[Any]):
    """The caches of the steps of a sequence, each computed when it is read.

    Args:
        xp: the array namespace.
        step: the step that is rerun.
        z: for each time step, its cached z.
        states: for each time step, the state before it.
        weights: the cell's weights.
    """

    def __init__(self, xp: Xp, step: Step, z: Sequence[Array], states: Sequence[State], weights: Weights) -> None:
        self.xp, self.step, self.z, self.states, self.weights = xp, step, z, states, weights

    def __len__(self) -> int:
        return len(self.z)

    def __getitem__(self, t: Any) -> Any:
        return self.step.step(self.xp, self.z[t], self.states[t], self.weights)[1]
