"""Earlier names of methods of the first generation's cells."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg

rnn_cell: Any = mg.compat.v1.nn.rnn_cell


@pytest.mark.parametrize("name", ["BasicLSTMCell", "LSTMCell", "GRUCell", "BasicRNNCell"])
def test_methods_of_cells(name: str, fresh_variables: None) -> None:
    cell = getattr(rnn_cell, name)(3)
    state = cell.zero_state(2, "float32")
    cell(mg.ones((2, 4)), state)
    for earlier, today in zip(cell.formulas().weights, cell._recurrence().weights, strict=True):
        assert (earlier is today is None) or (earlier.numpy() == today.numpy()).all()
    for wrapper in (cell, rnn_cell.MultiRNNCell([cell]), rnn_cell.ResidualWrapper(cell)):
        state = wrapper.zero_state(2, "float32")
        arrays = wrapper.state_apart(state)
        assert [s.shape for s in arrays] == [(2, 3)] * len(arrays)
        assert type(wrapper.state_together(tuple(arrays))) is type(state)


def test_a_wrapper_that_runs_step_by_step() -> None:
    cell = rnn_cell.GRUCell(3)
    for wrapper in (
        rnn_cell.ResidualWrapper(cell),
        rnn_cell.DropoutWrapper(cell, 0.5),
        rnn_cell.DeviceWrapper(cell, "/cpu:0"),
    ):
        assert wrapper.only_stepwise() == wrapper.stepwise_reason()
