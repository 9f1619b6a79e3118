"""MultiRNNCell, ResidualWrapper and DeviceWrapper: scopes, states, backends, inside `dynamic_rnn` and out of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import strict_backend
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.errors import GradientError
from minigrad.layers import nest

BATCH, TIME, FEATURES = 2, 4, 3
X = np.random.default_rng(0).standard_normal((BATCH, TIME, FEATURES))
LENGTHS = [4, 1]


def names() -> list[str]:
    return [w.name for w in v1.global_variables()]


# --- MultiRNNCell -----------------------------------------------------------------------------------------------------


def test_a_stack_can_be_built_before_its_first_call() -> None:
    cell = rc.MultiRNNCell([rc.BasicLSTMCell(2, dtype="float64"), rc.BasicRNNCell(3, dtype="float64")])
    cell.build((None, FEATURES))
    built = names()
    assert built == [
        "multi_rnn_cell/cell_0/basic_lstm_cell/kernel:0",
        "multi_rnn_cell/cell_0/basic_lstm_cell/bias:0",
        "multi_rnn_cell/cell_1/basic_rnn_cell/kernel:0",
        "multi_rnn_cell/cell_1/basic_rnn_cell/bias:0",
    ]
    assert [w.shape for w in cell.weights] == [(5, 8), (8,), (5, 3), (3,)]
    cell(X[:, 0], cell.zero_state(BATCH, "float64"))
    v1.nn.dynamic_rnn(cell, X, dtype="float64")
    assert names() == built


def test_a_stack_built_in_a_call_has_the_same_names() -> None:
    cell = rc.MultiRNNCell([rc.BasicRNNCell(2), rc.BasicRNNCell(2)])
    with v1.variable_scope("outer"):
        cell(X[:, 0], cell.zero_state(BATCH, "float64"))
    assert names()[::2] == [f"outer/multi_rnn_cell/cell_{k}/basic_rnn_cell/kernel:0" for k in range(2)]


def test_states_in_the_structure_of_the_cells() -> None:
    cells = [rc.LSTMCell(2, num_proj=4), rc.MultiRNNCell([rc.GRUCell(3), rc.LSTMCell(5)])]
    cell = rc.MultiRNNCell(cells)
    assert cell.state_size == (rc.LSTMStateTuple(2, 4), (3, rc.LSTMStateTuple(5, 5)))
    assert cell.output_size == 5
    _, state = v1.nn.dynamic_rnn(cell, X, LENGTHS, dtype="float32")
    assert nest.over(lambda s: s.shape[1], state) == cell.state_size
    assert cell.path.startswith("explicit BPTT")


def test_a_stacks_zero_state_is_the_cells_own() -> None:
    class Eager(rc.BasicRNNCell):
        def zero_state(self, batch_size: int, dtype: Any) -> Any:
            return super().zero_state(batch_size, dtype) + 1.0

    cell = rc.MultiRNNCell([rc.BasicRNNCell(2), rc.ResidualWrapper(Eager(2))])
    zero, one = cell.zero_state(BATCH, "float64")
    assert (zero.numpy().tolist(), one.numpy().tolist()) == ([[0.0, 0.0]] * 2, [[1.0, 1.0]] * 2)
    assert cell.get_initial_state(batch_size=1, dtype="float32")[1].numpy().tolist() == [[1.0, 1.0]]
    by_default, _ = v1.nn.dynamic_rnn(cell, X, dtype="float64")
    given, _ = v1.nn.dynamic_rnn(cell, X, initial_state=(zero, one))
    np.testing.assert_array_equal(by_default.numpy(), given.numpy())


# --- ResidualWrapper --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_a_residual_is_added_at_every_step_that_counts(lengths: Any) -> None:
    cell = rc.GRUCell(FEATURES, dtype="float64")
    plain, state = v1.nn.dynamic_rnn(cell, X, lengths, dtype="float64")
    wrapped, same_state = v1.nn.dynamic_rnn(rc.ResidualWrapper(cell), X, lengths, dtype="float64")
    counts = np.ones((BATCH, TIME, 1)) if lengths is None else (np.arange(TIME) < np.array(LENGTHS)[:, None])[..., None]
    np.testing.assert_allclose(wrapped.numpy(), plain.numpy() + X * counts, rtol=1e-14)
    np.testing.assert_array_equal(same_state.numpy(), state.numpy())


def test_a_residual_fn_of_ones_own() -> None:
    cell = rc.GRUCell(2, dtype="float64")
    plain, _ = v1.nn.dynamic_rnn(cell, X, LENGTHS, dtype="float64")
    wrapped = rc.ResidualWrapper(cell, lambda x, y: y * x[:, :1])
    found, _ = v1.nn.dynamic_rnn(wrapped, X, LENGTHS, dtype="float64")
    np.testing.assert_allclose(found.numpy(), plain.numpy() * X[..., :1], rtol=1e-13, atol=1e-15)


# --- DeviceWrapper ----------------------------------------------------------------------------------------------------


def test_a_device_of_tensorflows_is_the_current_backend() -> None:
    cell = rc.GRUCell(2, dtype="float64")
    plain, _ = v1.nn.dynamic_rnn(cell, X, dtype="float64")
    wrapped, _ = v1.nn.dynamic_rnn(rc.DeviceWrapper(cell, "/gpu:0"), X, dtype="float64")
    np.testing.assert_array_equal(wrapped.numpy(), plain.numpy())


def test_a_cell_on_another_backend() -> None:
    """Weights, states and outputs live there; a sequence that is data is brought over step by step."""
    with mg.using(strict_backend):
        cell = rc.DeviceWrapper(rc.LSTMCell(2, dtype="float64"), "numpy")
        outputs, state = v1.nn.dynamic_rnn(cell, X, LENGTHS, dtype="float64")
        found = [outputs, *state, *v1.global_variables()]
        gradients = mg.grad((outputs * outputs).sum(), v1.global_variables())
    assert {t.backend.name for t in [*found, *gradients]} == {"numpy"}
    plain, final = v1.nn.dynamic_rnn(cell.cell, X, LENGTHS, dtype="float64")
    for mine, theirs in zip(found, [plain, *final], strict=False):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-13, atol=1e-15)
    for mine, theirs in zip(gradients, mg.grad((plain * plain).sum(), v1.global_variables()), strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-12, atol=1e-15)


def test_no_gradient_passes_from_one_backend_to_another() -> None:
    with mg.using(strict_backend):
        x = mg.tensor(X, requires_grad=True)
        with pytest.raises(GradientError, match="no gradient passes from 'strict' to 'numpy'"):
            v1.nn.dynamic_rnn(rc.DeviceWrapper(rc.LSTMCell(2, dtype="float64"), "numpy"), x, dtype="float64")


@pytest.mark.parametrize(
    "make",
    [
        rc.ResidualWrapper,
        lambda cell: rc.DeviceWrapper(cell, "/cpu:0"),
        lambda cell: rc.DropoutWrapper(cell, 0.5),
    ],
)
def test_a_wrapper_adds_no_scope_and_hands_on_sizes(make: Any) -> None:
    cell = make(rc.LSTMCell(FEATURES))
    assert (cell.state_size, cell.output_size) == (rc.LSTMStateTuple(FEATURES, FEATURES), FEATURES)
    v1.nn.dynamic_rnn(cell, X, dtype="float64")
    assert names() == ["rnn/lstm_cell/kernel:0", "rnn/lstm_cell/bias:0"]
    again = type(cell).from_config(cell.get_config())
    assert again.get_config() == cell.get_config()
