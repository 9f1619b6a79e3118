"""`raw_rnn`: a loop over time with a custom function for the inputs, the states and the outputs of each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.v1.nn.rnn import checked_cell, checked_state
from minigrad.compat.v1.nn.rnn_cell.base import RNNCell, StateError
from minigrad.compat.v1.nn.tensor_array import TensorArray
from minigrad.compat.v1.variables import scope_or, variable_scope
from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.creation import as_tensor, as_tensor_like
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import DTypeError, ShapeError, shown
from minigrad.engine.foreign import naming
from minigrad.engine.tensor import Tensor
from minigrad.layers.cell_adapter import adapter_of
from minigrad.layers.execution import select_rows
from minigrad.layers.states import described
from minigrad.layers.tensor_shape import axes_of


@recordable
def raw_rnn(
    cell: Any,
    loop_fn: Callable[[int, Any, Any, Any], tuple[Any, Any, Any, Any, Any]],
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    scope: Any = None,
) -> tuple[Any, Any, Any]:
    """Run a cell on the tape until every row has finished.

        finished, x_0, state_0, emit, loop_state = loop_fn(0, None, None, None)
        while not all finished:
            output, state = cell(x_t, state_t)
            now_finished, x_t+1, state_t+1, emit_t, loop_state = loop_fn(t + 1, output, state, loop_state)

    A row that has finished emits zeros and keeps its state.

    Args:
        cell: the cell.
        loop_fn: a function of the time (an int), the cell's output, its state and the loop state. It returns the
            finished rows, (batch,) of bools; the next inputs, (batch, features); the next state; the value to emit, of
            the shape in its first answer, where None means the cell's output; and the next loop state, any value,
            where None keeps the old one.
        parallel_iterations: without effect.
        swap_memory: without effect.
        scope: the variable scope of the weights, ``"rnn"`` by default.

    Returns:
        The emitted values, a TensorArray (or a nest of them) with one entry for each step; the final state; the final
        loop state.

    Raises:
        ShapeError: `loop_fn` does not return five values, or `finished` or the inputs have another shape.
        DTypeError: `finished` is neither of bools nor of integers.
        LoopError: (a TypeError) the next state or the emitted value has another structure.
    """
    checked_cell("raw_rnn", cell)
    adapter = adapter_of(cell)
    if not callable(loop_fn):
        raise LoopError(
            f"raw_rnn: expected `loop_fn`, a function of (time, output, state, loop_state), got {shown(loop_fn)}."
        )
    with variable_scope(scope_or(scope, "rnn")):
        finished, x, state, like, loop_state = _call_loop_fn(loop_fn, 0, None, None, None)
        x = _inputs(x)
        first = tree.first(x)
        done, dtype = _rows(finished, first), adapter.dtype or dtype_name(first.dtype)
        state = _state(cell, state, len(first), dtype)
        if like is None:
            like = tree.map(lambda n: F.zeros(axes_of(n), dtype), adapter.output_size)
        arrays = tree.map(lambda part: _array(as_tensor(part), len(first)), like)
        call, time = adapter.caller(state, None), 0
        while not bool(F.all(done)):
            output, flat = call(_inputs(x), tree.leaves(state))
            time += 1
            now = tree.unflatten(state, flat)
            finished, x, new, emit, next_loop_state = _call_loop_fn(loop_fn, time, output, now, loop_state)
            mask = F.expand_dims(~done, -1)
            _write(arrays, time - 1, emit, mask)
            new = _state(cell, new, len(first), dtype)
            state = tree.map(lambda s, old: select_rows(mask, s, old), new, state)  # noqa: B023  (called at once)
            loop_state = loop_state if next_loop_state is None else next_loop_state
            done = done | _rows(finished, first)
    if isinstance(cell, RNNCell):
        reason = "raw_rnn calls your loop_fn between the steps"
        cell.path = adapter.path_by_steps(first if time else None, reason)
    return arrays, state, loop_state


class LoopError(StateError, TypeError):
    """Raised if `loop_fn` is not a function, or returns a structure other than the cell's."""


def _call_loop_fn(loop_fn: Callable[..., Any], *about: Any) -> tuple[Any, Any, Any, Any, Any]:
    with naming("raw_rnn: `loop_fn`"):
        answer = loop_fn(*about)
    if not isinstance(answer, (tuple, list)) or len(answer) != 5:
        raise ShapeError(
            "raw_rnn: expected loop_fn to return (finished, next_input, next_state, emit_output, next_loop_state), got "
            f"{described(answer)}."
        )
    finished, x, state, emit, loop_state = answer
    return finished, x, state, emit, loop_state


def _state(cell: Any, state: Any, batch: int, dtype: str) -> Any:
    """Return the next state, checked for the cell's structure and its named tuples, because (h, c) would fit too."""
    if state is None or not tree.named_alike(cell.state_size, state, exact=True):
        raise LoopError(
            f"raw_rnn: expected loop_fn to return `next_state` in the structure {cell.state_size}, got "
            f"{'None' if state is None else described(state)}. "
            "Return its `state` argument, or cell.zero_state(batch_size, dtype) at first."
        )
    return checked_state("raw_rnn", cell, state, batch, dtype, "next_state")


def _write(arrays: Any, time: int, emit: Any, mask: Tensor) -> None:
    """Write the emitted values, zeros for finished rows."""
    flat, found = tree.leaves(arrays), tree.leaves(emit)
    expected = [array.element_shape for array in flat]
    got = [None if y is None else as_tensor(y).shape for y in found]
    if _outline(emit) != _outline(arrays) or got != expected:
        raise LoopError(
            f"raw_rnn: expected loop_fn to return `emit_output` in the structure of its first answer, of shapes "
            f"{expected}, got {described(emit)}, of shapes {got}. Its first answer has no batch axis."
        )
    for array, y in zip(flat, found, strict=True):
        array.write(time, select_rows(mask, as_tensor(y), 0.0))


def _outline(structure: Any) -> Any:
    return tree.map(lambda _: None, structure)


def _inputs(x: Any) -> Any:
    """Return the next inputs as tensors."""
    for part in tree.leaves(x):
        if part is None or not as_tensor(part).ndim:
            raise ShapeError(f"raw_rnn: expected loop_fn to return `next_input`, (batch, features), got {shown(part)}.")
    return tree.map(as_tensor, x)


def _rows(finished: Any, x: Tensor) -> Tensor:
    """Return the finished rows, (batch,) of bools; of integers, those that are not 0."""
    done = as_tensor_like(x, finished, "raw_rnn: `finished`")
    if done.shape not in ((), x.shape[:1]):
        raise ShapeError(
            f"raw_rnn: expected `finished` of shape (batch,) = {x.shape[:1]}, got {done.shape}. Return "
            "time >= sequence_length."
        )
    if is_floating(done.dtype):
        raise DTypeError(
            f"raw_rnn: expected `finished` of bools, got {dtype_name(done.dtype)}. Return time >= sequence_length."
        )
    return F.broadcast_to(done if dtype_name(done.dtype) == "bool" else done != 0, x.shape[:1])


def _array(like: Tensor, batch: int) -> TensorArray:
    return TensorArray(like.dtype, dynamic_size=True, element_shape=(batch, *like.shape))
