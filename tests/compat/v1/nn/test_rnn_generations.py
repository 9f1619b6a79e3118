"""`dynamic_rnn` with lengths against Keras' layer with a mask, each with the other's cells too."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from compat.v1.nn.runs import BATCH, FEATURES, LENGTHS, TIME, UNITS, X, run, same, the_lengths, trying
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.engine import tree
from minigrad.keras import layers as L


def swapped(kernel: np.ndarray, gates: list[int]) -> np.ndarray:
    """Columns, or entries, gate by gate in another order."""
    parts = np.split(kernel, len(gates), -1)
    return np.concatenate([parts[k] for k in gates], -1)


@given(
    lengths=the_lengths,
    forget_bias=st.sampled_from([0.0, 1.0, 2.5]),
    activation=st.sampled_from(["tanh", "relu"]),
    time_major=st.booleans(),
    unroll=st.booleans(),
)
@trying
def test_lengths_are_kerass_mask(
    lengths: Any, forget_bias: float, activation: str, time_major: bool, unroll: bool
) -> None:
    """`dynamic_rnn(LSTMCell, lengths)` against Keras' `LSTM(mask)`, weights reordered from i, j, f, o to i, f, j, o."""
    v1.reset_default_graph()
    x = X.swapaxes(0, 1).copy() if time_major else X
    cell = rc.LSTMCell(UNITS, forget_bias=forget_bias, activation=activation, dtype="float64")
    (outputs, c, h), (dx, dc, dh, dkernel, dbias) = run(cell, lengths, x=x, time_major=time_major)
    kernel, bias = (w.numpy() for w in v1.global_variables())
    bias = bias + np.repeat([0.0, 0.0, forget_bias, 0.0], UNITS)
    loop = {"time_major": time_major, "unroll": unroll, "return_sequences": True, "return_state": True}
    layer = L.LSTM(UNITS, activation, **loop, zero_output_for_mask=True, dtype="float64")
    layer.build(x.shape)
    order = [0, 2, 1, 3]
    layer.set_weights([swapped(part, order) for part in (kernel[:FEATURES], kernel[FEATURES:], bias)])
    rng, cotangents = np.random.default_rng(1), np.random.default_rng(2)
    initial = {name: mg.tensor(rng.standard_normal((BATCH, UNITS)), requires_grad=True) for name in "ch"}
    mask = None if lengths is None else np.arange(TIME) < np.array(lengths)[:, None]
    mask = mask.T if time_major and mask is not None else mask
    inputs = mg.tensor(x, requires_grad=True)
    y, h_T, c_T = layer(inputs, mask=mask, initial_state=[initial["h"], initial["c"]])
    dy, dc_T, dh_T = (cotangents.standard_normal(a.shape) for a in (outputs, c, h))
    found = mg.grad([y, c_T, h_T], [inputs, initial["c"], initial["h"], *layer.weights], [dy, dc_T, dh_T])
    theirs_dkernel = np.concatenate([found[3].numpy(), found[4].numpy()])
    theirs = [*(g.numpy() for g in found[:3]), swapped(theirs_dkernel, order), swapped(found[5].numpy(), order)]
    same(([outputs, c, h], [dx, dc, dh, dkernel, dbias]), ([y.numpy(), c_T.numpy(), h_T.numpy()], theirs))


@pytest.mark.parametrize("kind", ["gru", "simple"])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_so_with_the_other_cells(kind: str, lengths: Any) -> None:
    """The GRU with gates r, u there and z, r here, where u is z; the reset gate acts before the product."""
    cell = rc.GRUCell(UNITS, dtype="float64") if kind == "gru" else rc.BasicRNNCell(UNITS, dtype="float64")
    (outputs, h_T), (dx, dh, *_) = run(cell, lengths)
    how = {"return_sequences": True, "return_state": True, "zero_output_for_mask": True, "dtype": "float64"}
    layer = L.GRU(UNITS, reset_after=False, **how) if kind == "gru" else L.SimpleRNN(UNITS, **how)
    layer.build(X.shape)
    kernel, bias, *candidate = (w.numpy() for w in v1.global_variables())
    if kind == "gru":
        kernel = np.concatenate([swapped(kernel, [1, 0]), candidate[0]], 1)
        bias = np.concatenate([swapped(bias, [1, 0]), candidate[1]])
    layer.set_weights([kernel[:FEATURES], kernel[FEATURES:], bias])
    rng, cotangents = np.random.default_rng(1), np.random.default_rng(2)
    inputs = mg.tensor(X, requires_grad=True)
    initial = mg.tensor(rng.standard_normal((BATCH, UNITS)), requires_grad=True)
    mask = None if lengths is None else np.arange(TIME) < np.array(lengths)[:, None]
    y, state = layer(inputs, mask=mask, initial_state=[initial])
    found = mg.grad([y, state], [inputs, initial], [cotangents.standard_normal(a.shape) for a in (outputs, h_T)])
    same(([outputs, h_T], [dx, dh]), ([y.numpy(), state.numpy()], [g.numpy() for g in found]))


@pytest.mark.parametrize("kind", ["lstm", "gru", "stacked"])
def test_a_cell_of_keras(kind: str) -> None:
    """States as in Keras: [h, c], a bare tensor for a GRU."""
    cells = {"lstm": [L.LSTMCell(UNITS, dtype="float64")], "gru": [L.GRUCell(UNITS, dtype="float64")]}
    made = cells.get(kind) or [L.LSTMCell(3, dtype="float64"), L.GRUCell(2, dtype="float64")]
    cell = L.StackedRNNCells(made) if len(made) > 1 else made[0]
    outputs, state = v1.nn.dynamic_rnn(cell, X, LENGTHS, dtype="float64")
    layer = L.RNN(cell, return_sequences=True, return_state=True, zero_output_for_mask=True, dtype="float64")
    y, *states = layer(X, mask=np.arange(TIME) < np.array(LENGTHS)[:, None])
    for mine, theirs in zip(tree.leaves((outputs, state)), tree.leaves((y, states)), strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    structures = {"lstm": [0, 0], "gru": 0, "stacked": ([0, 0], 0)}
    assert tree.map(lambda _: 0, state) == structures[kind]


@pytest.mark.parametrize("state_is_tuple", [True, False])
@pytest.mark.parametrize("stacked", [False, True])
def test_a_cell_in_keras_layer(stacked: bool, state_is_tuple: bool) -> None:
    lower = rc.LSTMCell(UNITS, use_peepholes=True, state_is_tuple=state_is_tuple, dtype="float64" if stacked else None)
    cell = [lower, rc.GRUCell(3, dtype="float64")] if stacked else lower
    layer = L.RNN(cell, return_sequences=True, return_state=True, zero_output_for_mask=True, dtype="float64")
    y, *states = layer(X, mask=np.arange(TIME) < np.array(LENGTHS)[:, None])
    assert layer.path.startswith("explicit BPTT, formulas of LSTMP")
    whole = rc.MultiRNNCell(layer.cell.cells) if stacked else layer.cell
    outputs, state = v1.nn.dynamic_rnn(whole, X, LENGTHS, dtype="float64")
    for mine, theirs in zip(tree.leaves((outputs, state)), tree.leaves((y, states)), strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    unrolled = L.RNN(layer.cell, unroll=True, return_sequences=True, zero_output_for_mask=True, dtype="float64")
    again = unrolled(X, mask=np.arange(TIME) < np.array(LENGTHS)[:, None])
    np.testing.assert_allclose(again.numpy(), y.numpy(), rtol=1e-12, atol=1e-14)
