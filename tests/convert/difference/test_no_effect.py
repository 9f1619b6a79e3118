"""Differences that change no number of a call: each a row with its reason, and none between equal cells."""

from __future__ import annotations

import pytest

from convert.pairs import V1, built, first, keras
from convert.recorded import L
from minigrad.convert.difference.inspected_cell import inspect_cell
from minigrad.convert.difference.no_effect import rows_without_effect

pytestmark = pytest.mark.usefixtures("fresh_variables")


def test_equal_cells_have_no_rows() -> None:
    cell = inspect_cell("a", built(keras()))
    assert rows_without_effect(cell, cell) == []


def test_arrays_states_options_and_defaults() -> None:
    options = {"dropout": 0.5, "kernel_initializer": "ones", "dtype": "float32"}
    a, b = inspect_cell("a", built(first())), inspect_cell("b", built(keras(**options)))
    rows = {row.convention: row for row in rows_without_effect(a, b)}
    assert (rows["arrays"].a, rows["arrays"].b) == ("kernel, rows [x; h]", "kernel and recurrent_kernel")
    assert (rows["state"].a, rows["state"].b) == ("LSTMStateTuple(c, h)", "[h, c]")
    assert rows["dtype"].note == "rounding"
    assert all(row.alone is None and row.so_far is None for row in rows.values())
    two, three = inspect_cell("a", built(keras(V1.LSTMCell))), inspect_cell("b", built(keras(dropout=0.5)))
    rows = {row.convention: row for row in rows_without_effect(two, three)}
    assert rows["dropout"].note == "acts in training only"
    assert rows["defaults"].a == "recurrent_activation=hard_sigmoid, implementation=1"


def test_an_object_is_shown_by_the_name_of_its_class() -> None:
    a, b = built(keras(L.GRUCell)), built(keras(L.GRUCell, kernel_regularizer="l2"))
    (row,) = rows_without_effect(inspect_cell("a", a), inspect_cell("b", b))
    assert (row.convention, row.a, row.b) == ("kernel_regularizer", "None", "L2")
