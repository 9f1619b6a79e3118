"""`raw_rnn`: a loop over time in which a function of one's own says what goes in and what comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import functional as F
from minigrad.backend.dtypes import dtype_name
from minigrad.compat.v1.nn.rnn import checked_cell, checked_state
from minigrad.compat.v1.nn.rnn_cell.base import RNNCell
from minigrad.compat.v1.nn.tensor_array import TensorArray
from minigrad.compat.v1.variables import variable_scope
from minigrad.creation import as_tensor, beside
from minigrad.errors import ShapeError
from minigrad.layers import cell_protocol, nest
from minigrad.layers.loop import chosen
from minigrad.tensor import Tensor


def raw_rnn(
    cell: Any,
    loop_fn: Callable[[int, Any, Any, Any], tuple[Any, Any, Any, Any, Any]],
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    scope: Any = None,
) -> tuple[Any, Any, Any]:
    """Runs a cell until every row has finished, on the tape.

        finished, x_0, state_0, emit, loop_state = loop_fn(0, None, None, None)
        while not all finished:
            output, state = cell(x_t, state_t)
            now_finished, x_t+1, state_t+1, emit_t, loop_state = loop_fn(t + 1, output, state, loop_state)

    A row that has finished emits zeros and keeps its state.

    Args:
        cell: the cell.
        loop_fn: is given the time (an int), the cell's output and state and the loop state. It returns which rows have
            finished, (batch,) of bools; the next inputs, (batch, features), and the next state; what to emit, in the
            shape of its first answer, None there meaning the cell's output; and the next loop state, anything, where
            None keeps the old one.
        parallel_iterations: without effect.
        swap_memory: without effect.
        scope: the variable scope of the weights, ``"rnn"`` by default.

    Returns:
        What was emitted, a TensorArray (or a nest of them) with one entry for each step; the final state; the final
        loop state.

    Raises:
        ShapeError: `loop_fn` returns not five things, or `finished` has another shape.
    """
    checked_cell("raw_rnn", cell)
    with variable_scope(scope or "rnn"):
        finished, x, state, like, loop_state = _asked(loop_fn, 0, None, None, None)
        x = nest.over(as_tensor, x)
        first = nest.first(x)
        done, dtype = _rows(finished, first), cell_protocol.dtype_of(cell) or dtype_name(first.dtype)
        state = checked_state("raw_rnn", cell, state, len(first), dtype)
        if like is None:
            like = nest.over(lambda n: F.zeros((n,), dtype), cell_protocol.output_size(cell))
        arrays = nest.over(lambda part: _array(as_tensor(part), len(first)), like)
        call, time = cell_protocol.caller(cell, None), 0
        while not bool(F.all(done)):
            output, flat = call(x, state)
            time += 1
            finished, x, new, emit, next_loop_state = _asked(loop_fn, time, output, nest.like(state, flat), loop_state)
            going = F.expand_dims(~done, -1)
            nest.over(lambda array, y: array.write(time - 1, chosen(going, as_tensor(y), 0.0)), arrays, emit)  # noqa: B023
            state = nest.over(lambda s, old: chosen(going, s, old), new, state)  # noqa: B023
            loop_state = loop_state if next_loop_state is None else next_loop_state
            done = done | _rows(finished, first)
    if isinstance(cell, RNNCell):
        cell.path = "tape, op by op: raw_rnn calls a function of yours between the steps"
    return arrays, state, loop_state


def _asked(loop_fn: Callable[..., Any], *about: Any) -> tuple[Any, Any, Any, Any, Any]:
    answer = loop_fn(*about)
    if not isinstance(answer, (tuple, list)) or len(answer) != 5:
        raise ShapeError(
            "raw_rnn: expected loop_fn to return (finished, next_input, next_state, emit_output, next_loop_state), got "
            f"{cell_protocol.described(answer)}."
        )
    finished, x, state, emit, loop_state = answer
    return finished, x, state, emit, loop_state


def _rows(finished: Any, x: Tensor) -> Tensor:
    """Which rows have finished, (batch,) of bools."""
    done = beside(x, finished, "raw_rnn: `finished`")
    if done.shape not in ((), x.shape[:1]):
        raise ShapeError(f"raw_rnn: expected `finished` of shape (batch,) = {x.shape[:1]}, got {done.shape}.")
    return F.broadcast_to(done, x.shape[:1])


def _array(like: Tensor, batch: int) -> TensorArray:
    return TensorArray(like.dtype, dynamic_size=True, element_shape=(batch, *like.shape))
