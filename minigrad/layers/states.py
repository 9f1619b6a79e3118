"""States of cells: their errors, the check of their order, and zeros in the structure of `state_size`."""

from __future__ import annotations

from operator import index
from typing import Any

from minigrad.engine import registry, rows, tree
from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import DTypeError, MinigradError, ShapeError, shown
from minigrad.engine.foreign import attempted
from minigrad.engine.tensor import Tensor
from minigrad.layers.tensor_shape import axes_of


class StatelessError(MinigradError, AttributeError):
    """Reset of a layer that carries no state from one call to the next."""


class StateError(MinigradError, ValueError):
    """States that are not numbers, or that have the wrong structure for the cell."""


class UnknownDTypeError(StateError, DTypeError):
    """Missing dtype of an initial state that does not follow from inputs."""


class CellError(MinigradError, TypeError):
    """Result of a cell that is not an output and new states."""


def check_state_order(where: str, cell: Any, states: Any, argument: str = "`initial_state`") -> None:
    """Raise if a named tuple (c, h) is given to a cell with a list [h, c], as Keras' cells have; or the reverse.

    Messages call the states by their `argument`.

    Raises:
        StateError: the order is that of another generation; the shapes would fit. Or it is a dictionary's.
    """
    size = cell.state_size
    if _alike(states, size):
        return
    tree.leaves(states, f"{where}: {argument}")  # raises for a list that contains itself
    given, meant = _named(states), _named(size)
    if isinstance(states, dict) and not isinstance(size, dict):
        names = ", ".join(key if isinstance(key, str) else shown(key) for key in states)
        raise StateError(
            f"{where}: expected {argument}, a list of states, got a dictionary, {names}. Its order means "
            "nothing here: pass them in the order of `state_size`, [h, c] for an LSTM."
        )
    if given is not None and meant is None:
        raise StateError(
            f"{where}: {argument}: got {type(given).__name__}({', '.join(given._fields)}), the state of the first "
            f"generation. The states of {type(cell).__name__} have no names; those of Keras' LSTM are the list [h, c], "
            "in the other order. Pass [state.h, state.c]."
        )
    inner = states[0] if isinstance(states, list) and len(states) == 1 and hasattr(size, "_fields") else states
    if len(tree.leaves(size)) == len(tree.leaves(states)) and not tree.named_alike(size, inner):
        raise StateError(
            f"{where}: expected {argument} in the structure {size}, got {described(states)} without its names, "
            f"and [h, c] of Keras' cells has the other order. Write {type(meant).__name__}(…)."
        )


def _alike(states: Any, size: Any) -> bool:
    """Return whether states and sizes are flat and of one type, as in most calls: there are no names to compare."""
    kind, sizes = type(states), [size] if type(size) is int else size
    if kind is Tensor:
        return type(size) is int
    flat = isinstance(states, (list, tuple)) and type(sizes) is kind
    return flat and {type(s) for s in states} == {Tensor} and {type(n) for n in sizes} == {int}


def _named(structure: Any) -> Any:
    """Return the first named tuple in a structure, or None."""
    parts = structure if isinstance(structure, (list, tuple)) and not hasattr(structure, "_fields") else ()
    return structure if hasattr(structure, "_fields") else next(filter(None, map(_named, parts)), None)


def described(value: Any) -> str:
    """Return a value in a few words: ``"a Tensor of shape (2, 3)"``, ``"a list of 2"``."""
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}" + (
        f" of shape {tuple(value.shape)}" if isinstance(getattr(value, "shape", None), tuple) else ""
    )


def as_state(state: Any, dtype: Any) -> Tensor:
    """Return a state as a tensor; a NumPy array of real numbers in the dtype."""
    if isinstance(state, Tensor):
        return state
    x = as_tensor(state)
    return x.astype(dtype) if dtype is not None and is_floating(x.dtype) else x


def batch_and_dtype(inputs: Any, batch_size: int | None, dtype: Any) -> tuple[int, Any]:
    """Return the batch size and the dtype, of the inputs or else as given.

    Raises:
        ShapeError: there is no batch size.
        UnknownDTypeError: (a ValueError and a TypeError) there is no dtype.
    """
    if inputs is not None:
        x = inputs if isinstance(inputs, Tensor) else as_tensor(inputs, None, "get_initial_state: `inputs`")
        if not x.ndim:
            raise ShapeError("get_initial_state: expected `inputs` of shape (batch, …), got ().")
        return x.shape[0], x.dtype
    if batch_size is None:
        raise ShapeError("get_initial_state: the batch size is not known. Pass `inputs`, or `batch_size` and `dtype`.")
    if dtype is None:
        raise UnknownDTypeError(
            f"get_initial_state: expected a `dtype` with `batch_size`, got None. Pass batch_size={shown(batch_size)}, "
            "dtype='float32', or `inputs`."
        )
    return batch_size, dtype


def zero_state(cell: Any, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
    """Return zeros for a cell, in the structure of its `state_size`.

    Raises:
        ShapeError: the batch size is not known, or is not a whole number.
        UnknownDTypeError: the dtype is not known.
    """
    batch_size, dtype = batch_and_dtype(inputs, batch_size, dtype)
    batch = read_batch(f"{type(cell).__name__}.get_initial_state", batch_size)
    backend, dtype = registry.current(), dtype_name(dtype)
    return tree.map(lambda size: Tensor(backend.zeros((batch, *axes_of(size)), dtype), backend), cell.state_size)


def of_own_rows(states: Any) -> Any:
    """Return this process's rows of carried states of a whole batch; other states unchanged."""
    own = rows.current()
    if own is None or states is None:
        return states
    return tree.map(lambda state: state[own.taken] if state.shape[0] == own.total else state, states)


def read_batch(where: str, batch_size: Any) -> int:
    """Return a batch size: a whole number, also as a float, or as a tensor or array that holds one."""
    single = getattr(batch_size, "size", 0) == 1 and not hasattr(batch_size, "filled")  # a masked one has no value
    one = batch_size.item() if single else batch_size
    if isinstance(one, float) and one.is_integer():
        one = int(one)
    batch = -1 if isinstance(one, bool) else attempted(index, one, -1)
    if not 0 <= batch < 2**31:
        raise ShapeError(f"{where}: expected `batch_size`, a whole number, got {shown(batch_size)}.")
    return batch
