"""The base class of cells in the first generation, and custom cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import BATCH_SIZE, NO_BATCH_SIZE, STATE_STRUCTURE
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.engine.errors import ShapeError
from minigrad.layers.states import StateError
from option_errors import TWICE


class Mean(rc.RNNCell):
    """A running mean, with the sum and the count as a nested state."""

    @property
    def state_size(self) -> Any:
        return (3, {"count": 1})

    @property
    def output_size(self) -> int:
        return 3

    def call(self, inputs: Any, state: Any) -> Any:
        total, count = state[0] + inputs, state[1]["count"] + 1.0
        return total / count, (total, {"count": count})


def test_a_cell_of_ones_own() -> None:
    x = np.random.default_rng(0).standard_normal((2, 4, 3))
    cell = Mean()
    outputs, (total, rest) = v1.nn.dynamic_rnn(cell, x, [4, 2], dtype="float64")
    np.testing.assert_allclose(outputs.numpy()[0], np.cumsum(x[0], 0) / np.arange(1, 5)[:, None], rtol=1e-13)
    np.testing.assert_allclose(total.numpy()[1], x[1, :2].sum(0), rtol=1e-13)
    np.testing.assert_array_equal(rest["count"].numpy(), [[4.0], [2.0]])
    assert cell.path == "tape, op by op: Mean offers no step_backward"


def test_a_state_in_a_dictionary_goes_by_its_keys() -> None:
    class Two(rc.RNNCell):
        state_size = {"a": 3, "b": 3}  # type: ignore[assignment]  # noqa: RUF012
        output_size = 3  # type: ignore[assignment]

        def call(self, inputs: Any, state: Any) -> Any:
            return inputs, {"b": 2.0 * state["b"], "a": state["a"] + inputs}  # in any order

    one, other = np.ones((2, 3)), np.full((2, 3), 5.0)
    x = np.ones((2, 2, 3))
    _, state = v1.nn.dynamic_rnn(Two(), x, initial_state={"b": other, "a": one})
    assert (state["a"].numpy() == 3.0).all()
    assert (state["b"].numpy() == 20.0).all()
    for wrong in ({"a": one}, {"a": one, "c": other}, (one, other, one), one):
        with pytest.raises(StateError, match=rf"dynamic_rnn: {STATE_STRUCTURE} of `cell`, \{{'a': 3, 'b': 3\}}, got a"):
            v1.nn.dynamic_rnn(Two(), x, initial_state=wrong)


def test_zeros_in_the_structure_of_the_sizes() -> None:
    total, rest = Mean().zero_state(2, "float64")
    assert (total.shape, rest["count"].shape, total.dtype.name) == ((2, 3), (2, 1), "float64")
    total, _ = Mean().get_initial_state(mg.tensor(np.zeros((5, 3))))
    assert (total.shape, total.dtype.name) == ((5, 3), "float64")
    assert Mean().get_initial_state(batch_size=4, dtype="float32")[0].shape == (4, 3)
    with pytest.raises(ShapeError, match=NO_BATCH_SIZE):
        Mean().get_initial_state(dtype="float32")


@pytest.mark.parametrize("batch", [2, 2.0, np.int64(2), np.array([2]), mg.tensor(2), mg.tensor([2]), mg.tensor(2.0)])
def test_a_batch_size_may_be_an_int_a_float_or_one_number_of_a_tensor(batch: Any) -> None:
    assert rc.LSTMCell(4).zero_state(batch, "float32").h.shape == (2, 4)


@pytest.mark.parametrize("batch", [2.5, float("nan"), float("inf"), mg.tensor([2, 3]), mg.tensor(2.5), "2"])
def test_a_batch_size_that_is_none(batch: Any) -> None:
    with pytest.raises(ShapeError, match=rf"LSTMCell\.zero_state: {BATCH_SIZE}"):
        rc.LSTMCell(4).zero_state(batch, "float32")


@pytest.mark.parametrize("name", ["state_size", "output_size"])
def test_a_cell_must_tell_its_sizes(name: str) -> None:
    class Nothing(rc.RNNCell):
        pass

    with pytest.raises(NotImplementedError, match=f"Nothing must define {name}"):
        getattr(Nothing(), name)


def test_the_state_of_an_lstm_has_names() -> None:
    state = rc.LSTMStateTuple("c", "h")
    assert (state.c, state.h, state._fields, tuple(state)) == ("c", "h", ("c", "h"), ("c", "h"))


def test_names_and_dtypes_by_place() -> None:
    """The last two, as in TensorFlow."""
    cells = [
        rc.LSTMCell(4, False, None, None, None, None, None, None, 1.0, True, None, None, "reader", "float64"),
        rc.BasicLSTMCell(4, 1.0, True, None, None, "reader", "float64"),
        rc.BasicRNNCell(4, None, None, "reader", "float64"),
        rc.GRUCell(4, None, None, None, None, "reader", "float64"),
    ]
    for cell in cells:
        assert (cell.name, cell.dtype) == ("reader", "float64")
        with v1.variable_scope(type(cell).__name__):
            cell.build((None, 3))
        assert cell.weights[0].name.startswith(f"{type(cell).__name__}/reader/")
    dropout = rc.DropoutWrapper(cells[0], 0.5, 1.0, 1.0, True, 3, "float64", 7, None)
    assert (dropout.input_size, dropout.dtype, dropout.seed) == (3, "float64", 7)
    base = v1.layers.Layer(False, "mine", "float64")
    assert (base.trainable, base.name, base.dtype) == (False, "mine", "float64")
    with pytest.raises(TypeError, match=f"got `name` {TWICE}"):
        rc.BasicRNNCell(4, None, None, "reader", name="writer")
