"""The same numbers from the loops over time in every layout: time first, lists, backwards, rows that end early."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from compat.v1.nn.runs import BATCH, LENGTHS, TIME, UNITS, X, names, run, same, shapes_of
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.engine import tree

options = {"use_peepholes": True, "cell_clip": 0.5, "num_proj": 3, "proj_clip": 0.3}


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_time_major(lengths: Any) -> None:
    cell = rc.LSTMCell(UNITS, **options, dtype="float64")
    outputs, state = v1.nn.dynamic_rnn(cell, X, lengths, dtype="float64")
    turned, state_turned = v1.nn.dynamic_rnn(cell, X.swapaxes(0, 1).copy(), lengths, dtype="float64", time_major=True)
    np.testing.assert_array_equal(turned.numpy().swapaxes(0, 1), outputs.numpy())
    np.testing.assert_array_equal(state_turned.h.numpy(), state.h.numpy())


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_static_is_dynamic(lengths: Any) -> None:
    cell = rc.LSTMCell(UNITS, **options, dtype="float64")

    def static(cell: Any, x: Any, **how: Any) -> Any:
        outputs, state = v1.nn.static_rnn(cell, list(mg.unstack(x, 1)), **how)
        return mg.stack(outputs, 1), state

    same(run(cell, lengths), run(cell, lengths, function=static))


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_static_bidirectional_is_dynamic(lengths: Any) -> None:
    """Outputs side by side, and weights with the same names."""
    fw, bw = rc.LSTMCell(UNITS, **options, dtype="float64"), rc.GRUCell(2, dtype="float64")
    start = rc.LSTMStateTuple(*(np.full(shape, 0.5) for shape in shapes_of(fw))), np.full((BATCH, 2), -0.5)
    outputs, *states = v1.nn.static_bidirectional_rnn(
        fw, bw, list(mg.unstack(mg.tensor(X), 1)), *start, sequence_length=lengths, dtype="float64"
    )
    both, final = v1.nn.bidirectional_dynamic_rnn(fw, bw, X, lengths, *start)
    np.testing.assert_array_equal(mg.stack(outputs, 1).numpy(), mg.concat(both, -1).numpy())
    for mine, theirs in zip(tree.leaves(states), tree.leaves(final), strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    assert names()[0] == "bidirectional_rnn/fw/lstm_cell/kernel:0"


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_lengths_of_any_whole_dtype(dtype: str) -> None:
    x = np.ones((1, 300, 1), "float32")
    outputs, _ = v1.nn.dynamic_rnn(rc.GRUCell(1), x, np.array([250], dtype), dtype="float32")
    assert np.flatnonzero(outputs.numpy()).tolist() == list(range(250))


def test_a_row_ends_where_its_length_says() -> None:
    """Outputs and state of a row equal to those of the row alone, cut to its length; zeros beyond."""
    cell = rc.LSTMCell(UNITS, **options, dtype="float64")
    initial = rc.LSTMStateTuple(*(np.random.default_rng(4).standard_normal((BATCH, n)) for n in cell.state_size))
    outputs, state = v1.nn.dynamic_rnn(cell, X, LENGTHS, initial)
    for row, length in enumerate(LENGTHS):
        np.testing.assert_array_equal(outputs.numpy()[row, length:], 0.0)
        own = rc.LSTMStateTuple(*(s[row : row + 1] for s in initial))
        y = np.zeros((1, 0, 3))
        if length:
            y, own = v1.nn.dynamic_rnn(cell, X[row : row + 1, :length], None, own)
            y = y.numpy()
        np.testing.assert_allclose(outputs.numpy()[row, :length], y[0], rtol=1e-13, atol=1e-15)
        for s, theirs in zip(state, own, strict=True):
            np.testing.assert_allclose(s.numpy()[row], mg.tensor(theirs).numpy()[0], rtol=1e-13, atol=1e-15)


def test_a_row_of_length_zero_hands_its_state_and_its_gradient_through() -> None:
    cell = rc.LSTMCell(UNITS, **options, dtype="float64")
    (outputs, c, m), (dx, dc, dm, *_) = run(cell, [0] * BATCH)
    rng = np.random.default_rng(1)
    for state, shape in zip((c, m), shapes_of(cell), strict=True):
        np.testing.assert_array_equal(state, rng.standard_normal(shape))
    rng = np.random.default_rng(2)
    dy = rng.standard_normal(outputs.shape)
    for gradient, shape in zip((dc, dm), shapes_of(cell), strict=True):
        np.testing.assert_array_equal(gradient, rng.standard_normal(shape))
    assert not outputs.any()
    assert not dx.any()
    assert dy.any()


@pytest.mark.parametrize("lengths", [None, LENGTHS, [5, 5, 5, 5]])
@pytest.mark.parametrize("time_major", [False, True])
def test_bidirectional_reads_each_row_from_its_own_end(lengths: Any, time_major: bool) -> None:
    fw, bw = rc.LSTMCell(UNITS, dtype="float64"), rc.GRUCell(3, dtype="float64")
    x = X.swapaxes(0, 1).copy() if time_major else X
    how: dict[str, Any] = {"dtype": "float64", "time_major": time_major}
    found, states = v1.nn.bidirectional_dynamic_rnn(fw, bw, x, lengths, **how)
    y_fw, y_bw = (y.numpy().swapaxes(0, 1) if time_major else y.numpy() for y in found)
    ends = lengths or [TIME] * BATCH
    turned = np.stack([np.concatenate([row[:n][::-1], row[n:]]) for row, n in zip(X, ends, strict=True)])
    one, state_fw = v1.nn.dynamic_rnn(fw, X, lengths, dtype="float64")
    other, state_bw = v1.nn.dynamic_rnn(bw, turned, lengths, dtype="float64")
    back = np.stack([np.concatenate([row[:n][::-1], row[n:]]) for row, n in zip(other.numpy(), ends, strict=True)])
    for mine, theirs in zip(
        [y_fw, y_bw, *tree.leaves(states)], [one, back, *tree.leaves((state_fw, state_bw))], strict=True
    ):
        np.testing.assert_array_equal(mg.tensor(mine).numpy(), mg.tensor(theirs).numpy())


def test_bidirectional_on_every_backend(backend: ModuleType) -> None:
    x = mg.tensor(X, requires_grad=True)
    cells = [rc.GRUCell(UNITS, dtype="float64") for _ in "fb"]
    outputs, _ = v1.nn.bidirectional_dynamic_rnn(*cells, x, LENGTHS, dtype="float64")
    (dx,) = mg.grad(sum(y.sum() for y in outputs), [x])
    assert [bool(row.any()) for row in dx.numpy().reshape(BATCH, -1)] == [True, False, True, True]
    np.testing.assert_array_equal(dx.numpy()[2, 2:], 0.0)


def test_nested_inputs() -> None:
    class Two(rc.RNNCell):
        """Two inputs, a bare state, two outputs."""

        state_size = 3  # type: ignore[assignment]
        output_size = (3, 2)  # type: ignore[assignment]

        def call(self, inputs: Any, state: Any) -> Any:
            a, b = inputs
            return (state + a, b), state + a

    (totals, same_b), state = v1.nn.dynamic_rnn(Two(), (X, X[..., :2]), LENGTHS, dtype="float64")
    for row, n in enumerate(LENGTHS):
        np.testing.assert_allclose(totals.numpy()[row, :n], np.cumsum(X[row, :n], 0), rtol=1e-13)
        np.testing.assert_array_equal(same_b.numpy()[row, n:], 0.0)
        np.testing.assert_allclose(state.numpy()[row], X[row, :n].sum(0), rtol=1e-13, atol=1e-15)
