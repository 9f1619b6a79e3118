"""The interface between a recurrent cell and the loop over time: four pure functions of arrays.

    project        the part of a step that does not depend on the state, for all steps at once:   x → z
    step           one time step forward:                                  z_t, state → state_new
    step_backward  one time step backward:                                 dstate_new → dz_t, dstate
    gather         after the loop, the remaining gradients in one product each:   dz → dx, dweights

This division of the work makes a recurrent layer fast. Only `h U` is computed step by step. `x W + b` is one large
product before the loop, and ∂loss/∂W, ∂loss/∂U and ∂loss/∂x are one large product each after it.

A custom cell needs only `step` and `step_backward`; see `minigrad.recurrent.step`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from minigrad.engine.protocol import Array, Xp

State = tuple[Array, ...]
Weights = tuple[Array | None, ...]


class Cache(NamedTuple):
    """Cached arrays for the backward pass, a list with one entry for each time step."""

    states: list[State]  # the state before the step
    steps: Sequence[Any]  # the step's own cache, such as its gates


class Gradients(NamedTuple):
    """Result of the backward pass."""

    x: Array  # (time, batch, features)
    state: State  # of the initial state, each (batch, size)
    weights: Weights


class TimeStep(Protocol):
    """One time step of a recurrent cell and its hand-derived gradient.

    Attributes:
        output: index of the cell's output among the state's arrays.
    """

    output: int

    def project(self, xp: Xp, x: Array, weights: Weights) -> Array:
        """Return z (…, batch, columns) for x (…, batch, features)."""

    def timesteps(self, xp: Xp, x: Array, weights: Weights) -> Sequence[Any]:
        """Return the argument z of `step` for each time step, for x (time, batch, features)."""

    def step(self, xp: Xp, z: Any, state: State, weights: Weights) -> tuple[State, Any]:
        """Return the new state and the cache for `step_backward`.

        Args:
            xp: the array namespace.
            z: (batch, …), the entry of `timesteps` for this step.
            state: the state before the step, each (batch, size).
            weights: the cell's weights.
        """

    def step_backward(self, xp: Xp, dstate: State, cache: Any, state: State, weights: Weights) -> tuple[Any, State]:
        """Return dz, in the form that `gather` takes, and ∂loss/∂state.

        Args:
            xp: the array namespace.
            dstate: ∂loss/∂(new state), the gradient of the step's output included.
            cache: the cache of `step`.
            state: the state before the step.
            weights: the cell's weights.
        """

    def gather(
        self, xp: Xp, x: Array, states: Sequence[State], caches: Sequence[Any], dz: Sequence[Any], weights: Weights
    ) -> tuple[Array, Weights]:
        """Return dx (time, batch, features) and one gradient for each weight.

        Args:
            xp: the array namespace.
            x: (time, batch, features).
            states: for each step, the state before it.
            caches: for each step, the cache of `step`.
            dz: for each step, the result of `step_backward`.
            weights: the cell's weights.
        """


class SequenceOptions(NamedTuple):
    """Options of a run over a sequence.

    Attributes:
        step: the step and its gradient.
        states: the number of arrays in the state.
        mask: (time, batch) of bools, or None.
        zero_output: whether the output at masked steps is zero instead of repeated.
        tbptt: (k1, k2), or None for the whole sequence.
        loop: the backend's loop for this cell, a `BackendLoop`; None for `bptt`. On Tensors `bptt` runs in any case.
        watch: the record of the run, a `Watch`; None without a trace.
        batch_first: whether inputs and outputs are (batch, time, …) rather than (time, batch, …).
    """

    step: TimeStep
    states: int
    mask: Array | None = None
    zero_output: bool = False
    tbptt: tuple[int, int] | None = None
    loop: Any = None
    watch: Any = None
    batch_first: bool = False
