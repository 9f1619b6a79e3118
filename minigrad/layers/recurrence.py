"""Recurrence: the formulas and weights of a cell, which the explicit loop over time runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad.engine import functional as F
from minigrad.engine.protocol import Array, Xp
from minigrad.engine.tensor import Tensor, apply
from minigrad.recurrent.on_tape import is_on_tape
from minigrad.recurrent.protocol import SequenceOptions, State, Weights
from minigrad.recurrent.single_step import StepOp
from minigrad.recurrent.step import Step


class Recurrence(NamedTuple):
    """The parts of a cell that the explicit loop over time runs.

    Attributes:
        step: the step and its gradient.
        weights: in the order in which the step takes them.
        wrapper: the function of a wrapper around the loop; None without a wrapper. It takes the inputs of all steps,
            (time, batch, features), and the loop, a function of such inputs, and returns the outputs.
    """

    step: Step
    weights: tuple[Tensor | None, ...]
    wrapper: Callable[[Tensor, Callable[[Tensor], Tensor]], Tensor] | None = None

    @property
    def around(self) -> Callable[[Tensor, Callable[[Tensor], Tensor]], Tensor] | None:
        """`wrapper` by its earlier name."""
        return self.wrapper


def one_step(
    cell: Any, step: Step, x: Tensor, state: tuple[Tensor, ...], weights: tuple[Tensor | None, ...]
) -> tuple[Tensor, ...]:
    """Return the new states after one time step: one operation with the hand-derived gradient.

    Inside ``with mg.testing.on_tape(…)``, or if an activation has no derivative rule, run op by op on the tape instead.

    Args:
        cell: the cell.
        step: its step.
        x: (batch, features).
        state: the states before.
        weights: in the step's order.
    """
    if is_on_tape(cell) or not has_rules(step):
        new, _ = step.step(F, step.project(F, x, weights), state, weights)
        return new
    return apply(StepOp, x, *state, *weights, options=SequenceOptions(step, len(state)))


def has_rules(step: Any) -> bool:
    """Return whether the activations of a step have derivative rules."""
    ops = (getattr(step, name, None) for name in ("activation", "recurrent_activation"))
    return all(op is None or hasattr(op, "backward") for op in ops)


class DuckTypedStep(Step):
    """The step of a cell that has `step` and `step_backward` without being a `Step`."""

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, Any]:
        """Run the cell's `step`."""
        new, cache = self.cell.step(xp, z, state, weights)
        return new, cache

    def step_backward(self, xp: Xp, dstate: State, cache: Any, state: State, weights: Weights) -> tuple[Any, State]:
        """Run the cell's `step_backward`."""
        dz, dbefore = self.cell.step_backward(xp, dstate, cache, state, weights)
        return dz, dbefore
