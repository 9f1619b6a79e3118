"""The cells of the first API generation that are made of other cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import functional as F
from minigrad import random
from minigrad.backend import registry
from minigrad.compat.v1.nn.rnn_cell.base import LSTMStateTuple, RNNCell, StateError
from minigrad.compat.v1.variables import variable_scope
from minigrad.creation import as_tensor
from minigrad.layers import cell_protocol, nest
from minigrad.layers.cell_protocol import Recurrence, described
from minigrad.layers.layer import Layer
from minigrad.layers.options import Kind, OptionError, anything, flag, option
from minigrad.layers.serialization import cell_kind, deserialize
from minigrad.tensor import Tensor


def _read_cells(where: str, cells: Any) -> list[Any]:
    if not isinstance(cells, (list, tuple)) or not cells:
        raise OptionError(f"{where}: expected a list of cells, at least one, got {cells!r}.")
    return [cell_kind.read(where, cell) for cell in cells]


def _read_probability(where: str, value: Any) -> Any:
    if not isinstance(value, (int, float)) or not 0.0 < value <= 1.0:
        raise OptionError(f"{where}: expected the probability to keep a number, above 0 and at most 1, got {value!r}.")
    return float(value)


probability = Kind(_read_probability)


class MultiRNNCell(RNNCell):
    """Several cells as one: each takes the output of the one below.

    Args:
        cells: from the lowest to the topmost.
        state_is_tuple: the state is a tuple, one entry a cell, or one tensor with all of them side by side.
    """

    cells: list[Any] = option(Kind(_read_cells, lambda cells: [cell_kind.plain(cell) for cell in cells]))
    state_is_tuple: bool = option(flag, True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.state_is_tuple and any(isinstance(cell.state_size, tuple) for cell in self.cells):
            raise StateError(
                "MultiRNNCell: with state_is_tuple=False each cell's state must be one tensor. Make the cells with "
                "state_is_tuple=False too."
            )

    @property
    def state_size(self) -> Any:
        """The state sizes of the cells: a tuple, or their sum."""
        sizes = tuple(cell.state_size for cell in self.cells)
        return sizes if self.state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        """The output size of the topmost cell."""
        return self.cells[-1].output_size

    def _inside(self) -> variable_scope:
        """The scope around the cells' scopes. Each cell knows by itself whether its variables are there already."""
        self._settle()
        return variable_scope(self._own_scope, reuse=bool(self._shares))

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Builds each cell in a scope of its own, ``cell_0``, ``cell_1`` …"""
        shape = tuple(input_shape)
        for k, cell in enumerate(self.cells):
            with self._inside(), variable_scope(f"cell_{k}"):
                build_in_scope(cell, shape, self.dtype)
            shape = (shape[0], cell.output_size)

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Runs one time step through all cells, from the lowest up."""
        output, new = inputs, []
        for k, (cell, before) in enumerate(zip(self.cells, self.states_apart(state), strict=True)):
            with variable_scope(f"cell_{k}"):
                output, after = cell(output, before)
            new.append(after)
        return output, self.states_together(new)

    def states_apart(self, state: Any) -> Any:
        """The cells' states.

        Raises:
            StateError: the state has another structure.
        """
        if self.state_is_tuple:
            if not isinstance(state, (tuple, list)) or len(state) != len(self.cells):
                raise StateError(
                    f"MultiRNNCell: expected a tuple of {len(self.cells)} states, one a cell, got {described(state)}."
                )
            return state
        if isinstance(state, (tuple, list)):
            raise StateError(
                "MultiRNNCell: made with state_is_tuple=False, its state is one tensor, those of the cells side by "
                f"side, got {described(state)}. Write concat(states, 1)."
            )
        ends = [sum(cell.state_size for cell in self.cells[: k + 1]) for k in range(len(self.cells) - 1)]
        return F.split(as_tensor(state), ends, 1)

    def states_together(self, states: list[Any]) -> Any:
        """The cells' states in the structure of `state_size`."""
        return tuple(states) if self.state_is_tuple else F.concat(states, 1)

    def state_apart(self, state: Any) -> list[Any]:
        """The arrays of all cells' states, as the loop over time takes them."""
        apart = zip(self.cells, self.states_apart(state), strict=True)
        return [array for cell, own in apart for array in cell_protocol.state_apart(cell, own)]

    def state_together(self, arrays: tuple[Any, ...]) -> Any:
        """These arrays in the structure of `state_size`."""
        states, remaining = [], list(arrays)
        for cell in self.cells:
            count = sum(map(len, cell_protocol.state_sizes(cell)))
            flat, remaining = cell_protocol.state_together(cell, remaining[:count]), remaining[count:]
            states.append(nest.like(cell.state_size, flat))
        return self.states_together(states)

    def recurrences(self, inputs: Tensor, training: bool | None) -> list[Recurrence] | str:
        """Returns what the explicit loop needs of each cell, or why it cannot run."""
        if type(self).call is not MultiRNNCell.call:
            return f"{type(self).__name__} has a call of its own"
        return cell_protocol.recurrences_of_all(self.cells, inputs, training)


def _described(cell: Any) -> dict[str, Any]:
    return {"class_name": type(cell).__name__, "config": cell.get_config()}


def _made(config: dict[str, Any]) -> Any:
    return deserialize({"module": RNNCell.serialized_module, **config})


def build_in_scope(cell: Any, input_shape: tuple[int, ...], dtype: Any) -> None:
    """Builds a cell of any kind in the current variable scope, if it was not yet.

    One that has no `build` may make its variables in its `call`; that will settle it.
    """
    if getattr(cell, "built", True) or type(cell).build is Layer.build:
        return
    if isinstance(cell, RNNCell):
        cell._settle()
    cell.dtype = cell.dtype or dtype
    cell.build(input_shape)


class _Wrapper(RNNCell):
    """A cell around a cell. It adds no scope of its own."""

    cell: Any = option(cell_kind)

    @property
    def state_size(self) -> Any:
        """That of the cell."""
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        """That of the cell."""
        return self.cell.output_size

    def __call__(  # type: ignore[override]  # a cell is always given a state
        self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Runs one time step of the wrapped cell."""
        return self.call(self._as_inputs(inputs), state, scope)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Builds the cell."""
        build_in_scope(self.cell, input_shape, self.dtype)

    @property
    def state_sizes(self) -> list[int]:
        """Those of the cell, as the loop over time takes them."""
        return [size for sizes in cell_protocol.state_sizes(self.cell) for size in sizes]

    def state_apart(self, state: Any) -> list[Any]:
        """The arrays of the cell's state."""
        return cell_protocol.state_apart(self.cell, state)

    def state_together(self, arrays: tuple[Any, ...]) -> Any:
        """These arrays in the structure of the cell's state."""
        return nest.like(self.state_size, cell_protocol.state_together(self.cell, list(arrays)))

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        """That of the cell."""
        return self.cell.zero_state(batch_size, dtype)

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
        """That of the cell."""
        return self.cell.get_initial_state(inputs, batch_size, dtype)

    def recurrences(self, inputs: Tensor, training: bool | None) -> list[Recurrence] | str:
        """Returns what the explicit loop needs, or why it cannot run."""
        return f"{type(self).__name__} calls its cell step by step"

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments as plain values, the cell as TensorFlow 1 describes it."""
        return {**super().get_config(), "cell": _described(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Returns a new wrapper around a new cell."""
        return cls(**{**config, "cell": _made(config["cell"])})

    def run(self, inputs: Any, state: Any, scope: Any) -> tuple[Any, Any]:
        """Calls the cell."""
        output, new = self.cell(inputs, state, scope) if isinstance(self.cell, RNNCell) else self.cell(inputs, state)
        return output, new


class ResidualWrapper(_Wrapper):
    """output = inputs + the cell's output, or `residual_fn(inputs, output)`.

    Args:
        cell: the cell; its output has the size of its inputs.
        residual_fn: another way to bring the two together.
    """

    residual_fn: Callable[[Any, Any], Any] | None = option(anything, None, quiet=True)

    def call(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Runs one time step."""
        output, new = self.run(inputs, state, scope)
        if self.residual_fn is not None:
            return self.residual_fn(inputs, output), new
        return nest.over(lambda x, y: x + y, inputs, output), new


class DeviceWrapper(_Wrapper):
    """Runs a cell on a backend.

    Args:
        cell: the cell.
        device: a backend's name, as `mg.use` takes it; TensorFlow's ``"/cpu:0"`` and the like stand for the current
            one.
    """

    device: str = option(anything)

    def call(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Runs one time step, inputs and state brought over to the backend and the results left there."""
        if self.device.startswith("/"):
            return self.run(inputs, state, scope)
        with registry.using(self.device) as backend:
            inputs, state = (
                nest.over(lambda x: x if x.backend is backend else x.to(backend), v) for v in (inputs, state)
            )
            return self.run(inputs, state, scope)


class DropoutWrapper(_Wrapper):
    """Drops numbers of a cell's inputs, outputs and states, in training only by making the wrapper only then.

    Args:
        cell: the cell.
        input_keep_prob: the probability to keep a number of the inputs; what is kept is divided by it.
        output_keep_prob: likewise of the output.
        state_keep_prob: likewise of the new states that go to the next step; the c of an LSTMStateTuple is never
            dropped.
        variational_recurrent: draw the masks once, when the wrapper is made, one row for the whole batch, and use them
            at every step (Gal and Ghahramani, 2016).
        input_size: the size of the inputs; needed for that if inputs are dropped.
        dtype: of the masks; needed for that.
        seed: for a generator of its own.
        dropout_state_filter_visitor: a function of a state that says True where it may be dropped.

    Raises:
        OptionError: variational_recurrent without what it needs.
    """

    input_keep_prob: float = option(probability, 1.0)
    output_keep_prob: float = option(probability, 1.0)
    state_keep_prob: float = option(probability, 1.0)
    variational_recurrent: bool = option(flag, False)
    input_size: Any = option(anything, None)
    seed: int | None = option(anything, None)
    dropout_state_filter_visitor: Callable[[Any], Any] | None = option(anything, None, quiet=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._source = random.generator_for(self.seed)
        self.masks: dict[str, Any] = {}  # of variational dropout: by place, 0 or 1, (1, size)
        if not self.variational_recurrent:
            return
        if self.dtype is None:
            raise OptionError("DropoutWrapper: `variational_recurrent` draws its masks at once: pass `dtype`.")
        if self.input_keep_prob < 1.0:
            if self.input_size is None:
                raise OptionError("DropoutWrapper: `variational_recurrent` with `input_keep_prob` needs `input_size`.")
            self.masks["input"] = nest.over(lambda n: self._draw((1, n), self.input_keep_prob), self.input_size)
        self.masks["state"] = nest.over(lambda n: self._draw((1, n), self.state_keep_prob), self.cell.state_size)
        self.masks["output"] = nest.over(lambda n: self._draw((1, n), self.output_keep_prob), self.cell.output_size)

    def _draw(self, shape: tuple[int, ...], keep: float) -> Tensor:
        return random.bernoulli(shape, keep, self.dtype or "float32", self._source)

    def call(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Runs one time step."""
        output, new = self.run(self._thinned("input", inputs, self.input_keep_prob), state, scope)
        if self.state_keep_prob < 1.0:
            dropped = self._thinned("state", new, self.state_keep_prob)
            may = self.dropout_state_filter_visitor or _may_be_dropped
            new = _chosen(may, new, dropped)
        return self._thinned("output", output, self.output_keep_prob), new

    def _thinned(self, place: str, values: Any, keep: float) -> Any:
        if keep == 1.0:
            return values
        if self.variational_recurrent:
            return nest.over(lambda x, mask: x / keep * mask, values, self.masks[place])
        return nest.over(lambda x: x / keep * self._draw(x.shape, keep).astype(x.dtype), values)


def _may_be_dropped(state: Any) -> Any:
    """As in TensorFlow: everything but the c of an LSTM."""
    return LSTMStateTuple(c=False, h=True) if isinstance(state, LSTMStateTuple) else True


def _chosen(may: Callable[[Any], Any], state: Any, dropped: Any) -> Any:
    """The dropped state where it may be dropped, else the state."""
    answer = may(state)
    if isinstance(answer, bool) and isinstance(state, (tuple, list)) and answer:
        return type(state)(_chosen(may, s, d) for s, d in zip(state, dropped, strict=True))
    if isinstance(answer, bool):
        return dropped if answer else state
    return nest.over(lambda a, s, d: d if a else s, answer, state, dropped)
