"""What a recurrent cell is to the loop over time: four pure functions of arrays.

    project        what of a step does not wait for the state, for all steps at once:   x → z
    step           one step forward:                                      z_t, state → state_new
    step_backward  one step back:                              d state_new → dz_t, d state
    gather         after the loop, the rest in one product each:           dz → dx, d weights

The split is where the speed of a recurrent layer comes from. Only `h U` must be computed step by step; `x W + b` is
one large product before the loop, and ∂loss/∂W, ∂loss/∂U, ∂loss/∂x are one large product each after it.

A cell of one's own need only offer `step` and `step_backward`; see `Step`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.engine.protocol import Array, Xp

State = tuple[Array, ...]
Weights = tuple[Array | None, ...]


class Same:
    """A part of dz that does not depend on the upstream gradient, such as what a matrix was multiplied by.

    Where the windows of a truncation overlap, the dz of a step are added; such a part is kept as it is.

    Attributes:
        value: the array.
    """

    __slots__ = ("value",)

    def __init__(self, value: Array) -> None:
        self.value = value


class Step:
    """One time step of a recurrent cell and its hand-derived gradient.

    Attributes:
        name: what a backend calls its fused kernel for this step; empty if there can be none.
        output: which of the state's arrays is the cell's output.
        states: the names of the state's arrays, in the letters of the equations.
        gates: the same of what a step computes from z and keeps, in the order of z's columns.
        inner: of what else it keeps and is worth a look.

    A subclass that overrides `step` and `step_backward` alone gets x itself as z, and answers `step_backward` with
    ``((dx, *dweights), dstate)``; `gather` then sums the steps' shares of each weight.
    """

    name: str = ""
    output: int = 0
    states: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()

    @property
    def recomputes(self) -> bool:
        """Is z kept rather than what `step` keeps, being less, and `step` run again on the way back?"""
        return False

    def project(self, xp: Xp, x: Array, weights: Weights) -> Array:
        """Returns z (time, batch, …) for x (time, batch, features)."""
        return x

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, Any]:
        """Returns the new state, and whatever `step_backward` wants to see again.

        Args:
            xp: the array namespace.
            z: (batch, …), this step's part of what `project` made.
            state: the state before the step, each (batch, size).
            weights: the cell's weights.
        """
        raise NotImplementedError(f"{type(self).__name__} must define step(xp, z, state, weights).")

    def step_backward(self, xp: Xp, dstate: State, kept: Any, state: State, weights: Weights) -> tuple[Any, State]:
        """Returns dz, in whatever form `gather` takes it, and ∂loss/∂state; what of dz is no gradient is a `Same`.

        Args:
            xp: the array namespace.
            dstate: ∂loss/∂(new state), the output's share included.
            kept: what `step` kept.
            state: the state before the step.
            weights: the cell's weights.
        """
        raise NotImplementedError(f"{type(self).__name__} must define step_backward(xp, dstate, kept, state, weights).")

    def gather(
        self, xp: Xp, x: Array, states: Sequence[State], kept: Sequence[Any], dz: Sequence[Any], weights: Weights
    ) -> tuple[Array, Weights]:
        """Returns dx (time, batch, features) and one gradient for each weight.

        Args:
            xp: the array namespace.
            x: (time, batch, features), what `project` was given.
            states: for each step, the state before it.
            kept: for each step, what `step` kept.
            dz: for each step, what `step_backward` returned.
            weights: the cell's weights.
        """
        dx, *dweights = zip(*dz, strict=True)
        return xp.stack(dx), tuple(xp.sum(xp.stack(dw), 0) for dw in dweights)
