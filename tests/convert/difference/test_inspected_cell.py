"""Cells read for `explain_difference`: their titles, layouts, options and states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from convert.difference.test_parametric_cell import CASES
from convert.pairs import UNITS, V1, built, first, keras
from convert.recorded import L
from minigrad.compat.v1.nn import rnn_cell
from minigrad.convert import ConversionError
from minigrad.convert.difference.inspected_cell import InspectedCell, inspect_cell
from minigrad.engine import tree
from oracle.reader import Case, build

pytestmark = pytest.mark.usefixtures("fresh_variables")

CELLS = {
    "first": (first, "LSTM", "tf1", True),
    "basic": (lambda: rnn_cell.BasicLSTMCell(UNITS, dtype="float64"), "LSTM", "tf1", True),
    "second": (lambda: keras(V1.LSTMCell), "LSTM", "keras", False),
    "third": (keras, "LSTM", "keras", False),
    "gru": (lambda: keras(L.GRUCell), "GRU", "keras", False),
    "gru of the first": (lambda: rnn_cell.GRUCell(UNITS, dtype="float64"), "GRU", "tf1", False),
    "simple": (lambda: keras(L.SimpleRNNCell), "SimpleRNN", "keras", False),
    "simple of the first": (lambda: rnn_cell.BasicRNNCell(UNITS, dtype="float64"), "SimpleRNN", "tf1", False),
}


def inspected(name: str) -> InspectedCell:
    return inspect_cell("here", built(CELLS[name][0]()))


@pytest.mark.parametrize("name", CELLS)
def test_kind_layout_and_order_of_the_state(name: str) -> None:
    _, kind, layout, cell_first = CELLS[name]
    found = inspected(name)
    assert (found.kind, found.layout.name, found.cell_first) == (kind, layout, cell_first)
    assert (found.parametric.units, found.parametric.outputs) == (UNITS, UNITS)


@pytest.mark.parametrize("name", CELLS)
def test_the_parametric_cell_computes_what_the_cell_computes(name: str) -> None:
    found, rng = inspected(name), np.random.default_rng(5)
    x, h, c = rng.normal(size=(6, 3, 4)), rng.normal(size=(3, UNITS)), rng.normal(size=(3, UNITS))
    np.testing.assert_allclose(found.parametric.run(x, h, c)[0], found.call(x, h, c), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_a_state_in_the_structure_of_the_cell(name: str) -> None:
    found = inspected(name)
    state: Any = found.state(np.ones((2, UNITS)), np.zeros((2, UNITS)))
    leaves = tree.leaves(state)
    assert [leaf.shape[1] for leaf in leaves] == list(tree.leaves(found.cell.state_size))
    ones = [bool((leaf.numpy() == 1).all()) for leaf in leaves]
    assert ones == ([False, True] if found.cell_first else [True, False])[: len(leaves)]


def test_a_layer_stands_for_its_cell_under_its_name() -> None:
    layer = L.LSTM(2, name="encoder", dtype="float32")
    layer(mg.ones((1, 3, 4)))
    found = inspect_cell("here", layer)
    assert found.title == "keras.layers.LSTM 'encoder'"
    assert found.cell is layer.cell
    assert (found.dtype, found.tolerance) == ("float32", 1e-5)
    assert found.defaults()["recurrent_activation"] == "sigmoid"


@pytest.mark.parametrize("case", CASES[::7], ids=lambda case: f"{case.family}-{case.name}")
def test_a_state_in_the_structure_of_a_recorded_cell(case: Case) -> None:
    cell = build(case.spec, mg)
    cell.build(case["x"].shape)
    found = inspect_cell("here", cell)
    state = found.state(np.ones((2, found.parametric.outputs)), np.zeros((2, found.parametric.units)))
    assert [leaf.shape[1] for leaf in tree.leaves(state)] == list(tree.leaves(cell.state_size))


def test_what_is_no_cell() -> None:
    with pytest.raises(ConversionError, match=r"here: expected an LSTM, GRU or simple recurrent cell.*got a Dense"):
        inspect_cell("here", L.Dense(2))
    with pytest.raises(ConversionError, match=r"here: .* has no weights yet"):
        inspect_cell("here", keras())
