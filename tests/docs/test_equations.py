"""Cells of the reference and the equations that run in them."""

from __future__ import annotations

import pytest

import minigrad as mg
from docs.builder.equations import FIRST, backward, equations_of, forward
from minigrad.compat.v1.nn import rnn_cell
from minigrad.recurrent import GRU, LSTM, LSTMP, Equations, GRUResetBefore, SimpleRNN

layers, second = mg.keras.layers, mg.compat.v1.keras.layers


@pytest.mark.parametrize(
    ("described", "equations"),
    [
        (layers.LSTM, LSTM),
        (layers.LSTMCell, LSTM),
        (layers.GRUCell, GRU),
        (second.GRUCell, GRUResetBefore),
        (second.LSTM, LSTM),
        (layers.SimpleRNN, SimpleRNN),
        (rnn_cell.LSTMCell, LSTMP),
        (LSTM, LSTM),
        (Equations, None),
        (layers.RNN, None),
        (layers.Dense, None),
        (layers.EquationCell, None),
        (rnn_cell.MultiRNNCell, None),
        (mg.tanh, None),
        (type("Net", (), {"equations": property(lambda self: LSTM)}), None),
    ],
)
def test_the_equations_of(described: object, equations: type[Equations] | None) -> None:
    assert equations_of(described) is equations


@pytest.mark.parametrize("cell", FIRST)
def test_cells_of_the_first_generation_run_the_equations_of_the_table(cell: type) -> None:
    made = cell(2, dtype="float32")
    made.build((None, 3))
    assert made.formulas()[0].equations is FIRST[cell]


def test_the_formulas_are_displayed() -> None:
    assert forward(LSTM).count("$$") == 4
    assert backward(LSTM).count("$$") == 2
