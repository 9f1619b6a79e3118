"""Several cells as one: each takes the output of the one below."""

from __future__ import annotations

from typing import Any

from minigrad.engine import tree
from minigrad.engine.errors import shown
from minigrad.engine.tensor import Tensor
from minigrad.layers.cell_adapter import CellAdapter, adapter_of
from minigrad.layers.layer import Layer
from minigrad.layers.options import Kind, OptionError, flag, option
from minigrad.layers.recurrence import Recurrence
from minigrad.layers.serialization import cell_kind
from minigrad.layers.states import batch_and_dtype, check_state_order
from minigrad.layers.tensor_shape import axes_of


def _read_cells(where: str, cells: Any) -> list[Any]:
    if not isinstance(cells, (list, tuple)) or not cells:
        raise OptionError(f"{where}: expected a list of cells, at least one, got {shown(cells)}.")
    return [cell_kind.read(where, cell) for cell in cells]


cells_kind = Kind(_read_cells, lambda cells: [cell_kind.plain(cell) for cell in cells])


class StackedRNNCells(Layer):
    """A stack of cells that is itself a cell.

    Args:
        cells: from the lowest to the topmost.
        reverse_state_order: whether `state_size` lists the topmost cell first, as in Keras 1. As in Keras 2, the states
            themselves are in the order of the cells all the same.

    Shapes:
        inputs (batch, features), states: one entry for each cell → the topmost output, the new states
    """

    cells: list[Any] = option(cells_kind)
    reverse_state_order: bool = option(flag, False, keyword_only=True, quiet=True)

    @property
    def _adapters(self) -> list[CellAdapter]:
        """The adapters of the cells."""
        return adapter_of(self).parts

    @property
    def state_size(self) -> tuple[Any, ...]:
        """The state sizes of the cells."""
        sizes = tuple(cell.state_size for cell in self.cells)
        return sizes[::-1] if self.reverse_state_order else sizes

    @property
    def output_size(self) -> Any:
        """The output size of the topmost cell."""
        return self._adapters[-1].output_size

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
        """Return the initial states of the cells, one entry for each cell."""
        if inputs is not None:
            batch_size, dtype = batch_and_dtype(inputs, batch_size, dtype)
        found = tuple(cell.initial_state(batch_size, dtype) for cell in self._adapters)
        return found[::-1] if self.reverse_state_order else found

    def call(self, inputs: Tensor, states: Any, constants: Any = None, training: bool | None = None) -> tuple[Any, Any]:
        """Run one time step through all cells, from the lowest up; `constants` go to the cells that take them."""
        check_state_order(f"{self.name}.call", self, states, "`states`")
        output, given = inputs, tree.leaves(states)
        new: list[Tensor] = []
        for cell in self._adapters:
            takes_constants = constants is not None and cell.takes("constants")
            run = cell.caller(cell.structure(), training, constants if takes_constants else None)
            output, state_new = run(output, given[len(new) : len(new) + len(cell.sizes())])
            new += state_new
        return output, tree.unflatten(states, new)

    def _cast(self, x: Tensor) -> Tensor:
        """Return x unchanged: each cell casts its own inputs."""
        return x

    def recurrences(self, inputs: Tensor, training: bool | None) -> list[Recurrence] | str:
        """Return a `Recurrence` for each cell, or the reason why the explicit loop cannot run."""
        if type(self).call is not StackedRNNCells.call:
            return f"{type(self).__name__} overrides call"
        return adapter_of(self).recurrences_of_parts(inputs, training)

    def build(self, input_shape: Any) -> None:
        """Build each cell for the output of the one below."""
        shape = tuple(input_shape)
        for cell, adapter in zip(self.cells, self._adapters, strict=True):
            if isinstance(cell, Layer):
                cell.dtype = cell.dtype or self.dtype
                cell._build_for(shape)
            shape = (shape[0], *axes_of(adapter.output_size))

    def reset_dropout_mask(self) -> None:
        """Reset the dropout masks of all cells' inputs."""
        for cell in self.cells:
            getattr(cell, "reset_dropout_mask", lambda: None)()

    def reset_recurrent_dropout_mask(self) -> None:
        """Reset the dropout masks of all cells' states."""
        for cell in self.cells:
            getattr(cell, "reset_recurrent_dropout_mask", lambda: None)()
