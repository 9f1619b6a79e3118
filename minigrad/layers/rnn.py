"""RNN: a cell run over a sequence.

The layer prepares the inputs, the mask and the states. `minigrad.layers.execution` runs the cell, by the explicit loop
over time where that is possible. `layer.path` names the path of the last call and the reason.

A call ``lstm(x)`` of a built layer passes through these functions, in this order:

    Layer.__call__       layer.py      looks up the signature of x; a new one is cast and checked, and the layer built
    RNN.call             here          the mask, the initial states
    execution.run_plan   execution.py  the plan of the call before, or `plan_of` for a new signature
    apply                tensor.py     runs SequenceOp and writes one node on the tape
    SequenceOp.forward   sequence.py   the backend's loop over time, or the formulas of `recurrent.bptt`
    RNN.call             here          the last output or all of them, the final states
"""

from __future__ import annotations

from functools import partial
from typing import Any

from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import MinigradError, ShapeError, shown
from minigrad.engine.foreign import naming
from minigrad.engine.ops.shape import Transpose
from minigrad.engine.tensor import Tensor, apply
from minigrad.layers import execution
from minigrad.layers.cell import Cell
from minigrad.layers.cell_adapter import CellAdapter, adapter_of
from minigrad.layers.checks import is_shape
from minigrad.layers.floatx import is_dtype
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.layer import Layer
from minigrad.layers.options import Kind, OptionError, flag, option
from minigrad.layers.plan import CallPlan
from minigrad.layers.sequence_inputs import as_bools, mask_of_inputs, number_of_constants, split_inputs
from minigrad.layers.serialization import cell_kind
from minigrad.layers.stacked import StackedRNNCells
from minigrad.layers.states import StateError, StatelessError, check_state_order, of_own_rows, zero_state
from minigrad.layers.tensor_shape import axes_of
from minigrad.recurrent.watch import is_watched


def _read_cell(where: str, value: Any) -> Any:
    with naming(where):
        return StackedRNNCells(value) if isinstance(value, (list, tuple)) else cell_kind.read(where, value)


def _read_tbptt(where: str, value: Any) -> Any:
    if value is None:
        return None
    whole = isinstance(value, (list, tuple)) and len(value) == 2 and all(isinstance(k, int) and k > 0 for k in value)
    if not whole or value[0] > value[1]:
        got = shown(value)
        raise OptionError(f"{where}: expected (k1, k2), 1 ≤ k1 ≤ k2: after every k1 steps, k2 steps back; got {got}.")
    return tuple(value)


class RNN(Layer):
    """Run a cell over the time axis of its inputs.

    Args:
        cell: a cell, or a list of cells, which are stacked.
        return_sequences: whether to return the output of every step rather than of the last.
        return_state: whether to return the final states too.
        go_backwards: whether to process the sequence from its end; the outputs are in that reversed order.
        stateful: whether each batch starts from the final states of the one before it, row by row.
        unroll: whether each step is a node on the tape, rather than the sequence. The numbers are the same.
        time_major: whether inputs and outputs are (time, batch, …).
        zero_output_for_mask: whether the output at masked steps is zero rather than the previous one.
        tbptt: (k1, k2): after every k1 steps, backpropagation through k2 steps; None for the whole sequence.
        num_constants: the number of constants at the end of a call's list of inputs; a call with `constants` sets it.

    Shapes:
        inputs (batch, time, features) → (batch, units), or (batch, time, units) with `return_sequences`; with
        `return_state` a list of that and the states, each (batch, units).

    Attributes:
        states: the states from which a stateful layer starts its next call; else None for each.
        path: the path of the last call, and the reason.
    """

    cell: Any = option(Kind(_read_cell, cell_kind.plain))
    return_sequences: bool = option(flag, False)
    return_state: bool = option(flag, False)
    go_backwards: bool = option(flag, False)
    stateful: bool = option(flag, False)
    unroll: bool = option(flag, False)
    time_major: bool = option(flag, False)
    zero_output_for_mask: bool = option(flag, False, keyword_only=True, quiet=True)
    num_constants: int | None = option(number_of_constants, None, keyword_only=True, quiet=True)
    tbptt: tuple[int, int] | None = option(Kind(_read_tbptt), None, keyword_only=True, quiet=True)

    supports_masking = True
    input_spec = InputSpec(min_ndim=3)
    path = "not called yet"
    _plan: CallPlan | None = None
    _cell_adapted: CellAdapter | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._states: list[Any] | None = None
        if self.cell is not None:
            self._cell_adapted = adapter_of(self.cell)

    @property
    def _adapter(self) -> CellAdapter:
        """The adapter of the cell, made with the layer and again when the layer is given another cell."""
        found = self._cell_adapted
        if found is None or found.cell is not self.cell:
            found = self._cell_adapted = adapter_of(self.cell)
        return found

    def build(self, input_shape: Any) -> None:
        """Build the cell for one time step of the inputs."""
        shape = input_shape[0] if isinstance(input_shape, list) and not is_shape(input_shape) else input_shape
        if is_shape(shape) and shape:
            self.input_spec = InputSpec(ndim=len(shape), axes={-1: shape[-1]})
        if isinstance(self.cell, Layer):
            self.cell.dtype = self.cell.dtype or self.dtype  # a cell of the first generation may have none yet
            self.cell._build_for(self._of_one_step(shape))
        if self.stateful and is_shape(shape) and self._states is None:
            self._states = self._in_structure(self._checked_states(None, self.batch_to_bind(shape)))

    def batch_to_bind(self, shape: Any) -> int:
        """Return the batch size of a stateful layer for inputs of a shape; a ShapeError if it is not known."""
        known = shape[1 if self.time_major else 0]
        batch: int | None = self._bound_batch() if known is None else known
        if batch is not None:
            return batch
        given = f"expected the batch size, which a stateful layer keeps, got {tuple(shape)}"
        raise ShapeError(f"{self.name}.build: {given}. Pass batch_input_shape, or batch_size to Input.")

    def _of_one_step(self, shape: Any) -> Any:
        """Return a shape, or nested shapes, without the time axis."""
        if is_shape(shape):
            if len(shape) < 2:
                raise ShapeError(
                    f"{self.name}.build: expected `input_shape`, that of the `inputs`, to be (batch, time, features), "
                    f"got {tuple(shape)}."
                )
            return (shape[1 if self.time_major else 0], *shape[2:])
        if isinstance(shape, dict):
            return {key: self._of_one_step(part) for key, part in shape.items()}
        if isinstance(shape, (list, tuple)):
            return type(shape)([self._of_one_step(part) for part in shape])
        raise self._shape_error("build", None)

    # --- states -------------------------------------------------------------------------------------------------------

    @property
    def states(self) -> list[Any]:
        """The states from which the next call starts, or None for each."""
        if self._states is None:
            return list(tree.map(lambda _: None, self._adapter.structure()))
        return self._states

    @states.setter
    def states(self, states: Any) -> None:
        given = [s for s in tree.leaves(states, f"{self.name}: `states`") if s is not None]
        if given or isinstance(states, dict):
            batch = self._bound_batch() or len(as_tensor(given[0] if given else [], None, "`states`"))
            states = self._in_structure(self._checked_states(states, batch, "states: expected `states`"))
        self._states = states if given else None

    def reset_states(self, states: Any = None) -> None:
        """Set the states of a stateful layer, to zero by default.

        Args:
            states: arrays, one for each state, of the shapes that the layer has.

        Raises:
            StatelessError: (an AttributeError) the layer is not stateful.
            ShapeError: (a ValueError) the batch size is not known yet, or the arrays do not fit.
        """
        if not self.stateful:
            raise StatelessError(f"{self.name}.reset_states: the layer carries no state. Make it with stateful=True.")
        batch = self._bound_batch()
        if batch is None:
            raise ShapeError(
                f"{self.name}.reset_states: the batch size is not known. Call the layer once, or give it "
                "batch_input_shape=(batch, time, features)."
            )
        if states is None:
            states = zero_state(self.cell, None, batch, self._cast_dtype)
        self._states = self._in_structure(self._checked_states(states, batch, "reset_states: expected `states`"))

    reset_state = reset_states

    def get_initial_state(self, inputs: Any) -> Any:
        """Return the initial states for these inputs: zeros, or those of the cell's `get_initial_state`."""
        first = as_tensor(tree.first(inputs, where := f"{self.name}: `inputs`"), None, where)
        if first.ndim < 2:
            raise ShapeError(f"{self.name}.get_initial_state: expected `inputs` (batch, time, …), got {first.shape}.")
        batch = first.shape[1 if self.time_major else 0]
        return self._adapter.initial_state(batch, self._cast_dtype)

    def _bound_batch(self) -> int | None:
        if self._states is not None:
            return int(tree.leaves(self._states)[0].shape[0])
        return self.batch_input_shape[1 if self.time_major else 0] if self.batch_input_shape else None

    def _in_structure(self, flat: list[Any]) -> list[Any]:
        """Return flat states as a list in the structure of the cell's `state_size`."""
        return tree.unflatten(list(self._adapter.structure()), flat)  # type: ignore[no-any-return]

    def _checked_states(self, given: Any, batch: int, where: str = "call: expected `initial_state`") -> list[Any]:
        """Return the states for a batch of that size, flat; by default the cell's initial states."""
        dtype = self._cast_dtype
        if given is None:
            flat = tree.leaves(self._adapter.initial_state(batch, dtype))
        else:
            place, name = where.split(": expected ")
            check_state_order(f"{self.name}.{place}", self.cell, given, name)
            flat = [self._read_state(s, dtype, where) for s in tree.leaves(given)]
        sizes, got = self._adapter.sizes(), [s.shape for s in flat]
        shapes = [(batch, *axes_of(size)) for size in sizes]
        if got != shapes:
            names = f" {', '.join(self.cell.time_step().states)}" if isinstance(self.cell, Cell) else ""
            raise ShapeError(
                f"{self.name}.{where}, {len(shapes)} states{names} (batch, units): {', '.join(map(str, shapes))}, got "
                f"{len(got)}: {', '.join(map(str, got))}."
            )
        return flat

    def _read_state(self, state: Any, dtype: str, where: str) -> Tensor:
        if isinstance(state, Tensor) and is_dtype(state.dtype, dtype):
            return state
        try:
            return as_tensor(as_tensor(state), dtype)
        except MinigradError as error:
            raise StateError(f"{self.name}.{where} of {dtype}: {error}") from None

    def _start(self, batch: int, given: Any, plan: CallPlan | None) -> list[Any]:
        """Return the states before the first step, flat."""
        if not self.stateful:
            if plan is not None and (given is None or plan.knows(given)):
                return plan.zeros if given is None else [given] if isinstance(given, Tensor) else given
            flat = self._checked_states(given, batch)
            if plan is not None:
                plan.checked.add(type(given))
            return flat
        carried = self._states = of_own_rows(self._states)
        bound = self._bound_batch()
        if bound is not None and bound != batch:
            raise ShapeError(
                f"{self.name}: this stateful layer carries the states of a batch of {bound}, got a batch of {batch}. "
                "Drop the last, smaller batch, or make a layer for the other size; reset_states() keeps the size."
            )
        # As in Keras: carried states take precedence, unless they are all zeros.
        if carried is not None and (given is None or any(bool(F.any(s != 0.0)) for s in tree.leaves(carried))):
            return tree.leaves(carried)
        return self._checked_states(given, batch)

    # --- the call -----------------------------------------------------------------------------------------------------

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool | None = None,
        initial_state: Any = None,
        constants: Any = None,
    ) -> Any:
        """Run the cell over the sequence.

        Args:
            inputs: (batch, time, features), or a list of that, the initial states and the constants.
            mask: (batch, time) of bools; where False, the row keeps its state and repeats its output.
            training: whether dropout acts.
            initial_state: one tensor for each state; zeros by default.
            constants: one tensor, or several, passed to the cell at every step as a list. Their number is stored: later
                calls can give them at the end of the list of inputs.

        Raises:
            ShapeError: the mask or the states do not fit the inputs.
            StateError: the list of inputs does not hold what it should.
            DTypeError: the mask is not of bools or integers.
        """
        if constants is not None or isinstance(inputs, list):
            constants = self._constants_list(constants)
            inputs, initial_state, constants = split_inputs(
                f"{self.name}.call", inputs, initial_state, constants, self.num_constants
            )
        first, time = inputs if isinstance(inputs, Tensor) else tree.first(inputs), 0 if self.time_major else 1
        if first.array.shape[time] == 0:
            raise ShapeError(f"{self.name}.call: expected `inputs` of at least one time step, got {first.shape}.")
        if mask is not None:
            mask = self._time_first_mask(mask, first)
        if self.go_backwards:
            inputs = tree.map(lambda part: F.flip(part, time), inputs)
            mask = None if mask is None else F.flip(mask, 0)
        plan = None if constants is not None or self.unroll else self._plan_for(inputs, training)
        if plan is None or plan.drops:
            self._reset_dropout_masks()
        states = self._start(first.array.shape[1 - time], initial_state, plan)
        if plan is not None:
            found = execution.run_plan(plan, self.cell, inputs, states, mask)
        else:
            found = self._run(inputs, states, mask, training, constants)
        self._keep(found)
        y = found.outputs if self.return_sequences else found.last
        if not self.return_state:
            return y
        return [y, *(found.states if plan is not None else self._in_structure(found.states))]

    def _keep(self, found: execution.SequenceResult) -> None:
        """Keep the path of a call, and the final states of a stateful layer."""
        if self.path != found.path:
            self.path = found.path
        if self.stateful:
            self._states = self._in_structure([s.detach() for s in found.states])

    def _reset_dropout_masks(self) -> None:
        for reset in ("reset_dropout_mask", "reset_recurrent_dropout_mask"):
            getattr(self.cell, reset, lambda: None)()

    def _run(self, x: Any, states: Any, mask: Any, training: bool | None, constants: Any) -> execution.SequenceResult:
        """Run the cell without a plan, time first."""
        x = tree.map(self._time_first, x)
        unrolled = self.unroll and not is_watched(self._adapter.innermost())
        zero, why = self.zero_output_for_mask, "unroll=True" if unrolled else ""
        structure = list(self._adapter.structure())
        found = execution.run(
            self._adapter, x, states, structure, mask, training, constants, zero, self.tbptt, why, self.name
        )
        return found._replace(outputs=tree.map(self._time_first, found.outputs)) if self.return_sequences else found

    def _plan_for(self, x: Any, training: bool | None) -> CallPlan | None:
        """Return the plan of a call, kept from the call before if it still fits."""
        plan = self._plan
        if plan is None or not isinstance(x, Tensor) or not plan.fits(x, training):
            plan = self._plan = self._new_plan(x, training)
        return plan

    def _new_plan(self, x: Any, training: bool | None) -> CallPlan | None:
        flat = {type(size) for size in self._adapter.structure()} == {int}
        if not (flat and isinstance(x, Tensor) and getattr(self.cell, "can_plan", False)):
            return None
        zero, tbptt, axis = self.zero_output_for_mask, self.tbptt, 1 if self.time_major else 0
        states = partial(self._checked_states, None, x.shape[axis])
        return execution.plan_of(self.cell, x, states, training, zero, tbptt, axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask if the output is a sequence; with `return_state` a list, with None for each state."""
        own = mask_of_inputs(mask) if mask is not None and self.return_sequences else None
        return [own, *[None] * len(self.states)] if self.return_state and mask is not None else own

    def _constants_list(self, constants: Any) -> list[Any] | None:
        """Return constants given by name as a list of tensors, and store its length."""
        if constants is None:
            return None
        together = constants if isinstance(constants, (list, tuple)) else [constants]
        if self.num_constants != len(together):
            self.num_constants = len(together)
        with naming(f"{self.name}.call: `constants`"):
            return [self._as_inputs(constant) for constant in together] or None

    def _time_first(self, x: Tensor) -> Tensor:
        """Exchange the axes batch and time."""
        if self.time_major:
            return x
        return apply(Transpose, x, axes=(1, 0, 2)) if x.array.ndim == 3 else F.swapaxes(x, 0, 1)

    def _time_first_mask(self, mask: Any, x: Tensor) -> Tensor | None:
        """Return the mask as (time, batch) of bools; None without a mask."""
        mask = mask_of_inputs(mask, f"{self.name}.call")
        if mask is None:
            return None
        shape = x.shape[:2]
        if mask.shape != shape:
            axes = "(time, batch)" if self.time_major else "(batch, time)"
            raise ShapeError(f"{self.name}.call: expected `mask` of shape {axes} = {shape}, got {mask.shape}.")
        return self._time_first(as_bools(f"{self.name}.call", mask))

    def _checks_once(self) -> bool:
        """Return whether the checks depend on the signature alone; a cell that is not a layer may change its dtype."""
        return super()._checks_once() and all(isinstance(cell, Layer) for cell in self._adapter.innermost())

    # --- the inputs ---------------------------------------------------------------------------------------------------

    @property
    def computes_with_integers(self) -> bool:  # type: ignore[override]  # as its cell does
        """Whether integer inputs are cast to the layer's dtype too."""
        return self._adapter.computes_with_integers

    @property
    def _cast_dtype(self) -> str:
        """The cell's dtype, where it has one: ``RNN(LSTMCell(4, dtype="float64"))`` computes in float64."""
        return str(self._adapter.dtype or self.dtype)

    def _expected(self) -> str:
        usual = str(self.input_spec)
        return usual.replace("batch, time", "time, batch") if self.time_major else usual

    def _hint(self, ndim: int) -> str:
        if ndim == 2:
            return " It takes a batch of sequences: x[None] makes one of a single sequence, Embedding one of integers."
        return ""
