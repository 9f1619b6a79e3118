"""Cells over sequences in the first API generation: `dynamic_rnn`, `static_rnn`, `bidirectional_dynamic_rnn`.

A row may be shorter than the sequence: with ℓ its `sequence_length`, for each step t

    output_t, state_t+1 = cell(x_t, state_t)     where t < ℓ
    output_t, state_t+1 = 0, state_t             beyond

so the final state is the one after the row's last step. All functions run `minigrad.layers.execution`: explicit BPTT
for a cell with formulas, its `call` step by step otherwise. ``cell.path`` names the one that ran.
"""

from __future__ import annotations

from typing import Any

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.v1.nn.rnn_cell.base import RNNCell
from minigrad.compat.v1.nn.rnn_cell.wrappers import build_in_scope
from minigrad.compat.v1.variables import scope_or, variable_scope
from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.arguments import flag
from minigrad.engine.creation import as_tensor, as_tensor_like
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import DTypeError, ShapeError, axes_given, shown
from minigrad.engine.foreign import naming
from minigrad.engine.tensor import Tensor
from minigrad.layers import execution
from minigrad.layers.cell_adapter import adapter_of
from minigrad.layers.states import CellError, StateError, UnknownDTypeError, check_state_order, described
from minigrad.layers.tensor_shape import axes_of


@recordable
def dynamic_rnn(
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[Any, Any]:
    """Run a cell over a sequence.

    Args:
        cell: a cell of this generation, or one of Keras'.
        inputs: (batch, time, features), or nested tensors of such shapes.
        sequence_length: (batch,) of integers, the length of each row; by default all rows have full length.
        initial_state: in the structure of ``cell.state_size``, each (batch, size); zeros by default.
        dtype: the dtype of the initial state and the outputs; needed without an initial state.
        parallel_iterations: without effect: steps run one after another.
        swap_memory: without effect: there is one memory.
        time_major: whether inputs and outputs are (time, batch, …).
        scope: the variable scope of the weights, ``"rnn"`` by default.

    Returns:
        The outputs, (batch, time, units), and the final state.

    Raises:
        ShapeError: the inputs, the lengths or the state do not fit.
        DTypeError: neither an initial state nor a dtype is given; or the dtypes do not fit.
        StateError: the state has another structure than the cell's.

    >>> import minigrad as tf
    >>> tf.compat.v1.reset_default_graph()
    >>> cell = tf.compat.v1.nn.rnn_cell.LSTMCell(4)
    >>> inputs = tf.random.normal([2, 5, 3])
    >>> outputs, state = tf.compat.v1.nn.dynamic_rnn(cell, inputs, sequence_length=[5, 2], dtype="float32")
    >>> outputs.shape, state.c.shape, float(outputs[1, 2:].numpy().max())
    ((2, 5, 4), (2, 4), 0.0)
    >>> cell.path
    'explicit BPTT, formulas of LSTMP: the numpy backend has loops for LSTM, GRU and SimpleRNN only'
    """
    time_major = flag("dynamic_rnn: `time_major`", time_major)
    with variable_scope(scope_or(scope, "rnn")):
        with naming("dynamic_rnn: `inputs`"):
            x = tree.map(lambda part: _time_first("dynamic_rnn", part, time_major), inputs)
        outputs, state = _run("dynamic_rnn", cell, x, sequence_length, initial_state, dtype)
    return tree.map(lambda y: _swap_axes(y, time_major), outputs), state


@recordable
def static_rnn(
    cell: Any, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None, scope: Any = None
) -> tuple[list[Any], Any]:
    """Run a cell over a list of inputs, one for each time step; arguments as for `dynamic_rnn`.

    Args:
        cell: a cell.
        inputs: a list over time, each (batch, features).
        initial_state: in the structure of ``cell.state_size``.
        dtype: the dtype of the initial state; needed without one.
        sequence_length: (batch,) of integers.
        scope: ``"rnn"`` by default.

    Returns:
        The list of outputs, each (batch, units), and the final state.

    Raises:
        StepsError: (a TypeError) the inputs are not a list.
        ShapeError: the list is empty, or an entry does not fit.
    """
    with variable_scope(scope_or(scope, "rnn")):
        outputs, state = _run("static_rnn", cell, _stacked("static_rnn", inputs), sequence_length, initial_state, dtype)
    return _unstacked(outputs), state


@recordable
def bidirectional_dynamic_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Run one cell forward and another backward over a sequence; other arguments as for `dynamic_rnn`.

    The backward cell reads each row from its last valid step, and its outputs are reversed again: at step t both
    outputs belong to x_t.

    Args:
        cell_fw: the cell that reads forward.
        cell_bw: the cell that reads backward.
        inputs: (batch, time, features).
        sequence_length: (batch,) of integers.
        initial_state_fw: the initial state of the forward cell.
        initial_state_bw: the initial state of the backward cell.
        dtype: the dtype of the initial states; needed if one is missing.
        parallel_iterations: without effect.
        swap_memory: without effect.
        time_major: whether inputs and outputs are (time, batch, …).
        scope: ``"bidirectional_rnn"`` by default; the cells' scopes are ``"fw"`` and ``"bw"`` in it.

    Returns:
        ((outputs_fw, outputs_bw), (final_state_fw, final_state_bw))
    """
    where, states = "bidirectional_dynamic_rnn", (initial_state_fw, initial_state_bw)
    time_major = flag(f"{where}: `time_major`", time_major)
    with naming(f"{where}: `inputs`"):
        x = tree.map(lambda part: _time_first(where, part, time_major), inputs)
    outputs, final = _bidirectional(where, (cell_fw, cell_bw), x, sequence_length, states, dtype, scope)
    return tree.map(lambda y: _swap_axes(y, time_major), outputs), final


@recordable
def static_bidirectional_rnn(
    cell_fw: Any, cell_bw: Any, inputs: Any, initial_state_fw: Any = None, initial_state_bw: Any = None,
    dtype: Any = None, sequence_length: Any = None, scope: Any = None,
) -> tuple[list[Tensor], Any, Any]:  # fmt: skip
    """Run one cell forward and another backward over a list of inputs; arguments as for `bidirectional_dynamic_rnn`.

    Returns:
        The list of both cells' outputs, concatenated, each (batch, units_fw + units_bw); the forward cell's final
        state; the backward cell's.
    """
    where, states = "static_bidirectional_rnn", (initial_state_fw, initial_state_bw)
    x = _stacked(where, inputs)
    outputs, final = _bidirectional(where, (cell_fw, cell_bw), x, sequence_length, states, dtype, scope)
    return _unstacked(tree.map(lambda fw, bw: F.concat((fw, bw), -1), *outputs)), *final


class StepsError(CellError):
    """Raised for inputs that are not a list with one entry for each time step."""


# --- shared helpers ---------------------------------------------------------------------------------------------------


def _run(where: str, cell: Any, x: Any, lengths: Any, initial_state: Any, dtype: Any, side: str = "") -> Any:
    """Run a cell over inputs (time, batch, features) in the current scope; return such outputs and the final state.

    Messages call the cell and its state by the caller's arguments, which end in `side`.
    """
    checked_cell(where, cell, f"cell{side}")
    first = tree.first(x)
    if first is None:
        raise ShapeError(f"{where}: expected `inputs`, a tensor, got none.")
    mask = _mask(_lengths(where, lengths, first), first)
    if initial_state is None and dtype is None:
        raise UnknownDTypeError(f"{where}: expected a `dtype` where there is no `initial_state`. Pass dtype='float32'.")
    dtype = _dtype(where, cell, first, dtype)
    adapter = adapter_of(cell)
    whole = adapter.computes_with_integers
    x = tree.map(lambda part: part.astype(dtype) if whole or is_floating(part.dtype) else part, x)
    state = checked_state(where, cell, initial_state, first.shape[1], dtype, f"initial_state{side}")  # before variables
    build_in_scope(cell, tree.map(lambda part: part.shape[1:], x), dtype)
    if first.shape[0] == 0:
        sizes = adapter.output_size
        return tree.map(lambda size: F.zeros((0, first.shape[1], *axes_of(size)), dtype), sizes), state
    found = execution.run(adapter, x, tree.leaves(state), state, mask, zero_output=True)
    if isinstance(cell, RNNCell):
        cell.path = found.path
    return found.outputs, tree.unflatten(state, found.states)


def _bidirectional(
    where: str, cells: tuple[Any, Any], x: Any, lengths: Any, states: tuple[Any, Any], dtype: Any, scope: Any
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Run one cell forward and one backward over inputs (time, batch, features); return outputs and final states."""
    with variable_scope(scope_or(scope, "bidirectional_rnn")):
        lengths = _lengths(where, lengths, tree.first(x))
        with variable_scope("fw"):
            fw, state_fw = _run(where, cells[0], x, lengths, states[0], dtype, "_fw")
        with variable_scope("bw"):
            bw, state_bw = _run(where, cells[1], _reversed(x, lengths), lengths, states[1], dtype, "_bw")
        return (fw, _reversed(bw, lengths)), (state_fw, state_bw)


def checked_cell(where: str, cell: Any, argument: str = "cell") -> Any:
    """Return the cell, which messages call by its argument.

    Raises:
        CellError: `cell` is not a cell.
    """
    if isinstance(cell, type) or not hasattr(cell, "state_size") or not hasattr(cell, "call"):
        several = " MultiRNNCell(cells) makes one cell of several." if isinstance(cell, (list, tuple)) else ""
        raise CellError(
            f"{where}: expected `{argument}`, a cell with state_size, output_size and call, got {shown(cell)}.{several}"
        )
    return cell


def _time_first(where: str, x: Any, time_major: bool) -> Tensor:
    """Return inputs as (time, batch, …)."""
    if isinstance(x, (int, float)):  # a list is a nest of inputs
        raise ShapeError(f"{where}: expected `inputs`, a tensor, got a list of numbers. mg.tensor(inputs) makes one.")
    x = as_tensor(x, None, f"{where}: `inputs`")
    if x.ndim < 3:
        axes = "(time, batch, features)" if time_major else "(batch, time, features)"
        raise ShapeError(f"{where}: expected `inputs` of shape {axes}, got {x.shape}. The cell alone takes one step.")
    return _swap_axes(x, time_major)


def _stacked(where: str, inputs: Any) -> Any:
    """Return a list over time as (time, batch, features).

    Raises:
        StepsError: `inputs` is not a list.
        ShapeError: the list is empty.
    """
    if not isinstance(inputs, (list, tuple)):
        raise StepsError(
            f"{where}: expected `inputs`, a list over time of tensors (batch, features), got {described(inputs)}. "
            "mg.unstack(inputs, 1) makes the list; dynamic_rnn takes the tensor."
        )
    if not inputs:
        raise ShapeError(f"{where}: expected `inputs`, at least one time step, got []. Pass one tensor for each step.")
    tree.leaves(inputs, f"{where}: `inputs`")  # raises for a list that contains itself
    if any(not tree.alike(inputs[0], step) for step in inputs[1:]):
        raise ShapeError(f"{where}: expected `inputs` of one structure at all steps, got {shown(inputs)}.")
    x = tree.map(
        lambda *steps: _stack_steps(where, [as_tensor(step, None, f"{where}: `inputs`") for step in steps]),
        inputs[0],
        *inputs[1:],
    )
    return tree.map(lambda part: _time_first(where, part, True), x)


def _stack_steps(where: str, steps: list[Tensor]) -> Tensor:
    for k, step in enumerate(steps):
        if step.shape != steps[0].shape:
            raise ShapeError(
                f"{where}: expected `inputs` of one shape at all steps, {steps[0].shape}, got {step.shape} at step {k}."
            )
    return F.stack(steps)


def _unstacked(outputs: Any) -> list[Any]:
    """Return (time, batch, …) as a list over time."""
    flat = zip(*(F.unstack(y) for y in tree.leaves(outputs)), strict=True)
    return [tree.unflatten(outputs, list(step)) for step in flat]


def _swap_axes(x: Tensor, time_major: bool) -> Tensor:
    """Return x with batch and time swapped, unless it is `time_major`."""
    return x if time_major else F.swapaxes(x, 0, 1)


def _lengths(where: str, lengths: Any, x: Tensor) -> Tensor | None:
    """Return the rows' lengths, or None if all rows have full length.

    Raises:
        ShapeError: there is not one length for each row, or one is not from 0 to the length of the sequence (lengths
            on a device are not checked).
        DTypeError: the lengths are not integers.
    """
    if lengths is None:
        return None
    steps, batch, *_ = x.shape
    found: Tensor = as_tensor_like(x, lengths, f"{where}: `sequence_length`")
    if found.shape != (batch,):
        raise ShapeError(f"{where}: expected `sequence_length` of shape (batch,) = ({batch},), got {found.shape}.")
    name = dtype_name(found.dtype)
    if "int" not in name:
        raise DTypeError(
            f"{where}: expected `sequence_length` of integers, got {name}. Pass the number of steps of each row."
        )
    if isinstance(lengths, Tensor) and not getattr(lengths.backend, "on_host", False):
        return found.astype("int64")  # checking would cost a transfer
    host = [int(length) for length in lengths]
    for row, length in enumerate(host):
        if not 0 <= length <= steps:
            raise ShapeError(
                f"{where}: expected `sequence_length` from 0 to {steps}, the length of the inputs, got {length} in row "
                f"{row}."
            )
    return None if all(length == steps for length in host) else found.astype("int64")


def _mask(lengths: Tensor | None, x: Tensor) -> Tensor | None:
    """Return a mask (time, batch) of bools, True for steps below the row's length."""
    if lengths is None:
        return None
    return F.less(F.expand_dims(_range(lengths, x.shape[0]), -1), lengths)


def _range(lengths: Tensor, stop: int) -> Tensor:
    """Return 0, 1, …, stop − 1 on the backend of the lengths."""
    return Tensor(lengths.backend.arange(stop, dtype="int64"), lengths.backend)


def _reversed(x: Any, lengths: Tensor | None) -> Any:
    """Return (time, batch, …) with each row reversed up to its length; later steps stay."""
    if lengths is None:
        return tree.map(lambda part: F.flip(part, 0), x)
    steps, batch, *_ = tree.first(x).shape
    t, rows = (F.broadcast_to(n, (steps, batch)) for n in (_range(lengths, steps)[:, None], _range(lengths, batch)))
    from_the_end = F.where(F.less(t, lengths), lengths - 1 - t, t)
    return tree.map(lambda part: part[from_the_end, rows], x)


def _dtype(where: str, cell: Any, x: Tensor, dtype: Any) -> str:
    """Return the dtype to compute in: the cell's, the requested one, or the inputs'.

    Raises:
        DTypeError: the first two differ, or the requested one is not floating.
    """
    own = adapter_of(cell).dtype
    requested = None if dtype is None else dtype_name(dtype)
    if requested is not None and not is_floating(requested):
        raise DTypeError(f"{where}: expected a floating `dtype`, got {requested}. Pass dtype='float32'.")
    if own is not None and requested is not None and own != requested:
        raise DTypeError(
            f"{where}: expected the dtype of the cell, {own}, got dtype={shown(requested)}. Make the cell with "
            f"dtype={requested!r}, or without a dtype."
        )
    return own or requested or (dtype_name(x.dtype) if is_floating(x.dtype) else "float32")


def checked_state(where: str, cell: Any, given: Any, batch: int, dtype: str, argument: str = "initial_state") -> Any:
    """Return the initial state in the cell's structure and dtype; by default the cell's own.

    Raises:
        StateError: the given state has another structure.
        ShapeError: its arrays have other shapes.
    """
    if given is None:
        return adapter_of(cell).initial_state(batch, dtype)
    if hasattr(cell, "flatten_state"):
        try:
            cell.flatten_state(given)
        except StateError as error:  # another structure
            raise StateError(f"{where}: `{argument}`: {error}") from None
    check_state_order(where, cell, given, f"`{argument}`")
    size, shapes, dtypes = _expected_state(cell, batch, dtype)
    flat = tree.leaves_like(size, given)
    got = [tuple(s.shape) if axes_given(s) else () for s in flat]
    if len(got) != len(shapes):
        raise StateError(
            f"{where}: expected `{argument}` in the structure of `cell`, {cell.state_size!r}, got {described(given)}."
        )
    if got != shapes:
        hint = f"cell.zero_state({batch}, dtype) has them{', unless `time_major` is wrong' * ('dynamic' in where)}."
        raise ShapeError(f"{where}: expected `{argument}` of shapes {shapes}, got {got}. {hint}")
    return tree.unflatten(size, [s if d is None else as_tensor(s, d) for s, d in zip(flat, dtypes, strict=True)])


def _expected_state(cell: Any, batch: int, dtype: str) -> tuple[Any, list[tuple[int, ...]], list[str | None]]:
    """Return the structure of a cell's state, and the shape and dtype of each leaf; (), None for a TensorArray."""
    size = cell.state_size
    if all(hasattr(n, "__index__") for n in tree.leaves(size)):
        shapes: list[tuple[int, ...]] = [(batch, n) for n in tree.leaves(size)]
        return size, shapes, [dtype] * len(shapes)
    like = adapter_of(cell).initial_state(batch, dtype)  # a cell may have states without rows
    parts = [s if isinstance(s, Tensor) else None for s in tree.leaves(like)]
    return (
        like,
        [() if s is None else s.shape for s in parts],
        [None if s is None else dtype_name(s.dtype) for s in parts],
    )
