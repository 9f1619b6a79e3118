"""The same numbers on every path of a recurrent layer, with any options."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from layer_errors import ONE_NODE_A_STEP

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from kernel_reasons import NO_RECURRENT_DROPOUT, only_tanh
from minigrad.engine import tree
from minigrad.keras import layers as L
from minigrad.testing import check_gradient

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 3
PAIRS = {"lstm": (L.LSTM, L.LSTMCell), "gru": (L.GRU, L.GRUCell), "simple_rnn": (L.SimpleRNN, L.SimpleRNNCell)}
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)  # a hole; a fully masked row

the_cell = st.fixed_dictionaries(
    {
        "activation": st.sampled_from(["tanh", "relu", "gelu"]),
        "use_bias": st.booleans(),
        "dropout": st.sampled_from([0.0, 0.4]),
        "recurrent_dropout": st.sampled_from([0.0, 0.0, 0.3]),
    }
)
the_loop = st.fixed_dictionaries(
    {
        "return_sequences": st.booleans(),
        "return_state": st.booleans(),
        "go_backwards": st.booleans(),
        "stateful": st.booleans(),
        "time_major": st.booleans(),
        "unroll": st.booleans(),
        "zero_output_for_mask": st.booleans(),
    }
)
the_call = st.fixed_dictionaries({"masked": st.booleans(), "given_states": st.booleans(), "training": st.booleans()})
trying = settings(max_examples=60, deadline=None, derandomize=True)


def turned(a: np.ndarray, layer: Any) -> np.ndarray:
    return np.swapaxes(a, 0, 1) if layer.time_major else a


def run(layer: Any, masked: bool, given_states: bool, training: bool, weights: Any = None) -> list[np.ndarray]:
    """Outputs and all gradients, under random cotangents, of two calls: at the second a stateful layer has a state."""
    rng = np.random.default_rng(5)
    found: list[np.ndarray] = []
    layer.build((None, BATCH, FEATURES) if layer.time_major else (BATCH, None, FEATURES))
    if weights is not None:
        layer.set_weights(weights)
    for _ in range(2):
        x = mg.tensor(turned(rng.standard_normal((BATCH, TIME, FEATURES)), layer), requires_grad=True)
        sizes = tree.leaves(layer.cell.state_size)
        states = [mg.tensor(rng.standard_normal((BATCH, n)), requires_grad=True) for n in sizes]
        mg.random.seed(11)  # the same dropout masks
        y = layer(
            x,
            mask=turned(MASK, layer) if masked else None,
            initial_state=states if given_states else None,
            training=training,
        )
        flat = tree.leaves(y)
        cotangents = [rng.standard_normal(part.shape) for part in flat]
        gradients = mg.grad(flat, [x, *layer.weights, *states], cotangents)
        found += [part.numpy() for part in flat]
        found += [np.zeros(1) if g is None else g.numpy() for g in gradients]
    return found


def close(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def random_weights(layer: Any) -> list[np.ndarray]:
    rng = np.random.default_rng(6)
    layer.build((None, BATCH, FEATURES) if layer.time_major else (BATCH, None, FEATURES))
    return [rng.standard_normal(w.shape) for w in layer.weights]


# --- one number on every path -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PAIRS)
@given(cell=the_cell, loop=the_loop, call=the_call)
@trying
def test_a_layer_is_rnn_of_its_cell(kind: str, cell: Any, loop: Any, call: Any) -> None:
    layer_class, cell_class = PAIRS[kind]
    layer = layer_class(UNITS, **cell, **loop, dtype="float64")
    weights = random_weights(layer)
    around = L.RNN(cell_class(UNITS, **cell, dtype="float64"), **loop, dtype="float64")
    close(run(layer, **call, weights=weights), run(around, **call, weights=weights))
    assert layer.path == around.path


@pytest.mark.parametrize("kind", PAIRS)
@given(cell=the_cell, loop=the_loop, call=the_call)
@trying
def test_unrolled_or_not(kind: str, cell: Any, loop: Any, call: Any) -> None:
    layer_class, _ = PAIRS[kind]
    one, other = (layer_class(UNITS, **cell, **{**loop, "unroll": u}, dtype="float64") for u in (False, True))
    weights = random_weights(one)
    close(run(one, **call, weights=weights), run(other, **call, weights=weights))
    assert one.path.startswith("explicit BPTT")
    assert other.path == f"{ONE_NODE_A_STEP}unroll=True"


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@given(cell=the_cell, loop=the_loop, call=the_call, reset_after=st.booleans())
@trying
def test_implementation_1_is_implementation_2(kind: str, cell: Any, loop: Any, call: Any, reset_after: bool) -> None:
    """The dropout masks differ by design, so without dropout."""
    own = {**cell, "dropout": 0.0, "recurrent_dropout": 0.0}
    if kind == "gru":
        own["reset_after"] = reset_after
    one, two = (PAIRS[kind][0](UNITS, **own, **loop, implementation=k, dtype="float64") for k in (1, 2))
    weights = random_weights(one)
    close(run(one, **call, weights=weights), run(two, **call, weights=weights))


@pytest.mark.parametrize("kind", PAIRS)
@given(cell=the_cell, loop=the_loop, call=the_call)
@trying
def test_kernel_and_formulas(kind: str, cell: Any, loop: Any, call: Any) -> None:
    layer = PAIRS[kind][0](UNITS, **{**cell, "activation": "tanh"}, **loop, dtype="float64")
    weights = random_weights(layer)
    with_kernels = run(layer, **call, weights=weights)
    layer = type(layer).from_config(layer.get_config())
    with mg.trace(layer):  # while it looks, the formulas run
        close(with_kernels, run(layer, **call, weights=weights))


@pytest.mark.parametrize("kind", PAIRS)
def test_second_derivatives_where_a_kernel_ran(kind: str) -> None:
    """The gradient of the gradient, from the formulas: a kernel's numbers are on no tape."""
    layer = PAIRS[kind][0](UNITS, return_sequences=True, return_state=True, dtype="float64")
    x = np.random.default_rng(9).standard_normal((BATCH, TIME, FEATURES))
    layer(x)
    check_gradient(lambda x: layer(x, mask=MASK), x, weights=layer.weights, second_order=True, max_elements=8)


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("masked", [False, True])
def test_go_backwards_is_a_flip(kind: str, masked: bool) -> None:
    """The inputs and the mask are turned round; the outputs stay in the order in which they were made."""
    x = np.random.default_rng(1).standard_normal((BATCH, TIME, FEATURES))
    mask = MASK if masked else None
    back = PAIRS[kind][0](UNITS, return_sequences=True, return_state=True, go_backwards=True, dtype="float64")
    back(x)
    forth = PAIRS[kind][0](UNITS, return_sequences=True, return_state=True, dtype="float64")
    forth(x)
    forth.set_weights(back.get_weights())
    flipped = forth(x[:, ::-1].copy(), mask=None if mask is None else mask[:, ::-1].copy())
    close([y.numpy() for y in back(x, mask=mask)], [y.numpy() for y in flipped])


@pytest.mark.parametrize("kind", PAIRS)
def test_a_mask_of_true_is_no_mask(kind: str) -> None:
    layer = PAIRS[kind][0](UNITS, return_sequences=True, return_state=True, dtype="float64")
    x = np.random.default_rng(2).standard_normal((BATCH, TIME, FEATURES))
    plain = [y.numpy() for y in layer(x)]
    everywhere = np.ones((BATCH, TIME), bool)
    for mask in (everywhere, everywhere.astype("int32"), mg.tensor(everywhere)):
        close([y.numpy() for y in layer(x, mask=mask)], plain)


@pytest.mark.parametrize("kind", PAIRS)
def test_stateful_batches_are_one_long_sequence(kind: str) -> None:
    x = np.random.default_rng(3).standard_normal((BATCH, 12, FEATURES))
    layer = PAIRS[kind][0](UNITS, return_sequences=True, stateful=True, dtype="float64")
    whole = layer(x).numpy()
    layer.reset_states()
    parts = [layer(x[:, start : start + 4]).numpy() for start in (0, 4, 8)]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, rtol=1e-12)
    np.testing.assert_array_equal(layer.states[0].numpy(), parts[-1][:, -1])


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_the_layers_everywhere(kind: str, dtype: str) -> None:
    layer = PAIRS[kind][0](UNITS, return_sequences=True, return_state=True, dtype=dtype)
    for x in (np.ones((2, 3, FEATURES), "float32"), np.ones((2, 3, FEATURES)), np.ones((2, 3, FEATURES)).tolist()):
        for state in (None, [np.ones((2, UNITS), "float64") for _ in tree.leaves(layer.cell.state_size)]):
            assert {y.dtype.name for y in layer(x, initial_state=state)} == {dtype}
    assert {w.dtype.name for w in layer.weights} == {dtype}


def test_a_cells_dtype_counts_for_the_layer_around() -> None:
    x = np.random.default_rng(4).standard_normal((2, 3, FEATURES))
    layer = L.RNN(L.LSTMCell(UNITS, dtype="float64"), return_state=True)
    assert {y.dtype.name for y in layer(x)} == {"float64"}
    stack = L.RNN([L.LSTMCell(UNITS, dtype="float64"), L.GRUCell(2, dtype="float64")], return_state=True)
    assert {y.dtype.name for y in tree.leaves(stack(x))} == {"float64"}


def test_inputs_masks_and_states_as_arrays_or_tensors() -> None:
    rng = np.random.default_rng(5)
    layer = L.LSTM(UNITS, return_state=True, dtype="float64")
    x, states = rng.standard_normal((BATCH, TIME, FEATURES)), [rng.standard_normal((BATCH, UNITS)) for _ in "hc"]
    expected = [y.numpy() for y in layer(x, mask=MASK, initial_state=states)]
    tensors = [mg.tensor(s) for s in states]
    for outputs in (
        layer(mg.tensor(x), mask=mg.tensor(MASK), initial_state=tensors),
        layer([x, *states], mask=MASK),  # Keras' other way to hand over the states
        layer([mg.tensor(x), *tensors], mask=MASK),
        layer(x, MASK, None, tensors),  # by position
    ):
        close([y.numpy() for y in outputs], expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda: L.LSTM(2, dropout=0.5, recurrent_dropout=0.5, return_sequences=True, stateful=True),
        lambda: L.GRU(2, dropout=0.5, go_backwards=True),
        lambda: L.GRU(2, reset_after=False, recurrent_dropout=0.3),
        lambda: L.SimpleRNN(2, dropout=0.2, recurrent_dropout=0.2, unroll=True),
        lambda: L.RNN([L.LSTMCell(2, dropout=0.2), L.GRUCell(3, dropout=0.2)]),
        lambda: L.LSTM(2, tbptt=(1, 2), kernel_regularizer="l1", activity_regularizer="l2"),
    ],
)
def test_on_every_backend(make: Any, backend: ModuleType) -> None:
    """No array of NumPy by accident: dropout masks, time mask, states and penalties are the backend's."""
    layer = make()
    y = layer(np.ones((BATCH, TIME, FEATURES)), mask=MASK, training=True)
    sum(layer.losses, start=(y * y).sum()).backward()
    assert all(w.grad.backend is backend for w in layer.weights)
    states = [np.ones((BATCH, n)) for n in tree.leaves(layer.cell.state_size)]
    assert layer(np.ones((BATCH, TIME, FEATURES)), initial_state=states).backend is backend


# --- further attributes -------------------------------------------------------------------------------------------


def test_shapes() -> None:
    x = np.zeros((2, 6, FEATURES), "float32")
    assert L.LSTM(UNITS)(x).shape == (2, UNITS)
    assert L.LSTM(UNITS, return_sequences=True)(x).shape == (2, 6, UNITS)
    assert L.LSTM(UNITS, return_sequences=True, time_major=True)(x).shape == (2, 6, UNITS)
    assert [y.shape for y in L.LSTM(UNITS, return_state=True)(x)] == [(2, UNITS)] * 3
    assert [y.shape for y in L.GRU(UNITS, return_state=True, return_sequences=True)(x)] == [(2, 6, UNITS), (2, UNITS)]
    assert L.LSTM(UNITS)(np.zeros((0, 6, FEATURES))).shape == (0, UNITS)


def test_the_mask_goes_on_with_a_sequence_and_ends_with_the_last_output() -> None:
    x = mg.tensor(np.zeros((BATCH, TIME, FEATURES)))
    x._keras_mask = mg.tensor(MASK)
    sequence, state, _ = L.LSTM(UNITS, return_sequences=True, return_state=True)(x)
    assert sequence._keras_mask is x._keras_mask
    assert getattr(state, "_keras_mask", None) is None
    assert getattr(L.LSTM(UNITS)(x), "_keras_mask", None) is None


def test_a_mask_survives_the_cast_to_the_layers_dtype() -> None:
    x = np.random.default_rng(7).standard_normal((BATCH, TIME, FEATURES)).astype("float32")
    x[:, 2:] = 0.0
    layer = L.LSTM(UNITS, dtype="float64")
    masked = layer(L.Masking()(x))
    np.testing.assert_array_equal(masked.numpy(), layer(x[:, :2]).numpy())


FUSED = "explicit BPTT, fused kernel of the numpy backend"
FORMULAS = "explicit BPTT, formulas of LSTM: "
PATHS = {
    FUSED: lambda: L.LSTM(2),
    FORMULAS + only_tanh("Relu"): lambda: L.LSTM(2, "relu"),
    FORMULAS + "tbptt=(1, 2)": lambda: L.LSTM(2, tbptt=(1, 2)),
    FORMULAS + NO_RECURRENT_DROPOUT: lambda: L.LSTM(2, recurrent_dropout=0.5),
    FUSED + "; formulas of LSTM: the kernel supports": lambda: L.RNN([L.LSTMCell(2), L.LSTMCell(2, "elu")]),
    f"{ONE_NODE_A_STEP}unroll=True": lambda: L.LSTM(2, unroll=True),
    "tape, op by op: unroll=True": lambda: L.LSTM(2, lambda z: z * 1.5, unroll=True),
    "tape, op by op: activation '<lambda>' has no hand-derived derivative": lambda: L.LSTM(2, lambda z: z * 1.5),
}


@pytest.mark.parametrize("path", PATHS)
def test_the_path_says_what_ran_and_why(path: str) -> None:
    layer = PATHS[path]()
    assert layer.path == "not called yet"
    layer(np.zeros((2, 3, FEATURES), "float32"), training=True)
    assert layer.path.startswith(path)


def test_a_stack_of_equal_cells_says_it_once() -> None:
    layer = L.RNN([L.LSTMCell(2), L.LSTMCell(2)])
    layer(np.zeros((2, 3, FEATURES), "float32"))
    assert layer.path == FUSED


def test_initial_states_by_get_initial_state() -> None:
    layer = L.LSTM(UNITS, time_major=True)
    states = layer.get_initial_state(np.zeros((TIME, BATCH, FEATURES)))
    assert [s.shape for s in states] == [(BATCH, UNITS)] * 2


def test_a_stateful_layer_carries_its_state_without_its_history() -> None:
    layer = L.LSTM(UNITS, stateful=True, dtype="float64")
    first = mg.tensor(np.random.default_rng(8).standard_normal((2, 3, FEATURES)), requires_grad=True)
    layer(first)
    second = layer(np.ones((2, 3, FEATURES)))
    assert mg.grad(second.sum(), [first]) == [None]


def test_no_gradient_no_graph() -> None:
    layer = L.GRU(UNITS)
    layer.trainable = False
    with mg.no_grad():
        assert not layer(np.zeros((2, 3, FEATURES))).requires_grad
