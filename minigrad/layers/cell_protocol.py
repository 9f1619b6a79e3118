"""What a recurrent layer asks of a cell, be it one of Keras' or a user's own.

A cell has `call(inputs, states)`, which returns the output and the new states, and `state_size`. If it also offers the
formulas of its step (`recurrence`, or `step` and `step_backward` as in `minigrad.recurrent.Step`), the layer runs them
in the explicit loop over time; if not, it runs `call` on the tape.
"""

from __future__ import annotations

from inspect import signature
from typing import Any, NamedTuple

from minigrad import functional as F
from minigrad.backend.protocol import Array, Xp
from minigrad.errors import ShapeError
from minigrad.layers import nest
from minigrad.recurrent.step import State, Step, Weights
from minigrad.tensor import Tensor


class Recurrence(NamedTuple):
    """What the explicit loop over time needs of a cell."""

    step: Step
    weights: tuple[Tensor | None, ...]  # in the order in which the step takes them


class _Offered(Step):
    """The step of a cell that offers `step` and `step_backward` without being a `Step`."""

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, Any]:
        new, kept = self.cell.step(xp, z, state, weights)
        return new, kept

    def step_backward(self, xp: Xp, dstate: State, kept: Any, state: State, weights: Weights) -> tuple[Any, State]:
        dz, dbefore = self.cell.step_backward(xp, dstate, kept, state, weights)
        return dz, dbefore


def recurrences(cell: Any, inputs: Tensor, training: bool | None) -> list[Recurrence] | str:
    """Returns what the explicit loop needs of a cell, one entry for each of its layers; or why it cannot run.

    Args:
        cell: the cell.
        inputs: (batch, features), one time step.
        training: does dropout act?
    """
    if hasattr(cell, "recurrences"):
        several: list[Recurrence] | str = cell.recurrences(inputs, training)
        return several
    if hasattr(cell, "recurrence"):
        one: Recurrence | str = cell.recurrence(inputs, training)
        return one if isinstance(one, str) else [one]
    if hasattr(cell, "step") and hasattr(cell, "step_backward"):
        step = cell if isinstance(cell, Step) else _Offered(cell)
        return [Recurrence(step, tuple(getattr(cell, "trainable_weights", ())))]
    return f"{type(cell).__name__} offers no step_backward"


def call_cell(cell: Any, inputs: Any, states: Any, training: bool | None, extra: dict[str, Any]) -> tuple[Any, Any]:
    """Calls a cell with as much of what is known as it takes; a cell with one state may want it bare."""
    takes = signature(cell.call).parameters
    known = {**extra, "training": training}
    known = {name: value for name, value in known.items() if name in takes and value is not None}
    call = cell if callable(cell) else cell.call
    output, new = call(inputs, states, **known)
    return output, new


def initial_state(cell: Any, inputs: Any, batch_size: int | None, dtype: Any) -> Any:
    """Returns what a cell starts from: its own answer, or zeros."""
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(inputs=inputs, batch_size=batch_size, dtype=dtype)
    return zero_state(cell, inputs, batch_size, dtype)


def output_size(cell: Any) -> Any:
    """Returns the size of a cell's output; by default that of its first state."""
    size = getattr(cell, "output_size", None)
    return size if size is not None else nest.leaves(cell.state_size)[0]


def zero_state(cell: Any, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
    """Returns zeros for a cell, in the structure of its `state_size`.

    Raises:
        ShapeError: the batch size is not known.
    """
    if inputs is not None:
        batch_size, dtype = inputs.shape[0], dtype or inputs.dtype
    if batch_size is None:
        raise ShapeError("get_initial_state: the batch size is not known. Pass `inputs` or `batch_size`.")
    return nest.over(lambda size: F.zeros((batch_size, size), dtype or "float32"), cell.state_size)
