"""`dynamic_rnn` with every cell: the same numbers on every path, and the path that ran."""

from __future__ import annotations

from operator import attrgetter
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from compat.v1.nn.runs import BATCH, FEATURES, LENGTHS, UNITS, X, run, same, the_lengths, trying
from kernel_reasons import ONLY_THREE
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.engine import tree
from minigrad.testing import check_gradient

# Clips so small that they act in part of the entries.
lstm_options = st.fixed_dictionaries(
    {
        "use_peepholes": st.booleans(),
        "cell_clip": st.sampled_from([None, 0.75, 0.3]),
        "num_proj": st.sampled_from([None, 1, 3]),
        "proj_clip": st.sampled_from([None, 0.4, 0.1]),
        "forget_bias": st.sampled_from([1.0, 0.0, 2.5]),
        "state_is_tuple": st.booleans(),
        "activation": st.sampled_from(["tanh", "relu", "softsign", "swish"]),
    }
)


def lstm(options: dict[str, Any], units: int = UNITS) -> Any:
    own = {**options, "proj_clip": options["proj_clip"] if options["num_proj"] else None}
    return rc.LSTMCell(units, **own, dtype="float64")


class Stepwise(rc.RNNCell):
    """A cell that hides the formulas of another, so that it can only be called."""

    state_size = property(attrgetter("cell.state_size"))
    output_size = property(attrgetter("cell.output_size"))

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell

    def call(self, inputs: Any, state: Any) -> Any:
        return self.cell(inputs, state)


def explicit_and_tape(cell: Any, lengths: Any = LENGTHS) -> None:
    """Compare a cell on both paths, with the same variables as weights."""
    explicit = run(cell, lengths)
    assert cell.path.startswith("explicit BPTT, ")
    other = Stepwise(cell)
    same(explicit, run(other, lengths))
    assert other.path == "tape, op by op: Stepwise offers no step_backward"


@given(options=lstm_options, lengths=the_lengths)
@trying
def test_lstm_explicit_and_tape(options: dict[str, Any], lengths: Any) -> None:
    v1.reset_default_graph()
    explicit_and_tape(lstm(options), lengths)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rc.BasicRNNCell(UNITS, "relu", dtype="float64"),
        lambda: rc.GRUCell(UNITS, "softsign", dtype="float64"),
        lambda: rc.BasicLSTMCell(UNITS, 0.3, dtype="float64"),
        lambda: rc.BasicLSTMCell(UNITS, state_is_tuple=False, dtype="float64"),
    ],
)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_other_cells_explicit_and_tape(make: Any, lengths: Any) -> None:
    explicit_and_tape(make(), lengths)


@given(options=st.lists(lstm_options, min_size=1, max_size=3), together=st.booleans(), lengths=the_lengths)
@trying
def test_stacked_explicit_and_tape(options: list[dict[str, Any]], together: bool, lengths: Any) -> None:
    v1.reset_default_graph()
    apart = [{**o, "state_is_tuple": o["state_is_tuple"] and not together} for o in options]
    cells = [lstm(o, units) for units, o in enumerate(apart, start=2)]
    explicit_and_tape(rc.MultiRNNCell([*cells, rc.GRUCell(3, dtype="float64")], state_is_tuple=not together), lengths)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_wrapped_explicit_and_tape(lengths: Any) -> None:
    """Wrappers around the loop, each over a part of the stack."""

    def dropped(cell: Any, size: int) -> Any:
        how = {"variational_recurrent": True, "input_size": size, "dtype": "float64"}
        return rc.DropoutWrapper(cell, 0.6, 0.7, **how)

    def cell(units: int) -> Any:
        return rc.LSTMCell(units, dtype="float64")

    lower = dropped(rc.ResidualWrapper(rc.DeviceWrapper(cell(FEATURES), "/cpu:0")), FEATURES)
    upper = rc.ResidualWrapper(dropped(cell(FEATURES), FEATURES))
    explicit_and_tape(rc.MultiRNNCell([lower, upper]), lengths)


@pytest.mark.parametrize("peepholes", [False, True])
def test_by_finite_differences(peepholes: bool) -> None:
    cell = rc.LSTMCell(
        4, use_peepholes=peepholes, cell_clip=0.6, num_proj=2, proj_clip=0.3, dtype="float64", activation="softsign"
    )
    v1.nn.dynamic_rnn(cell, X, dtype="float64")
    state = rc.LSTMStateTuple(np.full((BATCH, 4), 0.3), np.full((BATCH, 2), -0.2))

    def outputs(x: Any, c: Any, m: Any) -> list[Any]:
        return tree.leaves(v1.nn.dynamic_rnn(cell, x, LENGTHS, rc.LSTMStateTuple(c, m)))

    check_gradient(outputs, X, *state, weights=v1.global_variables())


def test_on_every_backend(backend: ModuleType) -> None:
    cell = rc.MultiRNNCell([rc.LSTMCell(3, use_peepholes=True, dtype="float64"), rc.GRUCell(2, dtype="float64")])
    mine = run(cell)
    weights = [w.numpy() for w in v1.global_variables()]
    with mg.using("numpy"):
        v1.reset_default_graph()
        cell = rc.MultiRNNCell([rc.LSTMCell(3, use_peepholes=True, dtype="float64"), rc.GRUCell(2, dtype="float64")])
        v1.nn.dynamic_rnn(cell, X, dtype="float64")
        for weight, value in zip(v1.global_variables(), weights, strict=True):
            weight.assign(value)
        same(mine, run(cell))


PATHS = {
    f"explicit BPTT, formulas of LSTMP: {ONLY_THREE}": lambda: rc.LSTMCell(FEATURES),
    f"explicit BPTT, formulas of LSTMP: {ONLY_THREE}; formulas of GRUResetBefore": lambda: rc.MultiRNNCell(
        [rc.LSTMCell(2), rc.GRUCell(2)]
    ),
    "explicit BPTT, formulas of LSTMP": lambda: rc.DropoutWrapper(rc.LSTMCell(2), 0.5, 0.5),
    "tape, op by op: activation '<lambda>' has no hand-derived": lambda: rc.LSTMCell(2, activation=lambda z: 0.5 * z),
    "tape, op by op: DropoutWrapper drops numbers of the state at every step": lambda: rc.DropoutWrapper(
        rc.LSTMCell(2), state_keep_prob=0.5
    ),
    "tape, op by op: ResidualWrapper has a residual_fn": lambda: rc.ResidualWrapper(
        rc.LSTMCell(FEATURES), lambda x, y: x * y
    ),
    "tape, op by op: ResidualWrapper is around several layers": lambda: rc.ResidualWrapper(
        rc.MultiRNNCell([rc.LSTMCell(2), rc.LSTMCell(FEATURES)])
    ),
    "tape, op by op: DeviceWrapper runs its cell on 'numpy'": lambda: rc.DeviceWrapper(rc.LSTMCell(2), "numpy"),
    "tape, op by op: Halved overrides call": lambda: Halved(2),
    "tape, op by op: HalvedStack overrides call": lambda: HalvedStack([rc.GRUCell(2)]),
    "tape, op by op: HalvedWrapper overrides call": lambda: HalvedWrapper(rc.GRUCell(2)),
}


class _Half:
    """An overridden call, which returns half the output of the base class."""

    def call(self, *args: Any) -> Any:
        output, state = super().call(*args)  # type: ignore[misc]
        return 0.5 * output, state


class Halved(_Half, rc.LSTMCell):
    """Of a cell."""


class HalvedStack(_Half, rc.MultiRNNCell):
    """Of a stack."""


class HalvedWrapper(_Half, rc.ResidualWrapper):
    """Of a wrapper."""


@pytest.mark.parametrize("path", PATHS)
def test_the_path_says_what_ran_and_why(path: str) -> None:
    cell = PATHS[path]()
    assert cell.path == "not run over a sequence yet"
    x = X[..., :2] if "HalvedWrapper" in path else X
    v1.nn.dynamic_rnn(cell, x.astype("float32"), LENGTHS, dtype="float32")
    assert cell.path.startswith(path)


def test_one_node_for_a_sequence() -> None:
    cell = rc.MultiRNNCell([rc.LSTMCell(3), rc.LSTMCell(2)])
    _, (_, top) = v1.nn.dynamic_rnn(cell, X.astype("float32"), dtype="float32")
    assert top.h.node.op.__name__ == "SequenceOp"
    assert top.h.node.inputs[0].node.op.__name__ == "SequenceOp"
