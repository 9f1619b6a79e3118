"""The protocol of a cell, one of Keras' or a custom one, as recurrent layers use it.

A cell has `call(inputs, states)`, which returns the output and the new states, and `state_size`. If it also has the
formulas of its step (`recurrence`, or `step` and `step_backward` as in `minigrad.recurrent.Step`), the layer runs them
in the explicit loop over time; if not, it runs `call` on the tape.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import signature
from operator import index
from typing import Any, NamedTuple

from minigrad.engine import functional as F
from minigrad.engine import registry, tree
from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import MinigradError, ShapeError, shown
from minigrad.engine.protocol import Array, Xp
from minigrad.engine.tensor import Tensor, apply
from minigrad.layers.layer import Layer
from minigrad.layers.options import OptionTypeError
from minigrad.layers.tensor_shape import TensorShape, axes_of
from minigrad.recurrent.formulas import Formulas
from minigrad.recurrent.on_tape import is_on_tape
from minigrad.recurrent.protocol import SequenceOptions, State, Weights
from minigrad.recurrent.single_step import StepOp
from minigrad.recurrent.step import Step

ONE_NODE_A_STEP = "explicit BPTT, one node a step"
OP_BY_OP = "tape, op by op"


class StateError(MinigradError, ValueError):
    """States that are not numbers, or that have the wrong structure for the cell."""


class CellError(MinigradError, TypeError):
    """Result of a cell that is not an output and new states."""


class Recurrence(NamedTuple):
    """The parts of a cell that the explicit loop over time runs.

    Attributes:
        step: the step and its gradient.
        weights: in the order in which the step takes them.
        around: the function of a wrapper around the loop: of the inputs of all steps, (time, batch, features), and of
            the loop, a function of them, it makes the outputs. None without a wrapper.
    """

    step: Step
    weights: tuple[Tensor | None, ...]
    around: Callable[[Tensor, Callable[[Tensor], Tensor]], Tensor] | None = None


def one_step(
    cell: Any, step: Step, x: Tensor, state: tuple[Tensor, ...], weights: tuple[Tensor | None, ...]
) -> tuple[Tensor, ...]:
    """Return the new states after one time step: one operation with the hand-derived gradient.

    Op by op on the tape instead, inside ``with mg.testing.on_tape(…)`` and where an activation has no derivative of its
    own.

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
    """Return whether the activations of a step have derivatives of their own."""
    ops = (getattr(step, name, None) for name in ("activation", "recurrent_activation"))
    return all(op is None or hasattr(op, "backward") for op in ops)


def path_by_steps(cell: Any, x: Any, reason: str) -> str:
    """Return in words the way in which a cell runs that is called step by step.

    Args:
        cell: the cell.
        x: (batch, features), the inputs of a step; None where they are nested, or there was no step.
        reason: why it is not run over the whole sequence at once.
    """
    taped = any(map(is_on_tape, innermost(cell))) or not isinstance(x, Tensor)
    found = OP_BY_OP if taped else recurrences(cell, x, None)
    whole = not isinstance(found, str) and all(isinstance(r.step, Formulas) and r.around is None for r in found)
    return f"{ONE_NODE_A_STEP if whole else OP_BY_OP}: {reason}"


class _DuckTypedStep(Step):
    """The step of a cell that has `step` and `step_backward` without being a `Step`."""

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, Any]:
        new, kept = self.cell.step(xp, z, state, weights)
        return new, kept

    def step_backward(self, xp: Xp, dstate: State, kept: Any, state: State, weights: Weights) -> tuple[Any, State]:
        dz, dbefore = self.cell.step_backward(xp, dstate, kept, state, weights)
        return dz, dbefore


def recurrences(cell: Any, inputs: Tensor, training: bool | None) -> list[Recurrence] | str:
    """Return a `Recurrence` for each layer of a cell, or the reason why the explicit loop cannot run.

    Args:
        cell: the cell.
        inputs: (batch, features), one time step, for the shape of dropout masks.
        training: whether dropout acts.
    """
    if hasattr(cell, "recurrences"):
        return cell.recurrences(inputs, training)  # type: ignore[no-any-return]
    if hasattr(cell, "recurrence"):
        one: Recurrence | str = cell.recurrence(inputs, training)
        return one if isinstance(one, str) else [one]
    if hasattr(cell, "step") and hasattr(cell, "step_backward"):
        weights = _added_weights(cell) if isinstance(cell, Layer) else getattr(cell, "weights", ())
        return [Recurrence(cell if isinstance(cell, Step) else _DuckTypedStep(cell), tuple(weights))]
    return f"{type(cell).__name__} offers no step_backward"


def _added_weights(cell: Layer) -> list[Any]:
    """Return all weights of a cell in the order in which they were added, in which its step takes them."""
    found = {id(w): w for part in (cell, *cell.submodules) for w in part._added_weights()}
    return list(found.values())


def recurrences_of_all(cells: list[Any], inputs: Tensor, training: bool | None) -> list[Recurrence] | str:
    """Return the same for a stack of cells, from the lowest up."""
    if len({dtype_of(cell) for cell in cells} - {None}) > 1:
        return "the cells are of different dtypes"
    found: list[Recurrence] = []
    for k, cell in enumerate(cells):
        if k > 0:  # only the shape counts
            inputs = F.zeros((inputs.shape[0], *axes_of(output_size(cells[k - 1]))), inputs.dtype)
        of_one = recurrences(cell, inputs, training)
        if isinstance(of_one, str):
            return of_one
        found += of_one
    return found


def innermost(cell: Any) -> list[Any]:
    """Return the cells that have formulas of their own, one for each entry of `recurrences`."""
    if hasattr(cell, "cells"):
        return [inner for part in cell.cells for inner in innermost(part)]
    return innermost(cell.cell) if hasattr(cell, "cell") else [cell]


def dtype_of(cell: Any) -> str | None:
    """Return the dtype of a cell, or None; of a stack its lowest cell's, of a wrapper its cell's."""
    cells, wrapped = getattr(cell, "cells", None), getattr(cell, "cell", None)
    own = dtype_of(cells[0]) if cells else getattr(cell, "dtype", None)
    return own if own or wrapped is None else dtype_of(wrapped)


def computes_with_integers(cell: Any) -> bool:
    """Return whether integer inputs of a cell are cast to its dtype too."""
    return bool(getattr(getattr(cell, "cells", [cell])[0], "computes_with_integers", False))


def state_sizes(cell: Any) -> list[list[int]]:
    """Return the sizes of the state's arrays in the loop, a list for each layer of a stack."""
    cells = getattr(cell, "cells", None)
    if cells is not None:
        return [sizes for part in cells for sizes in state_sizes(part)]
    return [tree.leaves(getattr(cell, "state_sizes", cell.state_size))]


def flatten_state(cell: Any, state: Any) -> list[Any]:
    """Return the arrays of a state in the order of `state_sizes`, in which the steps take them."""
    if hasattr(cell, "flatten_state"):
        return list(cell.flatten_state(state))
    flat, arrays = tree.leaves(state), []
    for part in getattr(cell, "cells", ()):
        count = len(tree.leaves(part.state_size))
        arrays += flatten_state(part, in_cell_structure(part, flat[:count]))
        flat = flat[count:]
    return arrays + flat


def unflatten_state(cell: Any, arrays: list[Any]) -> list[Any]:
    """Return the leaves of a state from the arrays that `flatten_state` returns."""
    if hasattr(cell, "unflatten_state"):
        return tree.leaves(cell.unflatten_state(tuple(arrays)))
    together: list[Any] = []
    for part in getattr(cell, "cells", ()):
        count = sum(map(len, state_sizes(part)))
        together += unflatten_state(part, arrays[:count])
        arrays = arrays[count:]
    return together + list(arrays)


def in_cell_structure(cell: Any, states: Any) -> Any:
    """Return the states in the structure in which the cell takes them.

    That of a cell of the first generation is a single tensor or a named tuple (c, h).
    """
    if not getattr(cell, "_is_tf_rnn_cell", False):  # TensorFlow's mark of them
        return states
    flat, size = tree.leaves(states), cell.state_size
    return tree.unflatten(size, flat) if len(flat) == len(tree.leaves(size)) else states  # a TensorArray has no size


def check_state_order(where: str, cell: Any, states: Any) -> None:
    """Raise if a named tuple (c, h) is given to a cell with a list [h, c], as Keras' cells have; or the reverse.

    Raises:
        StateError: the order is that of another generation; the shapes would fit. Or it is a dictionary's.
    """
    size = cell.state_size
    if _without_names(states, size):
        return
    given, meant = _named(states), _named(size)
    if isinstance(states, dict) and not isinstance(size, dict):
        raise StateError(
            f"{where}: expected a list of states, got a dictionary, {', '.join(map(str, states))}. Its order means "
            "nothing here: pass them in the order of `state_size`, [h, c] for an LSTM."
        )
    if given is not None and meant is None:
        raise StateError(
            f"{where}: got {type(given).__name__}({', '.join(given._fields)}), the state of the first generation. The "
            f"states of {type(cell).__name__} have no names; those of Keras' LSTM are the list [h, c], in the other "
            "order. Pass [state.h, state.c]."
        )
    inner = states[0] if isinstance(states, list) and len(states) == 1 and hasattr(size, "_fields") else states
    if len(tree.leaves(size)) == len(tree.leaves(states)) and not tree.named_alike(size, inner):
        raise StateError(
            f"{where}: expected the state in the structure {size}, got {described(states)} without its names, and "
            f"[h, c] of Keras' cells has the other order. Write {type(meant).__name__}(…)."
        )


def _without_names(states: Any, size: Any) -> bool:
    """Return whether both are plain lists, of tensors and of sizes, as in most calls: nothing is to compare."""
    sizes = [size] if type(size) is int else size
    return (
        type(states) is list
        and type(sizes) is list
        and {type(s) for s in states} == {Tensor}
        and {type(n) for n in sizes} == {int}
    )


def _named(structure: Any) -> Any:
    """Return the first named tuple in a structure, or None."""
    parts = structure if isinstance(structure, (list, tuple)) and not hasattr(structure, "_fields") else ()
    return structure if hasattr(structure, "_fields") else next(filter(None, map(_named, parts)), None)


def caller(cell: Any, training: bool | None, constants: Any = None) -> Callable[[Any, Any], tuple[Any, list[Any]]]:
    """Return a function of (inputs, states) that calls a cell, with `training` and `constants` where it takes them.

    The function returns the output and the flat new states.

    Raises:
        OptionTypeError: there are constants, and the cell takes none.
    """
    if constants is not None and not takes(cell, "constants"):
        raise OptionTypeError(f"{type(cell).__name__}.call takes no `constants`, and the layer around it got some.")
    known = {"training": training, "constants": constants}
    known = {name: value for name, value in known.items() if value is not None and takes(cell, name)}
    run, own = cell if callable(cell) else cell.call, getattr(cell, "_is_tf_rnn_cell", False)

    def call(inputs: Any, states: Any) -> tuple[Any, list[Any]]:
        result = run(inputs, in_cell_structure(cell, states), **known)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise CellError(
                f"{type(cell).__name__}.call: expected the output and the new states, got {described(result)}. End it "
                "with `return output, states`, the states in the structure of state_size."
            )
        output, new = result
        if own:
            check_state_order(f"{type(cell).__name__}.call: the new state", cell, new)
        flat = tree.leaves_like(states, new)
        shapes, got = ([getattr(s, "shape", ()) for s in part] for part in (tree.leaves(states), flat))
        if got != shapes:
            raise ShapeError(
                f"{type(cell).__name__}.call: expected new states of the shapes of the old ones, "
                f"{', '.join(map(str, shapes))}, got {', '.join(map(str, got)) or 'none'}."
            )
        return output, flat

    return call


def described(value: Any) -> str:
    """Return a value in a few words: ``"a Tensor of shape (2, 3)"``, ``"a list of 2"``."""
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}" + (f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else "")


def takes(cell: Any, argument: str) -> bool:
    """Return whether the cell's `call` takes an argument of that name."""
    if isinstance(cell, Layer):
        return argument in cell.call_parameters()
    return argument in _parameters(getattr(cell.call, "__func__", cell.call))


_parameters = cache(lambda function: frozenset(signature(function).parameters))


def states_like(cell: Any, flat: list[Any]) -> Any:
    """Return flat states in the structure in which a cell takes them: a list, even of a single state."""
    size = cell.state_size
    several = isinstance(size, (list, tuple)) and not isinstance(size, TensorShape)
    return tree.unflatten(size, flat) if several else flat


def initial_state(cell: Any, batch_size: int | None, dtype: Any) -> Any:
    """Return the initial state of a cell as tensors: from its `get_initial_state` or `zero_state`, or zeros."""
    if hasattr(cell, "get_initial_state"):
        made = cell.get_initial_state(inputs=None, batch_size=batch_size, dtype=dtype)
    elif hasattr(cell, "zero_state"):
        made = cell.zero_state(batch_size, dtype)
    else:
        return zero_state(cell, None, batch_size, dtype)
    return tree.map(lambda s: _from_array(s, dtype) if hasattr(s, "shape") else s, made)


def _from_array(state: Any, dtype: Any) -> Tensor:
    """Return a state as a tensor; a NumPy array of real numbers in the dtype."""
    if isinstance(state, Tensor):
        return state
    x = as_tensor(state)
    return x.astype(dtype) if dtype is not None and is_floating(x.dtype) else x


def output_size(cell: Any) -> Any:
    """Return the size of a cell's output; by default that of its first state."""
    size = getattr(cell, "output_size", None)
    return size if size is not None else tree.first(cell.state_size)


def batch_and_dtype(inputs: Any, batch_size: int | None, dtype: Any) -> tuple[int, Any]:
    """Return the batch size and the dtype, of the inputs or else as given; a ShapeError without a batch size."""
    if inputs is not None:
        x = inputs if hasattr(inputs, "shape") else as_tensor(inputs, None, "get_initial_state: `inputs`")
        return x.shape[0], x.dtype
    if batch_size is None:
        raise ShapeError("get_initial_state: the batch size is not known. Pass `inputs` or `batch_size`.")
    return batch_size, dtype


def zero_state(cell: Any, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
    """Return zeros for a cell, in the structure of its `state_size`.

    Raises:
        ShapeError: the batch size is not known, or is no whole number.
    """
    batch_size, dtype = batch_and_dtype(inputs, batch_size, dtype)
    batch = read_batch(f"{type(cell).__name__}.get_initial_state", batch_size)
    backend, dtype = registry.current(), dtype_name(dtype or "float32")
    return tree.map(lambda size: Tensor(backend.zeros((batch, *axes_of(size)), dtype), backend), cell.state_size)


def read_batch(where: str, batch_size: Any) -> int:
    """Return a batch size: a whole number, also as a float, or as a tensor or array that holds one."""
    one = batch_size.item() if getattr(batch_size, "size", 0) == 1 else batch_size
    try:
        batch = int(one) if isinstance(one, float) and one.is_integer() else index(one)
    except (TypeError, ShapeError):  # a tensor says the latter
        batch = -1
    if batch < 0:
        raise ShapeError(f"{where}: expected `batch_size`, a whole number, got {shown(batch_size)}.")
    return batch
