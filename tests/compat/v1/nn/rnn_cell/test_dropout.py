"""`DropoutWrapper`: dropped numbers and new masks, on every path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.engine import tree

BATCH, TIME, UNITS = 40, 6, 30
ONES = np.ones((BATCH, TIME, UNITS))


class Through(rc.RNNCell):
    """A cell whose output is the input, and whose new state is the old one plus the input, so that dropout shows."""

    state_size = UNITS  # type: ignore[assignment]
    output_size = UNITS  # type: ignore[assignment]

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs, state + inputs


def outputs(cell: Any, x: np.ndarray = ONES, **how: Any) -> np.ndarray:
    return v1.nn.dynamic_rnn(cell, x, dtype="float64", **how)[0].numpy()


def is_a_mask(y: np.ndarray, keep: float) -> None:
    """Zeros, and kept numbers divided by the probability, in the right proportion."""
    np.testing.assert_allclose(np.unique(y), [0.0, 1.0 / keep], rtol=1e-15)
    assert abs((y > 0).mean() - keep) < 0.02


@pytest.mark.parametrize("where", ["input_keep_prob", "output_keep_prob"])
def test_each_step_each_row_and_each_call_has_a_mask_of_its_own(where: str) -> None:
    """Dropout in every call, as in TensorFlow 1, which has no argument `training`."""
    cell = rc.DropoutWrapper(Through(), **{where: 0.7})
    y = outputs(cell)
    is_a_mask(y, 0.7)
    assert len(np.unique(y.reshape(-1, UNITS), axis=0)) == BATCH * TIME
    assert (outputs(cell) != y).mean() > 0.3


@pytest.mark.parametrize("where", ["input_keep_prob", "output_keep_prob"])
def test_so_it_is_around_the_explicit_loop(where: str) -> None:
    """Inputs that were dropped, seen through an LSTM with only the candidate's kernel."""
    cell = rc.LSTMCell(UNITS, forget_bias=-100.0, activation="linear", dtype="float64")
    wrapped = rc.DropoutWrapper(cell, **{where: 0.7})
    wrapped.build((None, UNITS))
    kernel = np.zeros((2 * UNITS, 4 * UNITS))
    kernel[:UNITS, UNITS : 2 * UNITS] = np.eye(UNITS)  # the candidate is the input
    big = np.concatenate([np.full(UNITS, 100.0), np.zeros(2 * UNITS), np.full(UNITS, 100.0)])  # open gates i and o
    cell.set_weights([kernel, big])
    y = outputs(wrapped)
    assert wrapped.path.startswith("explicit BPTT")
    is_a_mask(np.where(y < 1e-9, 0.0, y), 0.7)  # a forget gate is never quite 0
    assert len(np.unique(y.reshape(-1, UNITS), axis=0)) == BATCH * TIME
    assert (abs(outputs(wrapped) - y) > 1.0).mean() > 0.3


@pytest.mark.parametrize("make", [Through, lambda: rc.GRUCell(UNITS, dtype="float64")])
def test_variational_masks_are_drawn_once_for_all_steps_and_rows(make: Any) -> None:
    how = {"variational_recurrent": True, "input_size": UNITS, "dtype": "float64"}
    cell = rc.DropoutWrapper(make(), 0.7, 0.8, **how)
    y, again = outputs(cell), outputs(cell)
    assert (y == 0.0).all((0, 1)).sum() == (y == 0.0).any((0, 1)).sum() > 0
    np.testing.assert_array_equal(y == 0.0, again == 0.0)


def test_states_are_dropped_on_their_way_to_the_next_step() -> None:
    cell = rc.DropoutWrapper(Through(), state_keep_prob=0.7)
    y, state = v1.nn.dynamic_rnn(cell, ONES, dtype="float64")
    np.testing.assert_array_equal(y.numpy(), ONES)
    assert abs((state.numpy() == 0.0).mean() - 0.3) < 0.05
    _, one = v1.nn.dynamic_rnn(cell, ONES[:, :1], dtype="float64")
    is_a_mask(one.numpy(), 0.7)


def test_the_c_of_an_lstm_is_never_dropped() -> None:
    """Dropout of h only, with the output and c unchanged, in a stack too."""
    stack = rc.MultiRNNCell([rc.LSTMCell(UNITS, dtype="float64"), rc.LSTMCell(UNITS, dtype="float64")])
    cell = rc.DropoutWrapper(stack, state_keep_prob=0.6)
    y, states = cell(ONES[:, 0], cell.zero_state(BATCH, "float64"))
    assert (y.numpy() != 0.0).all()
    for state in states:
        assert isinstance(state, rc.LSTMStateTuple)
        assert (state.c.numpy() != 0.0).all()
        assert abs((state.h.numpy() == 0.0).mean() - 0.4) < 0.05
    kept = states[1].h.numpy() != 0.0
    np.testing.assert_allclose(states[1].h.numpy()[kept], y.numpy()[kept] / 0.6, rtol=1e-14)


def test_a_visitor_says_what_may_be_dropped() -> None:
    def only_c(state: Any) -> Any:
        return rc.LSTMStateTuple(c=True, h=False) if isinstance(state, rc.LSTMStateTuple) else False

    cell = rc.DropoutWrapper(
        rc.LSTMCell(UNITS, dtype="float64"), state_keep_prob=0.6, dropout_state_filter_visitor=only_c
    )
    _, state = cell(ONES[:, 0], cell.zero_state(BATCH, "float64"))
    assert (state.h.numpy() != 0.0).all()
    assert abs((state.c.numpy() == 0.0).mean() - 0.4) < 0.05


def test_a_seed_is_a_generator_of_its_own() -> None:
    first, again, other = (outputs(rc.DropoutWrapper(Through(), 0.7, seed=seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("make", [Through, lambda: rc.LSTMCell(UNITS, dtype="float64")])
def test_what_is_kept_with_certainty_is_untouched(make: Any) -> None:
    cell = make()
    wrapped = rc.DropoutWrapper(cell, 1.0, 1.0, 1.0)
    for mine, theirs in zip(
        tree.leaves(v1.nn.dynamic_rnn(wrapped, ONES, dtype="float64")),
        tree.leaves(v1.nn.dynamic_rnn(cell, ONES, dtype="float64")),
        strict=True,
    ):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def test_gradients_pass_where_numbers_were_kept() -> None:
    x = mg.tensor(ONES, requires_grad=True)
    y, _ = v1.nn.dynamic_rnn(rc.DropoutWrapper(Through(), 0.7), x, dtype="float64")
    (dx,) = mg.grad(y.sum(), [x])
    np.testing.assert_array_equal(dx.numpy(), y.numpy())


@pytest.mark.parametrize(
    "keep", [np.float32(0.7), np.array(0.7).item(), mg.tensor(0.7)], ids=["NumPy", "float", "Tensor"]
)
def test_numbers_of_all_kinds(keep: Any) -> None:
    cell = rc.DropoutWrapper(Through(), output_keep_prob=keep)
    assert abs((outputs(cell) > 0).mean() - 0.7) < 0.02
    assert float(cell.output_keep_prob) == pytest.approx(0.7)


def test_a_tensor_is_read_at_every_call() -> None:
    """A tensor in place of a placeholder: training drops, and the same wrapper then keeps everything."""
    keep = v1.get_variable("keep", initializer=0.5, trainable=False)
    cell = rc.DropoutWrapper(rc.GRUCell(UNITS, dtype="float64"), keep, keep, keep)
    assert (outputs(cell) == 0.0).mean() > 0.3
    keep.assign(1.0)
    np.testing.assert_array_equal(outputs(cell), v1.nn.dynamic_rnn(cell.cell, ONES, dtype="float64")[0].numpy())
    assert cell.path.startswith("explicit BPTT")
    keep.assign(0.0)
    assert not outputs(cell).any()


@pytest.mark.parametrize("variational", [False, True])
def test_nothing_is_kept(variational: bool) -> None:
    cell = rc.DropoutWrapper(Through(), output_keep_prob=0.0, variational_recurrent=variational, dtype="float64")
    assert not outputs(cell).any()
