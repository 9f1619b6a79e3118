"""The cells of the first API generation around other cells."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.v1.nn.rnn_cell.base import RNNCell, StateError
from minigrad.compat.v1.nn.rnn_cell.cells import split_state
from minigrad.compat.v1.nn.rnn_cell.configs import (
    cell_option,
    cells_option,
    function_config,
    function_option,
    read_function,
)
from minigrad.compat.v1.variables import variable_scope
from minigrad.engine import functional as F
from minigrad.engine import registry, tree
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import MinigradError, ShapeError, shown
from minigrad.engine.foreign import naming, with_name
from minigrad.engine.protocol import BackendModule
from minigrad.engine.tensor import Tensor
from minigrad.layers.cell_adapter import CellAdapter, adapter_of
from minigrad.layers.custom_objects import CustomObjectScope
from minigrad.layers.layer import Layer
from minigrad.layers.options import Kind, OptionError, flag, option
from minigrad.layers.recurrence import Recurrence
from minigrad.layers.states import described
from minigrad.layers.tensor_shape import axes_of


def _read_device(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise OptionError(f"{where}: expected the name of a backend, or of a TensorFlow device, got {shown(value)}.")
    return value


Loop = Callable[[Tensor], Tensor]


class MultiRNNCell(RNNCell):
    """A stack of cells as one cell: each takes the output of the one below.

    Args:
        cells: from the lowest to the topmost.
        state_is_tuple: whether the state is a tuple, one entry for each cell, or one tensor with all of them
            concatenated.

    `get_config` has both arguments; TensorFlow's has neither, so that it cannot restore a stack.
    """

    cells: list[Any] = option(cells_option)
    state_is_tuple: bool = option(flag, True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.state_is_tuple and any(isinstance(cell.state_size, (tuple, list)) for cell in self.cells):
            raise StateError(
                "MultiRNNCell: with state_is_tuple=False expected cells whose state is one tensor, got a tuple. Make "
                "the cells with state_is_tuple=False too."
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

    @recordable
    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        """Return the zero states of the cells, in the structure of `state_size`."""
        return self.joined_states(
            [cell.initial_state(batch_size, self._read_dtype(dtype)) for cell in adapter_of(self).parts]
        )

    def _scope_block(self) -> variable_scope:
        """Return the scope around the cells' scopes. Each cell shares its own variables once they are made."""
        self._open_scope()
        return variable_scope(self._own_scope, reuse=bool(self._shares))

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Build each cell in its own scope, ``cell_0``, ``cell_1`` …"""
        shape = tuple(input_shape)
        for k, cell in enumerate(self.cells):
            with self._scope_block(), variable_scope(f"cell_{k}"):
                build_in_scope(cell, shape, self.dtype)
            shape = (shape[0], *axes_of(cell.output_size))

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Run one time step through all cells, from the lowest up."""
        output, new = inputs, []
        for k, (cell, before) in enumerate(zip(self.cells, self.cell_states(state), strict=True)):
            with variable_scope(f"cell_{k}"):
                output, after = cell(output, before)
            new.append(after)
        return output, self.joined_states(new)

    def cell_states(self, state: Any) -> Any:
        """Return the cells' states.

        Raises:
            StateError: the state has another structure.
        """
        if self.state_is_tuple:
            if not isinstance(state, (tuple, list)) or len(state) != len(self.cells):
                expected = f"`state`, a tuple of {len(self.cells)} states, one for each cell"
                raise StateError(f"MultiRNNCell: expected {expected}, got {described(state)}.")
            return state
        if isinstance(state, (tuple, list)):
            raise StateError(
                "MultiRNNCell: with state_is_tuple=False expected the state, one tensor with those of the cells "
                f"concatenated, got {described(state)}. Write concat(states, 1)."
            )
        return split_state("MultiRNNCell", as_tensor(state), [cell.state_size for cell in self.cells])

    def joined_states(self, states: list[Any]) -> Any:
        """Return the cells' states in the structure of `state_size`."""
        return tuple(states) if self.state_is_tuple else F.concat(states, 1)

    def flatten_state(self, state: Any) -> list[Any]:
        """Return the arrays of all cells' states, for the loop over time."""
        pairs = zip(adapter_of(self).parts, self.cell_states(state), strict=True)
        return [array for cell, own in pairs for array in cell.flatten(own)]

    def unflatten_state(self, arrays: tuple[Any, ...]) -> Any:
        """Return these arrays in the structure of `state_size`."""
        states, remaining = [], list(arrays)
        for part in adapter_of(self).parts:
            count = sum(map(len, part.array_sizes()))
            flat, remaining = part.from_arrays(remaining[:count]), remaining[count:]
            states.append(tree.unflatten(part.cell.state_size, flat))
        return self.joined_states(states)

    def recurrences(self, inputs: Tensor, training: bool | None) -> list[Recurrence] | str:
        """Return each cell's formulas and weights for explicit BPTT, or the reason why it cannot run."""
        if type(self).call is not MultiRNNCell.call:
            return f"{type(self).__name__} overrides call"
        return adapter_of(self).recurrences_of_parts(inputs, training)


def build_in_scope(cell: Any, input_shape: tuple[int, ...], dtype: Any) -> None:
    """Build a cell of any kind in the current variable scope, unless it is built.

    A cell without a `build` may make its variables in its `call`, so nothing is built.
    """
    if getattr(cell, "built", True) or type(cell).build is Layer.build:
        return
    if isinstance(cell, RNNCell):
        cell._open_scope()
    cell.dtype = cell.dtype or dtype
    cell.build(input_shape)


class Wrapper(RNNCell):
    """The base class of cells around a cell. It adds no scope."""

    cell: Any = option(cell_option)

    functions: ClassVar[dict[str, str]] = {}  # argument → key in the configuration
    known_call: ClassVar[Any] = None  # the `call` that `wrap_loop` and `stepwise_reason` belong to

    @property
    def _wrapped(self) -> CellAdapter:
        """The adapter of the cell."""
        return adapter_of(self).parts[0]

    @property
    def state_size(self) -> Any:
        """The state size of the cell."""
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        """The output size of the cell."""
        return self.cell.output_size

    def __call__(  # type: ignore[override]  # a cell is always given a state
        self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Run one time step of the wrapped cell."""
        return self.call(self._as_inputs(inputs), state, scope)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Build the cell."""
        build_in_scope(self.cell, input_shape, self.dtype)

    @property
    def state_sizes(self) -> list[int]:
        """The state sizes of the cell, for the loop over time."""
        return [size for sizes in self._wrapped.array_sizes() for size in sizes]

    def flatten_state(self, state: Any) -> list[Any]:
        """Return the arrays of the cell's state."""
        return self._wrapped.flatten(state)

    def unflatten_state(self, arrays: tuple[Any, ...]) -> Any:
        """Return these arrays in the structure of the cell's state."""
        return tree.unflatten(self.state_size, self._wrapped.from_arrays(list(arrays)))

    @recordable
    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        """Return the zero state of the cell."""
        return self._wrapped.initial_state(batch_size, self._read_dtype(dtype))

    def recurrences(self, inputs: Tensor, training: bool | None) -> list[Recurrence] | str:
        """Return the cell's formulas and weights with this wrapper around them, or the reason why BPTT cannot run."""
        if type(self).call is not type(self).known_call:
            return f"{type(self).__name__} overrides call"
        reason = self.stepwise_reason()
        if reason:
            return reason
        found = self._wrapped.recurrences(inputs, training)
        if isinstance(found, str):
            return found
        if len(found) != 1:
            return f"{type(self).__name__} is around several layers"
        within = found[0].wrapper

        def wrapper(x: Tensor, loop: Loop) -> Tensor:
            return self.wrap_loop(x, loop if within is None else lambda inputs: within(inputs, loop))

        return [found[0]._replace(wrapper=wrapper)]

    def stepwise_reason(self) -> str:
        """Return the reason why the wrapper must run step by step; empty if it can run around a whole sequence."""
        return ""

    def wrap_loop(self, x: Tensor, loop: Loop) -> Tensor:
        """Return the outputs of a whole sequence, with the wrapper's operation on all steps at once.

        Args:
            x: (time, batch, features).
            loop: the wrapped cell, a function of such inputs.
        """
        return loop(x)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments as plain values: the cell as TensorFlow 1 describes it, functions by their names.

        Raises:
            OptionError: a function cannot be found by its name.
        """
        config = {name: value for name, value in super().get_config().items() if name not in self.functions}
        for name, key in self.functions.items():
            config |= function_config(type(self).__name__, key, getattr(self, name))
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Return a new wrapper around a new cell; `custom_objects`: as for a layer.

        Raises:
            OptionError: a function cannot be found by its name.
        """
        config = dict(config)
        found = {name: read_function(cls.__name__, key, config) for name, key in cls.functions.items()}
        with CustomObjectScope(custom_objects):
            return cls(**config, **{name: function for name, function in found.items() if function is not None})

    def run(self, inputs: Any, state: Any, scope: Any) -> tuple[Any, Any]:
        """Call the cell."""
        output, new = self.cell(inputs, state, scope) if isinstance(self.cell, RNNCell) else self.cell(inputs, state)
        return output, new


class ResidualWrapper(Wrapper):
    """output = inputs + the cell's output, or `residual_fn(inputs, output)`.

    Args:
        cell: the cell; its output has the size of its inputs.
        residual_fn: a function that combines the two.
    """

    residual_fn: Callable[[Any, Any], Any] | None = option(function_option, None, quiet=True)

    functions: ClassVar[dict[str, str]] = {"residual_fn": "residual_fn"}

    def call(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Run one time step."""
        output, new = self.run(inputs, state, scope)
        if self.residual_fn is not None:
            try:
                return tree.map(as_tensor, self.residual_fn(inputs, output)), new
            except MinigradError as error:
                raise with_name(error, "ResidualWrapper: the result of `residual_fn`") from error.__cause__
        return tree.map(self._sum, inputs, output), new

    known_call = call

    def stepwise_reason(self) -> str:
        """Return a reason if there is a residual_fn, which may expect a single step."""
        return "ResidualWrapper has a residual_fn" if self.residual_fn is not None else ""

    def wrap_loop(self, x: Tensor, loop: Loop) -> Tensor:
        """outputs = inputs + the cell's outputs"""
        return self._sum(x, loop(x))

    def _sum(self, x: Tensor, y: Tensor) -> Tensor:
        if x.shape != y.shape:
            raise ShapeError(
                f"ResidualWrapper: expected the cell's output to have the size of its inputs, {x.shape[-1]}, got "
                f"{y.shape[-1]}. A residual_fn can combine other sizes."
            )
        return F.add(x, y)


class DeviceWrapper(Wrapper):
    """A cell that runs on a given backend.

    Args:
        cell: the cell.
        device: a backend's name, as `mg.use` takes it; TensorFlow's names such as ``"/cpu:0"`` mean the
            current one.
    """

    device: str = option(Kind(_read_device))

    def call(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Run one time step, with inputs and state copied to the backend and the results left there.

        Raises:
            GradientError: inputs or a state that require a gradient are on another backend.
        """
        with self._on_backend() as backend:
            inputs, state = (tree.map(lambda x: as_tensor(x).to(backend), given) for given in (inputs, state))
            return self.run(inputs, state, scope)

    known_call = call

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Build the cell on the backend."""
        with self._on_backend():
            super().build(input_shape)

    def _on_backend(self) -> AbstractContextManager[BackendModule]:
        with naming("DeviceWrapper: `device`"):
            return registry.using(registry.current() if self.device.startswith("/") else registry.resolve(self.device))

    def stepwise_reason(self) -> str:
        """Return a reason if the cell runs on another backend."""
        return "" if self.device.startswith("/") else f"DeviceWrapper runs its cell on {self.device!r}"
