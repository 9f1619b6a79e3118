"""The dtypes of the loops over time, and the names of the cells' variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from compat.v1.nn.runs import BATCH, FEATURES, LENGTHS, UNITS, X, names
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.engine import tree


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_that_of_state_weights_and_outputs(dtype: str) -> None:
    cell = rc.MultiRNNCell([rc.LSTMCell(UNITS), rc.GRUCell(UNITS)])
    outputs, state = v1.nn.dynamic_rnn(cell, X.astype("float32"), dtype=dtype)
    assert {t.dtype.name for t in (outputs, *tree.leaves(state), *v1.global_variables())} == {dtype}


def test_without_a_dtype_it_is_that_of_the_inputs() -> None:
    outputs, _ = v1.nn.dynamic_rnn(rc.GRUCell(UNITS), X, initial_state=np.zeros((BATCH, UNITS), "float32"))
    assert outputs.dtype.name == "float64"


def test_scopes() -> None:
    x, how = X.astype("float32"), {"dtype": "float32"}
    v1.nn.dynamic_rnn(rc.GRUCell(2), x, **how, scope="mine")
    with v1.variable_scope("outer"):
        v1.nn.static_rnn(rc.BasicRNNCell(2), list(mg.unstack(mg.tensor(x), 1)), **how)
    v1.nn.bidirectional_dynamic_rnn(rc.BasicRNNCell(2), rc.BasicRNNCell(2), x, **how, scope="both")
    assert [name for name in names() if "bias" not in name] == [
        "mine/gru_cell/gates/kernel:0",
        "mine/gru_cell/candidate/kernel:0",
        "outer/rnn/basic_rnn_cell/kernel:0",
        "both/fw/basic_rnn_cell/kernel:0",
        "both/bw/basic_rnn_cell/kernel:0",
    ]


def test_a_cell_keeps_its_variables_wherever_it_runs() -> None:
    x, cell = X.astype("float32"), rc.LSTMCell(2)
    one, _ = v1.nn.dynamic_rnn(cell, x, dtype="float32")
    other, _ = v1.nn.dynamic_rnn(cell, x, dtype="float32", scope="elsewhere")
    assert names() == ["rnn/lstm_cell/kernel:0", "rnn/lstm_cell/bias:0"]
    np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_another_cell_of_the_same_name_shares_with_reuse() -> None:
    x = X.astype("float32")
    one, _ = v1.nn.dynamic_rnn(rc.LSTMCell(2), x, dtype="float32")
    with v1.variable_scope("", reuse=True):
        other, _ = v1.nn.dynamic_rnn(rc.LSTMCell(2), x, dtype="float32")
    third, _ = v1.nn.dynamic_rnn(rc.LSTMCell(2, reuse=True), x, dtype="float32")
    assert len(names()) == 2
    np.testing.assert_array_equal(one.numpy(), other.numpy())
    np.testing.assert_array_equal(one.numpy(), third.numpy())


class OfItsOwn(rc.RNNCell):
    """A cell in the style of 2016, which calls get_variable in its call."""

    state_size = output_size = FEATURES  # type: ignore[assignment]

    def call(self, inputs: Any, state: Any) -> Any:
        kernel = v1.get_variable("kernel", [FEATURES, FEATURES], self.dtype)
        output = mg.tanh(inputs @ kernel + state)
        return output, output


def test_a_cell_that_makes_its_variables_in_its_call() -> None:
    alone, stacked = OfItsOwn(), rc.MultiRNNCell([rc.GRUCell(FEATURES), OfItsOwn()])
    for cell, name in ((alone, "rnn/of_its_own"), (stacked, "rnn/multi_rnn_cell/cell_1/of_its_own")):
        v1.reset_default_graph()
        for _ in range(2):
            v1.nn.dynamic_rnn(cell, X, LENGTHS, dtype="float64")
        assert cell.path == "tape, op by op: OfItsOwn offers no step_backward"
        assert names()[-1] == f"{name}/kernel:0"
