"""The base class of custom steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.protocol import State, Weights

__all__ = ["Same", "State", "Step", "Weights"]


class Same:
    """A part of dz that does not depend on the upstream gradient, such as the left factor of a matrix product.

    Where the windows of a truncation overlap, the dz of a step are added; such a part is left as it is.

    Attributes:
        value: the array.
    """

    __slots__ = ("value",)

    def __init__(self, value: Array) -> None:
        self.value = value


class Step:
    """One time step of a recurrent cell and its hand-derived gradient.

    Attributes:
        name: the name under which a backend may have a fused kernel for this step; empty if there can be none.
        output: index of the cell's output among the state's arrays.
        states: the names of the state's arrays, in the letters of the equations.
        gates: the names of the gates that a step computes from z and caches, in the order of z's columns.
        inner: the names of further cached values, which a trace shows.

    A subclass that overrides `step` and `step_backward` alone gets x itself as z, and returns
    ``((dx, *dweights), dstate)`` from `step_backward`; `gather` then sums the weights' gradients over the steps.
    """

    name: str = ""
    output: int = 0
    states: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()

    @property
    def recomputes(self) -> bool:
        """True if only z is cached, being less than the cache of `step`, and `step` is rerun in the backward pass."""
        return False

    def project(self, xp: Xp, x: Array, weights: Weights) -> Array:
        """Return z (time, batch, …) for x (time, batch, features)."""
        return x

    def timesteps(self, xp: Xp, x: Array, weights: Weights) -> Sequence[Any]:
        """Return the argument z of `step` for each time step: the rows of `project`."""
        z: Sequence[Any] = xp.unstack(self.project(xp, x, weights))
        return z

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, Any]:
        """Return the new state and the cache for `step_backward`.

        Args:
            xp: the array namespace.
            z: (batch, …), the part of `project` that belongs to this step.
            state: the state before the step, each (batch, size).
            weights: the cell's weights.
        """
        raise NotImplementedError(f"{type(self).__name__} must define step(xp, z, state, weights).")

    def step_backward(self, xp: Xp, dstate: State, cache: Any, state: State, weights: Weights) -> tuple[Any, State]:
        """Return dz, in the form that `gather` takes, and ∂loss/∂state; parts of dz other than gradients are `Same`.

        Args:
            xp: the array namespace.
            dstate: ∂loss/∂(new state), the gradient of the step's output included.
            cache: the cache of `step`.
            state: the state before the step.
            weights: the cell's weights.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define step_backward(xp, dstate, cache, state, weights)."
        )

    def gather(
        self, xp: Xp, x: Array, states: Sequence[State], caches: Sequence[Any], dz: Sequence[Any], weights: Weights
    ) -> tuple[Array, Weights]:
        """Return dx (time, batch, features) and one gradient for each weight.

        Args:
            xp: the array namespace.
            x: (time, batch, features), the argument of `project`.
            states: for each step, the state before it.
            caches: for each step, the cache of `step`.
            dz: for each step, the result of `step_backward`.
            weights: the cell's weights.
        """
        dx, *dweights = zip(*dz, strict=True)
        return xp.stack(dx), tuple(xp.sum(xp.stack(dw), 0) for dw in dweights)


class FourFunctions(Step):
    """A step from any object with `output` and the four functions `project`, `step`, `step_backward` and `gather`."""

    def __init__(self, cell: Any) -> None:
        for name in ("output", "project", "step", "step_backward", "gather"):
            setattr(self, name, getattr(cell, name))
