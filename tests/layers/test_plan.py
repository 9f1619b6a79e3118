"""The plan that a cell keeps of a step: a kept one gives the numbers of a new cell after any change."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import strict_backend
from minigrad.engine.errors import ShapeError
from minigrad.keras import layers as L
from minigrad.layers.states import StateError
from minigrad.recurrent import StepOp

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 3)).astype("float32")
KINDS = ["LSTMCell", "GRUCell", "SimpleRNNCell", "MGUCell"]


def states_of(cell: Any, structure: Any = None, batch: int = 2) -> Any:
    """Random states, in the structure that `get_initial_state` has or in another."""
    zeros = cell.get_initial_state(batch_size=batch, dtype=cell.dtype)
    flat = [zeros] if isinstance(zeros, mg.Tensor) else list(zeros)
    drawn = [mg.tensor(RNG.standard_normal(s.shape), s.dtype, requires_grad=True) for s in flat]
    if structure is None:
        return drawn[0] if isinstance(zeros, mg.Tensor) else drawn
    return structure(drawn)


def cell_of(kind: str, **options: Any) -> Any:
    """A cell that has been called, so that it keeps a plan."""
    cell = getattr(L, kind)(4, **options)
    cell(mg.tensor(X), states_of(cell))
    assert cell._plan is not None
    return cell


def fresh(cell: Any) -> Any:
    """A cell with the same options and weights that has not been called yet."""
    other = type(cell).from_config(cell.get_config())
    other.build(X.shape)
    other.set_weights(cell.get_weights())
    return other


def outcome(cell: Any, states: Any, **arguments: Any) -> list[np.ndarray]:
    """Output, new states and all gradients of two steps."""
    x, leaves = mg.tensor(X, requires_grad=True), [states] if isinstance(states, mg.Tensor) else list(states)
    weights = cell.trainable_weights
    output, new = cell(x, states, **arguments)
    assert type(new) is type(states)
    output, new = cell(x * output[:, :3], new, **arguments)
    final = [new] if isinstance(new, mg.Tensor) else list(new)
    loss = sum((y * y * y).sum() for y in [output, *final])
    found = [output, *final, *mg.grad(loss, [x, *leaves, *weights])]
    return [a.numpy() for a in found if a is not None]


def same(cell: Any, other: Any, structure: Any = None, **arguments: Any) -> None:
    states = states_of(cell, structure)
    for mine, theirs in zip(outcome(cell, states, **arguments), outcome(other, states, **arguments), strict=True):
        np.testing.assert_array_equal(mine, theirs)


CHANGES: dict[str, Callable[[Any], None]] = {
    "nothing": lambda cell: None,
    "activation": lambda cell: setattr(cell, "activation", "softsign"),
    "an activation without a rule": lambda cell: setattr(cell, "activation", DOUBLED),
    "a weight's numbers": lambda cell: cell.kernel.assign(cell.kernel * 2.0),
    "weights": lambda cell: cell.set_weights([w + 1.0 for w in cell.get_weights()]),
    "an update": lambda cell: mg.keras.optimizers.SGD(0.1).apply_gradients([(cell.kernel * 1.0, cell.kernel)]),
}


def DOUBLED(x: Any) -> Any:  # noqa: N802  (a constant)
    return x * 2.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_after_a_call_counts(kind: str, change: str) -> None:
    cell = cell_of(kind)
    CHANGES[change](cell)
    other = fresh(cell_of(kind)) if change.startswith("an activation") else fresh(cell)
    if change.startswith("an activation"):
        other.set_weights(cell.get_weights())
        other.activation = DOUBLED
    for arguments in ({}, {"training": True}):
        same(cell, other, **arguments)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("structure", [list, tuple])
def test_states_come_back_in_the_structure_in_which_they_were_given(kind: str, structure: Any) -> None:
    cell = cell_of(kind)
    for _ in range(2):
        same(cell, fresh(cell), structure)


def test_a_replaced_and_an_absent_weight() -> None:
    cell = cell_of("LSTMCell", bias_initializer="ones")
    cell.kernel = mg.tensor(np.zeros((3, 16), "float32"))
    other = fresh(cell_of("LSTMCell", bias_initializer="ones"))
    other.kernel.assign(np.zeros((3, 16), "float32"))
    other.recurrent_kernel.assign(cell.recurrent_kernel)
    states = states_of(cell)
    np.testing.assert_array_equal(cell(X, states)[0].numpy(), other(X, states)[0].numpy())
    cell.bias = None
    other.bias.assign(np.zeros(16, "float32"))
    np.testing.assert_allclose(cell(X, states)[0].numpy(), other(X, states)[0].numpy(), rtol=1e-6)


def test_other_states_are_checked() -> None:
    cell = cell_of("LSTMCell")
    good = states_of(cell)
    wide = mg.tensor(np.zeros((2, 5), "float32"))
    for wrong in (good[:1], [good[0], wide], [*good, good[0]], states_of(cell, batch=3)):
        with pytest.raises(ShapeError):
            cell(mg.tensor(X), wrong)
    with pytest.raises(StateError, match="first generation"):
        cell(mg.tensor(X), mg.compat.v1.nn.rnn_cell.LSTMStateTuple(*good))
    doubles = [s.astype("float64") for s in good]
    assert cell(mg.tensor(X), doubles)[1][1].dtype == "float32"
    arrays = cell(mg.tensor(X), [s.numpy() for s in good])
    np.testing.assert_array_equal(arrays[0].numpy(), cell(mg.tensor(X), good)[0].numpy())


def test_dropout_draws_in_training_alone() -> None:
    cell = cell_of("LSTMCell", dropout=0.5)
    states = states_of(cell)
    calm = cell(X, states, training=False)[0].numpy()
    assert (cell(X, states, training=True)[0].numpy() != calm).any()
    np.testing.assert_array_equal(cell(X, states)[0].numpy(), calm)
    cell.dropout = 0.0
    np.testing.assert_array_equal(cell(X, states, training=True)[0].numpy(), calm)
    cell.recurrent_dropout = 0.5
    cell.reset_recurrent_dropout_mask()
    assert (cell(X, states, training=True)[0].numpy() != calm).any()


def test_the_tape_runs_op_by_op_inside_its_block_alone() -> None:
    cell = cell_of("LSTMCell")
    states = states_of(cell)
    planned = cell(mg.tensor(X), states)[0]
    with mg.testing.on_tape(cell):
        assert cell(mg.tensor(X), states)[0].node.op is not StepOp
    again = cell(mg.tensor(X), states)[0]
    assert planned.node.op is again.node.op is StepOp
    np.testing.assert_array_equal(planned.numpy(), again.numpy())


def test_another_backend_and_another_dtype() -> None:
    cell = cell_of("LSTMCell")
    expected = cell(mg.tensor(X), cell.get_initial_state(batch_size=2, dtype="float32"))[0].numpy()
    with mg.using(strict_backend):
        other = fresh(cell)
        y = other(mg.tensor(X), other.get_initial_state(batch_size=2, dtype="float32"))[0]
        assert y.backend is strict_backend
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5)
    np.testing.assert_array_equal(
        cell(X.astype("float64"), cell.get_initial_state(batch_size=2, dtype="float32"))[0].numpy(), expected
    )


def test_a_copy_has_a_plan_of_its_own() -> None:
    cell = cell_of("GRUCell")
    other = deepcopy(cell)
    assert other._plan is None
    same(cell, other)


def test_a_plan_holds_no_graph() -> None:
    cell = cell_of("LSTMCell")
    assert not any(isinstance(part, mg.Tensor) for part in cell._plan.states)
    assert all(weight is None or weight.node is None for weight in cell._plan.weights)
