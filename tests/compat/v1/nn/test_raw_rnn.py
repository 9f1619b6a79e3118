"""`raw_rnn`: what the function of one's own is given, and what becomes of what it returns."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.errors import BackendError, ShapeError
from minigrad.layers.cell_protocol import StateError
from minigrad.testing import check_gradient

X = np.random.default_rng(0).standard_normal((4, 2, 3))  # (time, batch, features)
LENGTHS = np.array([4, 2])


def reading(cell: Any, x: Any = X, lengths: Any = LENGTHS, emit: Any = None, like: Any = None) -> Any:
    """A loop function that reads x to each row's length."""
    steps = mg.unstack(mg.tensor(x) if isinstance(x, np.ndarray) else x)

    def loop_fn(time: int, output: Any, state: Any, loop_state: Any) -> Any:
        if output is None:
            return time >= lengths, steps[0], cell.zero_state(2, "float64"), like, None
        x_next = steps[time] if time < len(steps) else mg.zeros_like(steps[0])
        return time >= lengths, x_next, state, emit(output) if emit else output, None

    return loop_fn


def test_it_is_dynamic_rnn_by_hand(backend: ModuleType) -> None:
    cell = rc.LSTMCell(2, use_peepholes=True, dtype="float64")
    emitted, state, loop_state = v1.nn.raw_rnn(cell, reading(cell))
    outputs, final = v1.nn.dynamic_rnn(cell, X, LENGTHS, dtype="float64", time_major=True)
    np.testing.assert_allclose(emitted.stack().numpy(), outputs.numpy(), rtol=1e-13)
    for mine, theirs in zip(state, final, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-13)
    assert loop_state is None
    assert isinstance(state, rc.LSTMStateTuple)
    v1.nn.raw_rnn(cell, reading(cell))
    assert cell.path == "tape, op by op: raw_rnn calls a function of yours between the steps"


def test_gradients() -> None:
    cell = rc.GRUCell(2, dtype="float64")
    v1.nn.raw_rnn(cell, reading(cell))

    def outputs(x: Any) -> list[Any]:
        emitted, state, _ = v1.nn.raw_rnn(cell, reading(cell, x))
        return [emitted.stack(), state]

    check_gradient(outputs, X, weights=v1.global_variables())


def test_it_emits_what_the_function_says() -> None:
    """In the structure of its first answer: here a sum for each row, and the output's first number."""
    cell = rc.GRUCell(2, dtype="float64")
    like = (mg.zeros((), "float64"), mg.zeros((1,), "float64"))
    (sums, firsts), _, _ = v1.nn.raw_rnn(cell, reading(cell, emit=lambda y: (y.sum(axis=1), y[:, :1]), like=like))
    outputs, _ = v1.nn.dynamic_rnn(cell, X, LENGTHS, dtype="float64", time_major=True)
    np.testing.assert_allclose(sums.stack().numpy(), outputs.numpy().sum(2), rtol=1e-13)
    np.testing.assert_allclose(firsts.stack().numpy(), outputs.numpy()[..., :1], rtol=1e-13)


def test_it_reads_what_it_wrote_until_it_says_that_it_is_done() -> None:
    """A decoder: the output is the next input. The loop state goes from call to call, and None keeps it."""
    cell = rc.GRUCell(3, dtype="float64")
    seen = []

    def loop_fn(time: int, output: Any, state: Any, loop_state: Any) -> Any:
        seen.append((time, loop_state))
        if output is None:
            return False, X[0], cell.zero_state(2, "float64"), None, ("begun",)
        return time >= 3, output, state, output, (*loop_state, time) if time == 2 else None

    emitted, state, loop_state = v1.nn.raw_rnn(cell, loop_fn)
    assert seen == [(0, None), (1, ("begun",)), (2, ("begun",)), (3, ("begun", 2))]
    assert loop_state == ("begun", 2)
    assert emitted.size() == 3
    x, h = mg.tensor(X[0]), cell.zero_state(2, "float64")
    for k in range(3):
        x, h = cell(x, h)
        np.testing.assert_array_equal(emitted.read(k).numpy(), x.numpy())
    np.testing.assert_array_equal(state.numpy(), h.numpy())


def test_no_step_at_all() -> None:
    cell = rc.LSTMCell(2, dtype="float64")
    emitted, state, _ = v1.nn.raw_rnn(cell, reading(cell, lengths=np.array([0, 0])))
    assert emitted.stack().shape == (0, 2, 2)
    assert not state.h.numpy().any()
    assert v1.global_variables() == []


def answering(*answer: Any) -> Any:
    return lambda *_: answer


@pytest.mark.parametrize(
    ("loop_fn", "error", "message"),
    [
        (
            answering(False, X[0], np.zeros((2, 2)), None),
            ShapeError,
            (
                "raw_rnn: expected loop_fn to return (finished, next_input, next_state, emit_output, next_loop_state), "
                "got a tuple of 4."
            ),
        ),
        (
            answering(np.zeros(3, bool), X[0], np.zeros((2, 2)), None, None),
            ShapeError,
            "raw_rnn: expected `finished` of shape (batch,) = (2,), got (3,).",
        ),
        (
            answering(False, X[0], np.zeros((2, 3)), None, None),
            ShapeError,
            "raw_rnn: expected `initial_state` of shapes [(2, 2)], got [(2, 3)].",
        ),
        (
            answering(False, X[0], [np.zeros((2, 2))], None, None),
            StateError,
            "GRUCell: expected the state, one tensor, got a list of 1.",
        ),
    ],
)
def test_bad_answers(loop_fn: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        v1.nn.raw_rnn(rc.GRUCell(2, dtype="float64"), loop_fn)
    assert str(caught.value) == message


def test_finished_on_another_backend(backend: ModuleType) -> None:
    if backend.name == "numpy":
        return
    with mg.using("numpy"):
        finished = mg.tensor([False, False])
    with pytest.raises(BackendError, match="raw_rnn: `finished`: one tensor lives on"):
        v1.nn.raw_rnn(rc.GRUCell(2, dtype="float64"), answering(finished, X[0], np.zeros((2, 2)), None, None))
