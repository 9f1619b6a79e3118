"""`raw_rnn`: the arguments of the loop function, and the use of its return values."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import ONE_NODE_A_STEP, ONE_TENSOR_STATE
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.compat.v1.nn.raw_rnn import LoopError
from minigrad.engine.errors import BackendError, DTypeError, ShapeError
from minigrad.keras import layers as L
from minigrad.layers.states import StateError
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
    assert cell.path == f"{ONE_NODE_A_STEP}raw_rnn calls your loop_fn between the steps"


def test_gradients() -> None:
    cell = rc.GRUCell(2, dtype="float64")
    v1.nn.raw_rnn(cell, reading(cell))

    def outputs(x: Any) -> list[Any]:
        emitted, state, _ = v1.nn.raw_rnn(cell, reading(cell, x))
        return [emitted.stack(), state]

    check_gradient(outputs, X, weights=v1.global_variables())


def test_it_emits_what_the_function_says() -> None:
    """Emitted values in the structure of the first answer: a sum for each row, and the output's first number."""
    cell = rc.GRUCell(2, dtype="float64")
    like = (mg.zeros((), "float64"), mg.zeros((1,), "float64"))
    (sums, firsts), _, _ = v1.nn.raw_rnn(cell, reading(cell, emit=lambda y: (y.sum(axis=1), y[:, :1]), like=like))
    outputs, _ = v1.nn.dynamic_rnn(cell, X, LENGTHS, dtype="float64", time_major=True)
    np.testing.assert_allclose(sums.stack().numpy(), outputs.numpy().sum(2), rtol=1e-13)
    np.testing.assert_allclose(firsts.stack().numpy(), outputs.numpy()[..., :1], rtol=1e-13)


def test_it_reads_what_it_wrote_until_it_says_that_it_is_done() -> None:
    """A decoder, whose output is the next input. The loop state goes from call to call, and None keeps it."""
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
            "raw_rnn: expected `finished` of shape (batch,) = (2,), got (3,). Return time >= sequence_length.",
        ),
        (
            answering(False, X[0], np.zeros((2, 3)), None, None),
            ShapeError,
            "raw_rnn: expected `next_state` of shapes [(2, 2)], got [(2, 3)]. cell.zero_state(2, dtype) has them.",
        ),
        (
            answering(False, X[0], [np.zeros((2, 2))], None, None),
            StateError,
            f"raw_rnn: `next_state`: GRUCell: {ONE_TENSOR_STATE}list of 1.",
        ),
    ],
)
def test_bad_answers(loop_fn: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        v1.nn.raw_rnn(rc.GRUCell(2, dtype="float64"), loop_fn)
    assert str(caught.value) == message


def stepping(first: Any = None, later: Any = None, finished: Any = None, emit: Any = None, like: Any = None) -> Any:
    """A loop function for one LSTM; `first` and `later` choose the state."""

    def loop_fn(time: int, output: Any, state: Any, loop_state: Any) -> Any:
        done = finished(time) if finished else time >= 3
        if output is None:
            zero = rc.LSTMStateTuple(np.zeros((2, 2)), np.ones((2, 2)))
            return done, X[0], first(zero) if first else zero, like, None
        return done, X[min(time, 3)], later(state) if later else state, emit(output) if emit else output, None

    return loop_fn


BAD_STATES: dict[str, Any] = {
    "a list the other way round": lambda s: [s[1], s[0]],
    "a tuple the other way round": lambda s: (s[1], s[0]),
    "one tensor": lambda s: s[0],
    "three": lambda s: (*s, s[0]),
    "none": lambda s: None,
}


@pytest.mark.parametrize("when", ["first", "later"])
@pytest.mark.parametrize("name", BAD_STATES)
def test_the_next_state_has_the_structure_of_the_cells(name: str, when: str) -> None:
    """(h, c) with the shapes of (c, h), distinguished by the names only."""
    with pytest.raises(TypeError, match=r"`next_state` in the structure LSTMStateTuple\(c=2, h=2\), got") as caught:
        v1.nn.raw_rnn(rc.LSTMCell(2, dtype="float64"), stepping(**{when: BAD_STATES[name]}))
    assert isinstance(caught.value, LoopError)


def test_states_of_a_stack_and_of_keras_keep_their_structure() -> None:
    stack = rc.MultiRNNCell([rc.LSTMCell(2, dtype="float64"), rc.GRUCell(3, dtype="float64")])
    with pytest.raises(LoopError, match="`next_state` in the structure"):
        v1.nn.raw_rnn(stack, lambda *_: (False, X[0], ((np.zeros((2, 2)),) * 2, np.zeros((2, 3))), None, None))
    _, (one, two), _ = v1.nn.raw_rnn(stack, reading(stack))
    assert (type(one), two.shape) == (rc.LSTMStateTuple, (2, 3))
    keras = L.LSTMCell(2, dtype="float64")
    keras.build((None, 3))
    zeros = [np.zeros((2, 2))] * 2
    _, state, _ = v1.nn.raw_rnn(keras, lambda t, y, s, _: (t >= 2, X[0], zeros if y is None else s, y, None))
    assert isinstance(state, list)


def test_a_state_of_numpys_arrays() -> None:
    """A loop function that returns no tensors."""
    cell = rc.LSTMCell(2, dtype="float64")
    plain, _, _ = v1.nn.raw_rnn(cell, stepping())
    same, state, _ = v1.nn.raw_rnn(cell, stepping(later=lambda s: rc.LSTMStateTuple(s.c.numpy(), s.h.numpy())))
    np.testing.assert_array_equal(same.stack().numpy(), plain.stack().numpy())
    assert isinstance(state.c, mg.Tensor)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_finished_of_integers(dtype: str) -> None:
    """Finished rows given as integers other than 0; the inverted bits of 1 are not 0."""
    cell = rc.LSTMCell(2, dtype="float64")
    lengths = np.array([3, 1])
    emitted, state, _ = v1.nn.raw_rnn(cell, stepping(finished=lambda t: (t >= lengths).astype(dtype)))
    expected, final, _ = v1.nn.raw_rnn(cell, stepping(finished=lambda t: t >= lengths))
    np.testing.assert_array_equal(emitted.stack().numpy(), expected.stack().numpy())
    assert not emitted.stack().numpy()[1:, 1].any()
    np.testing.assert_array_equal(state.c.numpy(), final.c.numpy())


@pytest.mark.parametrize(
    ("loop_fn", "error", "message"),
    [
        (stepping(finished=lambda t: float(t >= 3)), DTypeError, "raw_rnn: expected `finished` of bools, got float"),
        (3, LoopError, "raw_rnn: expected `loop_fn`, a function of"),
        (answering(1, 2, 3, 4, 5), ShapeError, "raw_rnn: expected loop_fn to return `next_input`, .* got 2"),
        (stepping(emit=lambda y: (y, y)), LoopError, "`emit_output` .* got a tuple of 2"),
        (stepping(emit=lambda y: [y]), LoopError, "`emit_output` .* got a list of 1"),
        (stepping(emit=lambda y: y[:, :1]), LoopError, r"`emit_output` .*\[\(2, 2\)\], got .* of shapes \[\(2, 1\)\]"),
        (stepping(emit=lambda y: None), LoopError, r"`emit_output` .* of shapes \[None\]"),
        (stepping(like=np.zeros((2, 2))), LoopError, r"`emit_output` .*\[\(2, 2, 2\)\], got .* has no batch axis"),
    ],
)
def test_answers_that_do_not_fit_the_first(loop_fn: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        v1.nn.raw_rnn(rc.LSTMCell(2, dtype="float64"), loop_fn)


def test_finished_on_another_backend(backend: ModuleType) -> None:
    if backend.name == "numpy":
        return
    with mg.using("numpy"):
        finished = mg.tensor([False, False])
    with pytest.raises(BackendError, match="raw_rnn: `finished`: one tensor lives on"):
        v1.nn.raw_rnn(rc.GRUCell(2, dtype="float64"), answering(finished, X[0], np.zeros((2, 2)), None, None))
