"""One interface to every cell: Keras' cells, those of the first generation, stacks, wrappers, custom objects.

A cell has `call(inputs, states)`, which returns the output and the new states, and `state_size`. If it also has the
formulas of its step (`recurrence`, or `step` and `step_backward` as in `minigrad.recurrent.Step`), the layer runs them
in the explicit loop over time; if not, it runs `call` on the tape.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import signature
from typing import Any

from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.errors import ShapeError
from minigrad.engine.tensor import Tensor
from minigrad.layers.layer import Layer
from minigrad.layers.options import OptionTypeError
from minigrad.layers.recurrence import DuckTypedStep, Recurrence
from minigrad.layers.states import CellError, StateError, as_state, check_state_order, described, zero_state
from minigrad.layers.tensor_shape import TensorShape, axes_of
from minigrad.recurrent.formulas import Formulas
from minigrad.recurrent.on_tape import is_on_tape
from minigrad.recurrent.step import Step

__all__ = ["CellAdapter", "CellError", "Recurrence", "StateError", "adapter_of"]

ONE_NODE_A_STEP = "explicit BPTT, one node a step"
OP_BY_OP = "tape, op by op"

CellCall = Callable[[Any, list[Any]], tuple[Any, list[Any]]]


def adapter_of(cell: Any) -> CellAdapter:
    """Return the adapter of a cell. A layer stores it as an attribute; any other object gets a new one."""
    found: CellAdapter | None = getattr(cell, "_cell_adapter", None)
    if found is None or found.cell is not cell:  # a copy of a layer has the original's
        found = CellAdapter(cell)
        if isinstance(cell, Layer):
            vars(cell)["_cell_adapter"] = found
    return found


class CellAdapter:
    """A cell as the loops over time run it. `RNN` makes it once; an adapter reads sizes, dtype and weights at each use.

    Attributes:
        cell: the cell.
        stacked: whether the cell is a stack, with `cells`.
        first_generation: whether the cell takes its state as one tensor or a named tuple rather than as a list.
    """

    def __init__(self, cell: Any) -> None:
        self.cell = cell
        self.stacked = hasattr(cell, "cells")
        self.first_generation = bool(getattr(cell, "_is_tf_rnn_cell", False))  # TensorFlow's mark
        self._parts: list[CellAdapter] = []
        self._of: list[int] = []  # the ids of the cells of `_parts`
        self._step: Step | None = None

    @property
    def parts(self) -> list[CellAdapter]:
        """The adapters of the cells in a stack, from the lowest up, or of the one in a wrapper."""
        cells = self.cell.cells if self.stacked else [self.cell.cell] if hasattr(self.cell, "cell") else ()
        if self._of != list(map(id, cells)):
            self._parts, self._of = [adapter_of(cell) for cell in cells], list(map(id, cells))
        return self._parts

    def innermost(self) -> list[Any]:
        """Return the innermost cells, which have formulas: one for each entry of `recurrences`."""
        if self.stacked or hasattr(self.cell, "cell"):
            return [cell for part in self.parts for cell in part.innermost()]
        return [self.cell]

    @property
    def dtype(self) -> str | None:
        """The dtype, or None. A stack has its lowest cell's dtype, a wrapper without a dtype its cell's."""
        own: str | None = None if self.stacked else getattr(self.cell, "dtype", None)
        inside = own is None and (self.stacked or hasattr(self.cell, "cell"))
        return self.parts[0].dtype if inside else own

    @property
    def computes_with_integers(self) -> bool:
        """Whether integer inputs are cast to the dtype too."""
        lowest = self.cell.cells[0] if self.stacked else self.cell
        return bool(getattr(lowest, "computes_with_integers", False))

    @property
    def output_size(self) -> Any:
        """The size of the output; by default that of the first state."""
        size = getattr(self.cell, "output_size", None)
        return size if size is not None else tree.first(self.cell.state_size)

    # --- states -------------------------------------------------------------------------------------------------------

    def sizes(self) -> list[Any]:
        """Return the sizes of the states, flat."""
        return tree.leaves(self.cell.state_size)

    def structure(self) -> Any:
        """Return `state_size` as a list or tuple, even if there is a single state."""
        size = self.cell.state_size
        several = isinstance(size, (list, tuple)) and not isinstance(size, TensorShape)
        return size if several else tree.leaves(size)

    def initial_state(self, batch_size: int | None, dtype: Any) -> Any:
        """Return the initial state as tensors: from the cell's `get_initial_state` or `zero_state`, or zeros."""
        cell = self.cell
        if hasattr(cell, "get_initial_state"):
            made = cell.get_initial_state(inputs=None, batch_size=batch_size, dtype=dtype)
        elif hasattr(cell, "zero_state"):
            made = cell.zero_state(batch_size, dtype)
        else:
            return zero_state(cell, None, batch_size, dtype)
        if set(map(type, tree.leaves(made))) == {Tensor}:
            return made
        return tree.map(lambda s: as_state(s, dtype) if hasattr(s, "shape") else s, made)

    def array_sizes(self) -> list[list[int]]:
        """Return the sizes of the arrays in the explicit loop, a list for each layer of a stack."""
        if self.stacked:
            return [sizes for part in self.parts for sizes in part.array_sizes()]
        sizes = getattr(self.cell, "state_sizes", None)
        return [tree.leaves(self.cell.state_size if sizes is None else sizes)]

    def flatten(self, state: Any) -> list[Any]:
        """Return the arrays of a state in the cell's structure, in the order in which the steps take them."""
        if hasattr(self.cell, "flatten_state"):
            return list(self.cell.flatten_state(state))
        return self.to_arrays(tree.leaves(state), state)

    def to_arrays(self, flat: list[Any], structure: Any) -> list[Any]:
        """Return the arrays of a flat state, in the order of `array_sizes`.

        Args:
            flat: the leaves of the state.
            structure: the structure in which the caller has the state.
        """
        if hasattr(self.cell, "flatten_state"):
            return self.flatten(self._rebuild(structure, len(flat))(flat))
        arrays: list[Any] = []
        for part in self.parts if self.stacked else ():
            own, flat = flat[: (count := len(part.sizes()))], flat[count:]
            arrays += part.to_arrays(own, own)
        return arrays + flat

    def from_arrays(self, arrays: list[Any]) -> list[Any]:
        """Return the leaves of a state from the arrays that `to_arrays` returns."""
        if hasattr(self.cell, "unflatten_state"):
            return tree.leaves(self.cell.unflatten_state(tuple(arrays)))
        flat: list[Any] = []
        for part in self.parts if self.stacked else ():
            count = sum(map(len, part.array_sizes()))
            own, arrays = arrays[:count], arrays[count:]
            flat += part.from_arrays(own)
        return flat + arrays

    def _rebuild(self, structure: Any, count: int) -> Callable[[list[Any]], Any]:
        """Return the function that nests flat states in the structure that the cell takes.

        A TensorArray may stand for a state that has no size, and the structure of `state_size` does not fit.
        """
        size = self.cell.state_size if self.first_generation else structure
        return _rebuilding(size if len(tree.leaves(size)) == count else structure)

    # --- the explicit loop --------------------------------------------------------------------------------------------

    def recurrences(self, inputs: Tensor, training: bool | None) -> list[Recurrence] | str:
        """Return a `Recurrence` for each layer of the cell, or the reason why the explicit loop cannot run.

        Args:
            inputs: (batch, features), one time step, for the shape of dropout masks.
            training: whether dropout acts.
        """
        cell = self.cell
        if hasattr(cell, "recurrences"):
            return cell.recurrences(inputs, training)  # type: ignore[no-any-return]
        if hasattr(cell, "recurrence"):
            one: Recurrence | str = cell.recurrence(inputs, training)
            return one if isinstance(one, str) else [one]
        if hasattr(cell, "step") and hasattr(cell, "step_backward"):
            self._step = self._step or (cell if isinstance(cell, Step) else DuckTypedStep(cell))
            weights = _added_weights(cell) if isinstance(cell, Layer) else getattr(cell, "weights", ())
            return [Recurrence(self._step, tuple(weights))]
        return f"{type(cell).__name__} offers no step_backward"

    def recurrences_of_parts(self, inputs: Tensor, training: bool | None) -> list[Recurrence] | str:
        """Return the same for the cells of a stack."""
        if len({part.dtype for part in self.parts} - {None}) > 1:
            return "the cells are of different dtypes"
        found: list[Recurrence] = []
        for part in self.parts:
            of_one = part.recurrences(inputs, training)
            if isinstance(of_one, str):
                return of_one
            found += of_one
            if part is not self.parts[-1]:  # only the shape counts
                inputs = F.zeros((inputs.shape[0], *axes_of(part.output_size)), inputs.dtype)
        return found

    # --- the call of a step -------------------------------------------------------------------------------------------

    def takes(self, argument: str) -> bool:
        """Return whether the cell's `call` takes an argument of that name."""
        if isinstance(self.cell, Layer):
            return argument in self.cell.call_parameters()
        return argument in _parameters(getattr(self.cell.call, "__func__", self.cell.call))

    def caller(self, structure: Any, training: bool | None, constants: Any = None) -> CellCall:
        """Return a function that calls the cell: of (inputs, flat states), it returns (output, flat new states).

        Args:
            structure: the structure of the states; the cell takes them in this one, or in that of its generation.
            training: for a cell that takes it.
            constants: for a cell that takes them.

        Raises:
            OptionTypeError: there are constants, and the cell takes none.
        """
        cell, name = self.cell, f"{type(self.cell).__name__}.call"
        if constants is not None and not self.takes("constants"):
            raise OptionTypeError(f"{name} takes no `constants`, but its layer got some.")
        given = {"training": training, "constants": constants}
        given = {name: value for name, value in given.items() if value is not None and self.takes(name)}
        run, count = cell if callable(cell) else cell.call, len(tree.leaves(structure))
        rebuild, first_generation = self._rebuild(structure, count), self.first_generation

        def call(inputs: Any, flat: list[Any]) -> tuple[Any, list[Any]]:
            result = run(inputs, rebuild(flat), **given)
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                raise CellError(
                    f"{name}: expected the output and the new states, got {described(result)}. End it with `return "
                    "output, states`, the states in the structure of state_size."
                )
            output, new = result
            if first_generation:
                check_state_order(name, cell, new, "the new state")
            plain = rebuild is list and type(new) is list and set(map(type, new)) == {Tensor}
            flat_new = list(new) if plain else tree.leaves_like(structure, new)
            shapes = [getattr(s, "shape", ()) for s in flat]
            got = [getattr(s, "shape", ()) for s in flat_new]
            if got != shapes:
                raise ShapeError(
                    f"{name}: expected new states of the shapes of the old ones, {', '.join(map(str, shapes))}, got "
                    f"{', '.join(map(str, got)) or 'none'}."
                )
            return output, flat_new

        return call

    def path_by_steps(self, x: Any, reason: str) -> str:
        """Return the path, in words, of a cell that is called step by step.

        Args:
            x: (batch, features), the inputs of a step; None where they are nested, or there was no step.
            reason: why it is not run over the whole sequence at once.
        """
        taped = not isinstance(x, Tensor) or any(map(is_on_tape, self.innermost()))
        found = OP_BY_OP if taped else self.recurrences(x, None)
        whole = not isinstance(found, str) and all(isinstance(r.step, Formulas) and r.wrapper is None for r in found)
        return f"{ONE_NODE_A_STEP if whole else OP_BY_OP}: {reason}"


def _rebuilding(structure: Any) -> Callable[[list[Any]], Any]:
    """Return the function `tree.unflatten` of a structure; a plain list of leaves needs no walk."""
    nested = (list, tuple, dict)
    if type(structure) is list and not any(isinstance(part, nested) for part in structure):
        return list
    return lambda flat: tree.unflatten(structure, flat)


def _added_weights(cell: Layer) -> list[Any]:
    """Return all weights of a cell in the order in which they were added, in which its step takes them."""
    found = {id(w): w for part in (cell, *cell.submodules) for w in part._added_weights()}
    return list(found.values())


_parameters = cache(lambda function: frozenset(signature(function).parameters))
