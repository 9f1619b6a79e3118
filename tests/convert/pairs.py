"""Pairs of cells of any generation for `explain_difference`: built, with the same weights, and run step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from convert.recorded import L, draw
from minigrad.compat.v1.nn import rnn_cell
from minigrad.compat.v1.nn.rnn_cell import LSTMStateTuple
from minigrad.convert import relayout
from minigrad.convert.difference.table import Difference

V1 = mg.compat.v1.keras.layers
BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 5
numbers = np.random.default_rng(3)
X = numbers.normal(size=(BATCH, TIME, FEATURES))
H, C = numbers.normal(size=(2, BATCH, UNITS))
NAMED = LSTMStateTuple(C, H)


def built(cell: Any, seed: int = 0) -> Any:
    cell.build((None, FEATURES))
    return draw(cell, seed)


def first(**options: Any) -> Any:
    return rnn_cell.LSTMCell(UNITS, **{"dtype": "float64", **options})


def keras(of: Any = L.LSTMCell, **options: Any) -> Any:
    return of(UNITS, **{"dtype": "float64", **options})


def moved(one: Any, other: Any, **how: Any) -> tuple[Any, Any]:
    """The first cell built with random weights, and the second with the same weights, converted."""
    built(one)
    other.build((None, FEATURES))
    names = ["tf1" if isinstance(cell, rnn_cell.RNNCell) else "keras" for cell in (one, other)]
    other.set_weights(list(relayout(one.get_weights(), *names, **how).values()))
    return one, other


def row(difference: Difference, convention: str) -> Any:
    (found,) = [row for row in difference.rows if row.convention == convention]
    return found


def outputs(cell: Any, h: Any = H, c: Any = C) -> Any:
    """Outputs of the cell itself, step by step."""
    state: Any = LSTMStateTuple(c, h) if isinstance(cell, rnn_cell.RNNCell) else [h, c]
    collected = []
    for t in range(TIME):
        output, state = cell(X[:, t], state)
        collected.append(output.numpy())
    return np.stack(collected)
