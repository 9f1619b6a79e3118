"""`ParametricCell` against TensorFlow's numbers, for every recorded cell of all three generations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.convert.difference.inspected_cell import inspect_cell
from minigrad.convert.difference.parametric_cell import ParametricCell, largest
from oracle.reader import Case, build, load
from oracle.replay import tolerance

KINDS = ("LSTMCell", "BasicLSTMCell", "GRUCell", "BasicRNNCell", "SimpleRNNCell")
FAMILIES = ("v1_rnn_cell", "v1_keras_lstm", "v1_keras_gru", "v1_keras_simple_rnn")
FAMILIES += ("keras_lstm", "keras_gru", "keras_simple_rnn")
CASES = [case for family in FAMILIES for case in load(family) if case.class_name.split(".")[-1] in KINDS]

pytestmark = pytest.mark.usefixtures("fresh_variables")


def test_all_kinds_and_generations_are_there() -> None:
    assert len(CASES) > 150
    assert {case.class_name.split(".")[-1] for case in CASES} == set(KINDS)
    assert {case.class_name.rpartition(".")[0] for case in CASES} == {
        "compat.v1.nn.rnn_cell", "compat.v1.keras.layers", "keras.layers"
    }  # fmt: skip
    for option in ("use_peepholes", "num_proj", "cell_clip", "proj_clip", "use_bias", "reset_after"):
        assert any(case.kwargs.get(option) for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.family}-{case.name}")
def test_outputs_are_tensorflows(case: Case) -> None:
    cell = build(case.spec, mg)
    cell.build(case["x"].shape)
    cell.set_weights(case.group("weight"))
    inspected = inspect_cell("here", cell)
    h, c = _named(inspected, case.group("state"))
    hs, cs = inspected.parametric.run(case["x"][None], h, c)
    (output, *states) = case.group("output")
    assert largest(hs[0] - output) <= tolerance(case)
    h_new, c_new = _named(inspected, states)
    assert largest(hs[0] - h_new) <= tolerance(case)
    if inspected.kind == "LSTM":
        assert largest(cs[0] - c_new) <= tolerance(case)


def _named(inspected: Any, states: list[Any]) -> tuple[Any, Any]:
    """h and c from states in the cell's order."""
    if len(states) == 1 and inspected.kind == "LSTM":  # side by side
        states = np.split(states[0], [inspected.parametric.units], 1)
    if len(states) == 1:
        return states[0], states[0]
    return tuple(states[::-1] if inspected.cell_first else states)


def test_sizes() -> None:
    cell = mg.compat.v1.nn.rnn_cell.LSTMCell(5, num_proj=3, dtype="float64")
    cell.build((None, 4))
    formula = inspect_cell("here", cell).parametric
    assert (formula.features, formula.units, formula.outputs) == (4, 5, 3)
    assert isinstance(formula, ParametricCell)
    assert largest(np.zeros((0, 2))) == 0.0
