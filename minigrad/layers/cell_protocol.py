"""What a recurrent layer asks of a cell, be it one of Keras' or a user's own.

A cell has `call(inputs, states)`, which returns the output and the new states, and `state_size`. If it also offers the
formulas of its step (`recurrence`, or `step` and `step_backward` as in `minigrad.recurrent.Step`), the layer runs them
in the explicit loop over time; if not, it runs `call` on the tape.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import signature
from typing import Any, NamedTuple

from minigrad import functional as F
from minigrad.backend import registry
from minigrad.backend.dtypes import dtype_name
from minigrad.backend.protocol import Array, Xp
from minigrad.errors import ShapeError
from minigrad.layers import nest
from minigrad.layers.layer import Layer
from minigrad.layers.options import OptionTypeError
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
        inputs: (batch, features), one time step, for the shape of dropout masks.
        training: does dropout act?
    """
    if hasattr(cell, "recurrences"):
        several: list[Recurrence] | str = cell.recurrences(inputs, training)
        return several
    if hasattr(cell, "recurrence"):
        one: Recurrence | str = cell.recurrence(inputs, training)
        return one if isinstance(one, str) else [one]
    if hasattr(cell, "step") and hasattr(cell, "step_backward"):
        weights = [w for w, _ in cell._all_weights()] if isinstance(cell, Layer) else getattr(cell, "weights", ())
        return [Recurrence(cell if isinstance(cell, Step) else _Offered(cell), tuple(weights))]
    return f"{type(cell).__name__} offers no step_backward"


def recurrences_of_all(cells: list[Any], inputs: Tensor, training: bool | None) -> list[Recurrence] | str:
    """Returns the same for a stack of cells, from the lowest up."""
    if len({dtype_of(cell) for cell in cells} - {None}) > 1:
        return "the cells are of different dtypes"
    found: list[Recurrence] = []
    for k, cell in enumerate(cells):
        if training and k > 0:  # only the shape counts
            inputs = F.zeros((inputs.shape[0], output_size(cells[k - 1])), inputs.dtype)
        of_one = recurrences(cell, inputs, training)
        if isinstance(of_one, str):
            return of_one
        found += of_one
    return found


def dtype_of(cell: Any) -> str | None:
    """Returns the dtype in which a cell computes, of a stack its lowest cell's; None if it does not say."""
    cells = getattr(cell, "cells", None)
    return dtype_of(cells[0]) if cells else getattr(cell, "dtype", None)


def state_counts(cell: Any) -> list[int]:
    """Returns how many arrays the state has; of a stack, for each cell."""
    cells = getattr(cell, "cells", None)
    return [len(nest.leaves(cell.state_size))] if cells is None else [n for part in cells for n in state_counts(part)]


def caller(cell: Any, training: bool | None, constants: Any = None) -> Callable[[Any, Any], tuple[Any, list[Any]]]:
    """Returns a function of (inputs, states) that calls a cell with as much of what is known as it takes.

    The function returns the output and the flat new states.

    Raises:
        OptionTypeError: there are constants, and the cell takes none.
    """
    if constants is not None and not takes(cell, "constants"):
        raise OptionTypeError(f"{type(cell).__name__}.call takes no `constants`, and the layer around it got some.")
    known = {"training": training, "constants": constants}
    known = {name: value for name, value in known.items() if value is not None and takes(cell, name)}
    run = cell if callable(cell) else cell.call
    bare = getattr(cell, "_is_tf_rnn_cell", False)  # TensorFlow's mark of the cells that take their one state as it is

    def call(inputs: Any, states: Any) -> tuple[Any, list[Any]]:
        output, new = run(inputs, states[0] if bare and len(states) == 1 else states, **known)
        return output, nest.leaves(new)

    return call


def takes(cell: Any, argument: str) -> bool:
    """Does the cell's `call` take an argument of that name?"""
    if isinstance(cell, Layer):
        return argument in cell.call_parameters()
    return argument in _arguments(getattr(cell.call, "__func__", cell.call))


@cache
def _arguments(function: Callable[..., Any]) -> frozenset[str]:
    return frozenset(signature(function).parameters)


def states_like(cell: Any, flat: list[Any]) -> Any:
    """Returns flat states in the structure in which a cell takes them: a list, even if there is but one."""
    size = cell.state_size
    return nest.like(size, flat) if isinstance(size, (list, tuple)) else flat


def initial_state(cell: Any, batch_size: int | None, dtype: Any) -> Any:
    """Returns what a cell starts from: its own answer, or zeros."""
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(inputs=None, batch_size=batch_size, dtype=dtype)
    return zero_state(cell, None, batch_size, dtype)


def output_size(cell: Any) -> Any:
    """Returns the size of a cell's output; by default that of its first state."""
    size = getattr(cell, "output_size", None)
    return size if size is not None else nest.first(cell.state_size)


def zero_state(cell: Any, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
    """Returns zeros for a cell, in the structure of its `state_size`.

    Raises:
        ShapeError: the batch size is not known.
    """
    if inputs is not None:
        batch_size, dtype = inputs.shape[0], dtype or inputs.dtype
    if batch_size is None:
        raise ShapeError("get_initial_state: the batch size is not known. Pass `inputs` or `batch_size`.")
    backend, dtype = registry.current(), dtype_name(dtype or "float32")
    return nest.over(lambda size: Tensor(backend.zeros((batch_size, size), dtype), backend), cell.state_size)
