"""The same numbers from stacked cells as from stacked layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import tree
from minigrad.keras import layers as L

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 5, 4))
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)


def cells() -> list[Any]:
    return [
        L.LSTMCell(3, dtype="float64"),
        L.GRUCell(2, dtype="float64"),
        L.SimpleRNNCell(4, "gelu", dtype="float64"),
    ]


def results(call: Any, wanted: list[mg.Tensor]) -> list[np.ndarray]:
    flat = tree.leaves(call())
    cotangents = [np.random.default_rng(1).standard_normal(y.shape) for y in flat]
    return [y.numpy() for y in flat] + [g.numpy() for g in mg.grad(flat, wanted, cotangents) if g is not None]


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_a_stack_of_cells_is_a_stack_of_layers(masked: bool, unroll: bool) -> None:
    """A masked step of the stack, which masks it in every layer: all of them keep their states."""
    mask = MASK if masked else None
    stack = L.RNN(cells(), return_sequences=True, unroll=unroll, dtype="float64")
    x = mg.tensor(X, requires_grad=True)
    stack(x)
    layers = [L.RNN(cell, return_sequences=True, dtype="float64") for cell in stack.cell.cells]

    def one_by_one() -> Any:
        y: Any = x
        for layer in layers:
            y = layer(y, mask=mask)
        return y

    weights = [x, *stack.weights]
    assert len(weights) == 10
    pairs = zip(results(lambda: stack(x, mask=mask), weights), results(one_by_one, weights), strict=True)
    for mine, expected in pairs:
        np.testing.assert_allclose(mine, expected, rtol=1e-11, atol=1e-13)
    assert ("one node a step: unroll=True" in stack.path) is unroll


def test_states_are_one_entry_a_cell() -> None:
    layer = L.RNN(cells(), return_state=True, dtype="float64")
    assert layer.cell.state_size == ([3, 3], 2, 4)
    assert layer.cell.output_size == 4
    y, (h, c), g, s = layer(X)
    assert [t.shape for t in (y, h, c, g, s)] == [(3, 4), (3, 3), (3, 3), (3, 2), (3, 4)]
    given = [RNG.standard_normal(t.shape) for t in (h, c, g, s)]
    flat = layer(X, initial_state=given)
    nested = layer(X, initial_state=[given[:2], given[2], given[3]])
    for one, other in zip(tree.leaves(flat), tree.leaves(nested), strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize("unroll", [False, True])
def test_a_stack_in_a_stack(unroll: bool) -> None:
    low, middle, top = cells()
    deep = L.RNN([L.StackedRNNCells([low, middle]), top], return_state=True, unroll=unroll, dtype="float64")
    flat = L.RNN([low, middle, top], return_state=True, dtype="float64")
    states = [RNG.standard_normal((3, n)) for n in (3, 3, 2, 4)]
    for one, other in zip(*(tree.leaves(m(X, mask=MASK, initial_state=states)) for m in (deep, flat)), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12)
    assert ("one node a step: unroll=True" in deep.path) is unroll


def test_zero_output_is_that_of_the_topmost() -> None:
    layer = L.RNN(cells(), return_sequences=True, zero_output_for_mask=True, dtype="float64")
    plain = L.RNN(layer.cell, return_sequences=True, dtype="float64")
    expected = np.where(MASK[..., None], plain(X, mask=MASK).numpy(), 0.0)
    np.testing.assert_array_equal(layer(X, mask=MASK).numpy(), expected)


def test_dropout_masks_are_drawn_for_each_cell() -> None:
    stack = L.RNN([L.LSTMCell(3, dropout=0.5), L.LSTMCell(2, dropout=0.5)])
    layer = L.RNN([L.LSTMCell(3, dropout=0.5), L.LSTMCell(2, dropout=0.5)], unroll=True)
    x = X.astype("float32")
    stack(x), layer(x)
    layer.set_weights(stack.get_weights())
    mg.random.seed(3)
    y = stack(x, training=True)
    mg.random.seed(3)
    np.testing.assert_allclose(layer(x, training=True).numpy(), y.numpy(), rtol=1e-5)
    drawn = [cell._dropout_masks for cell in stack.cell.cells]
    assert [m[0].shape for m in drawn] == [(3, 4), (3, 3)]
    stack(x, training=True)
    assert stack.cell.cells[0]._dropout_masks is not drawn[0]


def test_cells_of_two_dtypes_run_on_the_tape() -> None:
    layer = L.RNN([L.LSTMCell(3, dtype="float64"), L.LSTMCell(2, dtype="float32")])
    assert layer(X).dtype == "float32"
    assert layer.path == "tape, op by op: the cells are of different dtypes"


def test_stateful() -> None:
    layer = L.RNN(cells(), stateful=True, return_sequences=True, dtype="float64")
    whole = layer(X).numpy()
    layer.reset_states()
    parts = [layer(X[:, :2]).numpy(), layer(X[:, 2:]).numpy()]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, rtol=1e-12)


def test_round_trip() -> None:
    layer = L.RNN(cells(), dtype="float64")
    again = L.RNN.from_config(layer.get_config())
    again.build(X.shape)
    layer.build(X.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(X).numpy(), layer(X).numpy())
