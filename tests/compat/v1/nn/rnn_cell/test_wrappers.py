"""MultiRNNCell, ResidualWrapper and DeviceWrapper: scopes, states, backends, inside and outside `dynamic_rnn`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.engine import tree
from minigrad.engine.errors import GradientError, OptionError
from needed import needed

strict_backend = needed("strict_backend")

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
    assert tree.map(lambda s: s.shape[1], state) == cell.state_size
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
    """The backend of weights, states and outputs; a sequence of data is copied there step by step."""
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


# --- configurations ---------------------------------------------------------------------------------------------------


def doubled(x: Any, y: Any) -> Any:
    return 2.0 * y


def nothing_dropped(state: Any) -> bool:
    return False


def through_json(cell: Any) -> Any:
    return type(cell).from_config(json.loads(json.dumps(cell.get_config())))


def test_a_function_is_written_by_its_name_and_found_again() -> None:
    """In TensorFlow's keys."""
    config = rc.ResidualWrapper(rc.GRUCell(2), doubled).get_config()
    found = [config[key] for key in ("residual_fn", "residual_fn_type", "residual_fn_module")]
    assert found == ["doubled", "function", __name__]
    assert through_json(rc.ResidualWrapper(rc.GRUCell(2), doubled)).residual_fn is doubled
    dropout = rc.DropoutWrapper(rc.GRUCell(2), 0.5, dropout_state_filter_visitor=nothing_dropped)
    assert {"dropout_fn", "dropout_fn_type", "dropout_fn_module"} <= dropout.get_config().keys()
    assert "dropout_state_filter_visitor" not in dropout.get_config()
    assert through_json(dropout).dropout_state_filter_visitor is nothing_dropped
    assert not any("_fn" in key for key in rc.ResidualWrapper(rc.GRUCell(2)).get_config())


def test_a_function_without_a_name_is_not_written() -> None:
    with pytest.raises(OptionError, match=r"ResidualWrapper.get_config: `residual_fn` is .*lambda.* cannot be found"):
        rc.ResidualWrapper(rc.GRUCell(2), lambda x, y: y).get_config()


def test_code_is_not_run() -> None:
    """A function's code, as TensorFlow writes it; the user passes the function in its place."""
    config = rc.ResidualWrapper(rc.GRUCell(2)).get_config()
    theirs = {"residual_fn": ["4wIAAAA=", None, None], "residual_fn_type": "lambda", "residual_fn_module": __name__}
    with pytest.raises(OptionError, match="`residual_fn` is the code of a function, which is not run"):
        rc.ResidualWrapper.from_config({**config, **theirs})
    assert rc.ResidualWrapper.from_config({**config, **theirs, "residual_fn": doubled}).residual_fn is doubled
    gone = {**theirs, "residual_fn": "halved", "residual_fn_type": "function"}
    with pytest.raises(OptionError, match=f"there is no {__name__}.halved. Import the module first"):
        rc.ResidualWrapper.from_config({**config, **gone})


def test_cells_in_cells_are_written_in_one_way() -> None:
    """The form of TensorFlow 1; a cell of Keras has its module too, because its name is the same."""
    cells = [rc.ResidualWrapper(rc.LSTMCell(3)), mg.keras.layers.LSTMCell(3), rc.GRUCell(3)]
    stack = rc.MultiRNNCell(cells)
    one, two, three = stack.get_config()["cells"]
    assert [list(part) for part in (one, two, three)] == [
        ["class_name", "config"],
        ["module", "class_name", "config"],
        ["class_name", "config"],
    ]
    assert list(one["config"]["cell"]) == ["class_name", "config"]
    again = through_json(stack)
    assert [type(cell) for cell in again.cells] == [type(cell) for cell in cells]
    assert type(through_json(rc.DeviceWrapper(cells[1], "/cpu:0")).cell) is mg.keras.layers.LSTMCell


def test_a_wrapper_with_a_call_of_its_own_runs_it() -> None:
    class Loud(rc.ResidualWrapper):
        def call(self, inputs: Any, state: Any, scope: Any = None) -> Any:
            output, new = super().call(inputs, state, scope)
            return output + 1.0, new

    cell = rc.GRUCell(FEATURES, dtype="float64")
    plain, _ = v1.nn.dynamic_rnn(rc.ResidualWrapper(cell), X, dtype="float64")
    loud = Loud(cell)
    np.testing.assert_allclose(v1.nn.dynamic_rnn(loud, X, dtype="float64")[0].numpy(), plain.numpy() + 1.0)
    assert loud.path == "tape, op by op: Loud overrides call"
