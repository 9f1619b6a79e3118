"""What `dynamic_rnn` and its kin promise whatever the cell: the same numbers on every path and in every layout."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.keras import layers as L
from minigrad.layers import nest
from minigrad.testing import check_gradient

BATCH, TIME, FEATURES, UNITS = 4, 5, 3, 2
X = np.random.default_rng(0).standard_normal((BATCH, TIME, FEATURES))
LENGTHS = [5, 0, 2, 4]
trying = settings(max_examples=40, deadline=None, derandomize=True)

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
the_lengths = st.lists(st.integers(0, TIME), min_size=BATCH, max_size=BATCH) | st.none()


def lstm(options: dict[str, Any], units: int = UNITS) -> Any:
    own = {**options, "proj_clip": options["proj_clip"] if options["num_proj"] else None}
    return rc.LSTMCell(units, **own, dtype="float64")


class Stepwise(rc.RNNCell):
    """A cell that hides the formulas of another: it can only be called."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell

    @property
    def state_size(self) -> Any:
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        return self.cell.output_size

    def call(self, inputs: Any, state: Any) -> Any:
        return self.cell(inputs, state)


def shapes_of(cell: Any) -> list[tuple[int, int]]:
    return [(BATCH, size) for size in nest.leaves(cell.state_size)]


def run(cell: Any, lengths: Any = LENGTHS, function: Any = v1.nn.dynamic_rnn, x: np.ndarray = X, **how: Any) -> Any:
    """Outputs, final states and all gradients under random cotangents, from random states; weights drawn once."""
    rng = np.random.default_rng(1)
    x = mg.tensor(x, requires_grad=True)
    states = [mg.tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes_of(cell)]
    state = nest.like(cell.state_size, states)

    def found() -> list[mg.Tensor]:
        return nest.leaves(function(cell, x, sequence_length=lengths, initial_state=state, **how))

    if not v1.global_variables():
        found()
        for weight in v1.global_variables():
            weight.assign(rng.standard_normal(weight.shape))
    cotangents = np.random.default_rng(2)
    flat = found()
    gradients = mg.grad(flat, [x, *states, *v1.global_variables()], [cotangents.standard_normal(y.shape) for y in flat])
    return [y.numpy() for y in flat], [np.zeros(1) if g is None else g.numpy() for g in gradients]


def same(one: Any, other: Any, rtol: float = 1e-10) -> None:
    for mine, theirs in zip([*one[0], *one[1]], [*other[0], *other[1]], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=1e-12)


# --- one number on every path -----------------------------------------------------------------------------------------


def explicit_and_tape(cell: Any, lengths: Any = LENGTHS) -> None:
    """The weights are the same variables for both."""
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
    """The wrappers act around the loop, over a part of the stack each."""

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
        return nest.leaves(v1.nn.dynamic_rnn(cell, x, LENGTHS, rc.LSTMStateTuple(c, m)))

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
    "explicit BPTT, formulas of LSTMPStep: the numpy backend has no kernel for it": lambda: rc.LSTMCell(FEATURES),
    "explicit BPTT, formulas of LSTMPStep: the numpy backend has no kernel for it; formulas of GRUStep": lambda: (
        rc.MultiRNNCell([rc.LSTMCell(2), rc.GRUCell(2)])
    ),
    "explicit BPTT, formulas of LSTMPStep": lambda: rc.DropoutWrapper(rc.LSTMCell(2), 0.5, 0.5),
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
    "tape, op by op: Halved has a call of its own": lambda: Halved(2),
    "tape, op by op: HalvedStack has a call of its own": lambda: HalvedStack([rc.GRUCell(2)]),
    "tape, op by op: HalvedWrapper has a call of its own": lambda: HalvedWrapper(rc.GRUCell(2)),
}


class _Half:
    """A call of its own, that of the class behind halved."""

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
    assert top.h.node.op.__name__ == "Sequence"
    assert top.h.node.inputs[0].node.op.__name__ == "Sequence"


# --- the generations meet ---------------------------------------------------------------------------------------------


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
    """`dynamic_rnn(LSTMCell, lengths)` is Keras' `LSTM(mask)`, the weights brought over: i, j, f, o and i, f, j, o."""
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
    """The GRU's gates are r, u there and z, r here: u is z. Its reset gate acts before the product."""
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
    """Its states are as Keras has them: [h, c], a bare tensor for a GRU."""
    cells = {"lstm": [L.LSTMCell(UNITS, dtype="float64")], "gru": [L.GRUCell(UNITS, dtype="float64")]}
    made = cells.get(kind) or [L.LSTMCell(3, dtype="float64"), L.GRUCell(2, dtype="float64")]
    cell = L.StackedRNNCells(made) if len(made) > 1 else made[0]
    outputs, state = v1.nn.dynamic_rnn(cell, X, LENGTHS, dtype="float64")
    layer = L.RNN(cell, return_sequences=True, return_state=True, zero_output_for_mask=True, dtype="float64")
    y, *states = layer(X, mask=np.arange(TIME) < np.array(LENGTHS)[:, None])
    for mine, theirs in zip(nest.leaves((outputs, state)), nest.leaves((y, states)), strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    structures = {"lstm": [0, 0], "gru": 0, "stacked": ([0, 0], 0)}
    assert nest.over(lambda _: 0, state) == structures[kind]


@pytest.mark.parametrize("state_is_tuple", [True, False])
@pytest.mark.parametrize("stacked", [False, True])
def test_a_cell_in_keras_layer(stacked: bool, state_is_tuple: bool) -> None:
    lower = rc.LSTMCell(UNITS, use_peepholes=True, state_is_tuple=state_is_tuple, dtype="float64" if stacked else None)
    cell = [lower, rc.GRUCell(3, dtype="float64")] if stacked else lower
    layer = L.RNN(cell, return_sequences=True, return_state=True, zero_output_for_mask=True, dtype="float64")
    y, *states = layer(X, mask=np.arange(TIME) < np.array(LENGTHS)[:, None])
    assert layer.path.startswith("explicit BPTT, formulas of LSTMPStep")
    whole = rc.MultiRNNCell(layer.cell.cells) if stacked else layer.cell
    outputs, state = v1.nn.dynamic_rnn(whole, X, LENGTHS, dtype="float64")
    for mine, theirs in zip(nest.leaves((outputs, state)), nest.leaves((y, states)), strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    unrolled = L.RNN(layer.cell, unroll=True, return_sequences=True, zero_output_for_mask=True, dtype="float64")
    again = unrolled(X, mask=np.arange(TIME) < np.array(LENGTHS)[:, None])
    np.testing.assert_allclose(again.numpy(), y.numpy(), rtol=1e-12, atol=1e-14)


# --- layouts ----------------------------------------------------------------------------------------------------------

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
    """The outputs stand side by side; the weights have the same names."""
    fw, bw = rc.LSTMCell(UNITS, **options, dtype="float64"), rc.GRUCell(2, dtype="float64")
    start = rc.LSTMStateTuple(*(np.full(shape, 0.5) for shape in shapes_of(fw))), np.full((BATCH, 2), -0.5)
    outputs, *states = v1.nn.static_bidirectional_rnn(
        fw, bw, list(mg.unstack(mg.tensor(X), 1)), *start, sequence_length=lengths, dtype="float64"
    )
    both, final = v1.nn.bidirectional_dynamic_rnn(fw, bw, X, lengths, *start)
    np.testing.assert_array_equal(mg.stack(outputs, 1).numpy(), mg.concat(both, -1).numpy())
    for mine, theirs in zip(nest.leaves(states), nest.leaves(final), strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    assert names()[0] == "bidirectional_rnn/fw/lstm_cell/kernel:0"


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_lengths_of_any_whole_dtype(dtype: str) -> None:
    x = np.ones((1, 300, 1), "float32")
    outputs, _ = v1.nn.dynamic_rnn(rc.GRUCell(1), x, np.array([250], dtype), dtype="float32")
    assert np.flatnonzero(outputs.numpy()).tolist() == list(range(250))


def test_a_row_ends_where_its_length_says() -> None:
    """A row's outputs and state are those of the row by itself, cut to its length; beyond there are zeros."""
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
        [y_fw, y_bw, *nest.leaves(states)], [one, back, *nest.leaves((state_fw, state_bw))], strict=True
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


# --- dtypes and scopes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_that_of_state_weights_and_outputs(dtype: str) -> None:
    cell = rc.MultiRNNCell([rc.LSTMCell(UNITS), rc.GRUCell(UNITS)])
    outputs, state = v1.nn.dynamic_rnn(cell, X.astype("float32"), dtype=dtype)
    assert {t.dtype.name for t in (outputs, *nest.leaves(state), *v1.global_variables())} == {dtype}


def test_without_a_dtype_it_is_that_of_the_inputs() -> None:
    outputs, _ = v1.nn.dynamic_rnn(rc.GRUCell(UNITS), X, initial_state=np.zeros((BATCH, UNITS), "float32"))
    assert outputs.dtype.name == "float64"


def names() -> list[str]:
    return [w.name for w in v1.global_variables()]


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
    """A cell in the style of 2016: its variables are asked for in its call."""

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
