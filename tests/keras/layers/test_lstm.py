"""The pages on ``tf.keras.layers.LSTM`` and ``LSTMCell``, row by row: every argument, attribute, method and error."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import NO_BATCH_SIZE, OLD_BATCH
from minigrad import compat
from minigrad.keras import initializers
from minigrad.keras import layers as L
from minigrad.layers import regularizers
from spec.pages import PAGES

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 5, 4)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)
BOTH = pytest.mark.parametrize("layer_class", [L.LSTM, L.LSTMCell])


def built(layer_class: Any, **kwargs: Any) -> Any:
    layer = layer_class(2, **kwargs)
    layer.build((3, 4) if layer_class is L.LSTMCell else (3, 5, 4))
    return layer


def cell_of(layer: Any) -> Any:
    return getattr(layer, "cell", layer)


# --- arguments --------------------------------------------------------------------------------------------------------


def test_inherits_from() -> None:
    assert issubclass(L.LSTM, compat.v1.keras.layers.LSTM)
    assert issubclass(L.LSTMCell, compat.v1.keras.layers.LSTMCell)
    assert issubclass(L.LSTM, L.RNN)
    assert issubclass(L.LSTMCell, L.Layer)


@BOTH
def test_arguments_that_the_page_does_not_have_go_by_name(layer_class: Any) -> None:
    """The arguments, in their order and with their defaults: `tests/spec/test_pages.py`."""
    (page,) = [page for page in PAGES if page.title == f"tf.keras.layers.{layer_class.__name__}"]
    taken = inspect.signature(layer_class).parameters
    extra = taken.keys() - page.arguments.keys()
    assert extra
    assert {taken[name].kind for name in extra} == {inspect.Parameter.KEYWORD_ONLY}


@BOTH
def test_units(layer_class: Any) -> None:
    assert layer_class(7).units == 7


@BOTH
@pytest.mark.parametrize(("name", "gate"), [("activation", 2), ("recurrent_activation", 0)])
def test_activations_by_name_by_function_and_none(layer_class: Any, name: str, gate: int) -> None:
    given = [layer_class(2, **{name: a}) for a in ("relu", mg.functional.relu, None, "linear")]
    functions = [getattr(layer, name) for layer in given]
    assert functions == [mg.functional.relu, mg.functional.relu, mg.functional.linear, mg.functional.linear]
    relu, _, none, _ = given
    x = X if layer_class is L.LSTM else X[:, 0]
    call = (lambda c: c(x)) if layer_class is L.LSTM else (lambda c: c(x, c.get_initial_state(x))[0])
    y = call(relu)
    none(x) if layer_class is L.LSTM else call(none)
    none.set_weights(relu.get_weights())
    assert not np.allclose(call(none).numpy(), y.numpy())


@BOTH
def test_use_bias(layer_class: Any) -> None:
    assert [w.shape for w in built(layer_class).weights] == [(4, 8), (2, 8), (8,)]
    without = built(layer_class, use_bias=False)
    assert [w.shape for w in without.weights] == [(4, 8), (2, 8)]
    assert cell_of(without).bias is None


@BOTH
def test_initializers(layer_class: Any) -> None:
    layer = built(
        layer_class,
        kernel_initializer="ones",
        recurrent_initializer=initializers.Constant(3.0),
        bias_initializer=lambda shape, dtype: mg.ones(shape, dtype) * 5.0,
        unit_forget_bias=False,
    )
    kernel, recurrent, bias = (w.numpy() for w in layer.weights)
    assert (kernel == 1.0).all()
    assert (recurrent == 3.0).all()
    assert (bias == 5.0).all()
    q = built(layer_class).weights[1].numpy()
    np.testing.assert_allclose(q @ q.T, np.eye(2), atol=1e-6)  # orthogonal by default


@BOTH
def test_unit_forget_bias(layer_class: Any) -> None:
    """Forget bias of 1 at initialization; the other biases are the bias initializer's zeros."""
    np.testing.assert_array_equal(built(layer_class).weights[2].numpy(), [0, 0, 1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(built(layer_class, unit_forget_bias=False).weights[2].numpy(), np.zeros(8))


@BOTH
@pytest.mark.parametrize(("name", "index"), [("kernel", 0), ("recurrent", 1), ("bias", 2)])
def test_regularizers(layer_class: Any, name: str, index: int) -> None:
    layer = built(layer_class, **{f"{name}_regularizer": regularizers.L2(0.5)})
    (loss,) = layer.losses
    np.testing.assert_allclose(loss.item(), 0.5 * (layer.weights[index].numpy() ** 2).sum(), rtol=1e-6)
    (gradient,) = mg.grad(loss, layer.weights[index])
    np.testing.assert_allclose(gradient.numpy(), layer.weights[index].numpy(), rtol=1e-6)
    layer.weights[index].assign(2.0 * layer.weights[index].numpy())
    np.testing.assert_allclose(layer.losses[0].item(), 4.0 * loss.item(), rtol=1e-6)  # of the weights as they are now


def test_activity_regularizer() -> None:
    layer = L.LSTM(2, activity_regularizer="l2", return_sequences=True)
    y = layer(X)
    np.testing.assert_allclose(layer.losses[0].item(), 0.01 * (y.numpy() ** 2).sum() / 3, rtol=1e-6)
    layer(X)
    assert len(layer.losses) == 1


@BOTH
@pytest.mark.parametrize(("name", "index"), [("kernel", 0), ("recurrent", 1), ("bias", 2)])
def test_constraints(layer_class: Any, name: str, index: int) -> None:
    layer = built(layer_class, **{f"{name}_constraint": "non_neg"})
    weight = layer.weights[index]
    weight.assign(-np.ones(weight.shape))
    optimizer = mg.keras.optimizers.SGD(0.0)
    optimizer.minimize((weight * weight).sum(), [weight])
    assert (weight.numpy() == 0.0).all()
    assert [w.constraint is not None for w in layer.weights] == [k == index for k in range(3)]


@BOTH
@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
def test_dropout_acts_in_training_only(layer_class: Any, name: str) -> None:
    layer = built(layer_class, **{name: 0.5})
    state = [np.ones((3, 2), "float32")] * 2

    def run(training: bool | None) -> np.ndarray:
        cell_of(layer).reset_dropout_mask()
        cell_of(layer).reset_recurrent_dropout_mask()
        if layer_class is L.LSTM:
            return layer(X, training=training).numpy()
        return layer(X[:, 0], state, training=training)[0].numpy()

    np.testing.assert_array_equal(run(None), run(False))
    assert not np.allclose(run(True), run(False))
    assert not np.allclose(run(True), run(True))


def test_all_dropped() -> None:
    layer = built(L.LSTM, dropout=1.0)
    np.testing.assert_array_equal(layer(X, training=True).numpy(), layer(0.0 * X).numpy())


def test_return_sequences_and_state() -> None:
    assert built(L.LSTM)(X).shape == (3, 2)
    assert built(L.LSTM, return_sequences=True)(X).shape == (3, 5, 2)
    y, h, c = built(L.LSTM, return_state=True)(X)
    np.testing.assert_array_equal(y.numpy(), h.numpy())
    assert c.shape == (3, 2)


def test_time_major() -> None:
    layer, other = built(L.LSTM, return_sequences=True), L.LSTM(2, return_sequences=True, time_major=True)
    turned = X.swapaxes(0, 1)
    other(turned, mask=MASK.T)
    other.set_weights(layer.get_weights())
    expected = layer(X, mask=MASK).numpy().swapaxes(0, 1)
    np.testing.assert_allclose(other(turned, mask=MASK.T).numpy(), expected, rtol=1e-6)


# --- the call ---------------------------------------------------------------------------------------------------------


def test_cells_call() -> None:
    cell = built(L.LSTMCell)
    output, states = cell(X[:, 0], [np.zeros((3, 2)), np.ones((3, 2))], training=False)
    assert isinstance(states, list)
    np.testing.assert_array_equal(output.numpy(), states[0].numpy())
    with_tuple = cell(X[:, 0], (np.zeros((3, 2)), np.ones((3, 2))))[1]
    assert isinstance(with_tuple, tuple)


def test_the_state_is_h_then_c() -> None:
    """State with all gates but the forget gate closed by their biases: c stays and h becomes 0."""
    cell = built(L.LSTMCell)
    shut = np.repeat([-100.0, 100.0, 0.0, -100.0], 2)
    cell.set_weights([np.zeros((4, 8)), np.zeros((2, 8)), shut])
    h, c = RNG.standard_normal((2, 3, 2))
    _, (h_new, c_new) = cell(X[:, 0], [h, c])
    np.testing.assert_allclose(c_new.numpy(), c, rtol=1e-6)
    np.testing.assert_allclose(h_new.numpy(), 0.0, atol=1e-6)


@pytest.mark.parametrize("where", ["leading", "inner", "trailing", "all"])
def test_masked_steps_keep_the_state_and_repeat_the_output(where: str) -> None:
    layer = built(L.LSTM, return_sequences=True, return_state=True)
    masked = {"leading": [0, 1], "inner": [2], "trailing": [3, 4], "all": [0, 1, 2, 3, 4]}[where]
    mask = np.ones((3, 5), bool)
    mask[:, masked] = False
    start = [np.full((3, 2), 0.3, "float32"), np.full((3, 2), -0.2, "float32")]
    y, h, c = (t.numpy() for t in layer(X, mask=mask, initial_state=start))
    kept = [t for t in range(5) if t not in masked]
    expected = layer(X[:, kept], initial_state=start) if kept else None
    for t in range(5):
        before = [k for k in kept if k <= t]
        if not before:
            np.testing.assert_array_equal(y[:, t], 0.0)  # there is no output yet, for any state
        else:
            np.testing.assert_allclose(y[:, t], expected[0].numpy()[:, len(before) - 1], rtol=1e-5, atol=1e-7)
    for mine, final in zip((h, c), expected[1:] if expected else start, strict=True):
        np.testing.assert_allclose(mine, getattr(final, "array", final), rtol=1e-5, atol=1e-7)


def test_initial_state() -> None:
    layer = built(L.LSTM)
    zeros = [np.zeros((3, 2))] * 2
    np.testing.assert_array_equal(layer(X).numpy(), layer(X, initial_state=zeros).numpy())
    assert not np.allclose(layer(X).numpy(), layer(X, initial_state=[np.ones((3, 2))] * 2).numpy())


# --- attributes -------------------------------------------------------------------------------------------------------

ATTRIBUTES = [
    "activation", "bias_constraint", "bias_initializer", "bias_regularizer", "dropout", "implementation",
    "kernel_constraint", "kernel_initializer", "kernel_regularizer", "recurrent_activation", "recurrent_constraint",
    "recurrent_dropout", "recurrent_initializer", "recurrent_regularizer", "states", "unit_forget_bias", "units",
    "use_bias",
]  # fmt: skip


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes_of_the_layer_are_its_cells(name: str) -> None:
    layer = L.LSTM(2, dropout=0.25, kernel_constraint="max_norm", bias_regularizer="l1")
    if name == "states":
        assert layer.states == [None, None]
    else:
        assert getattr(layer, name) is getattr(layer.cell, name)


def test_an_attribute_that_is_set_reaches_the_cell() -> None:
    layer = L.LSTM(2)
    layer.dropout = 0.5
    assert layer.cell.dropout == 0.5
    assert layer.get_config()["dropout"] == 0.5


def test_implementation() -> None:
    assert (L.LSTM(2).implementation, L.LSTMCell(2).implementation) == (2, 2)
    assert L.LSTM(2, recurrent_dropout=0.1).implementation == 1  # as in Keras: one mask and product per gate
    assert L.LSTM(2, implementation=1).get_config()["implementation"] == 1


# --- methods ----------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("get", "reset", "rate"),
    [
        ("get_dropout_mask_for_cell", "reset_dropout_mask", "dropout"),
        ("get_recurrent_dropout_mask_for_cell", "reset_recurrent_dropout_mask", "recurrent_dropout"),
    ],
)
def test_dropout_masks(layer_class: Any, get: str, reset: str, rate: str) -> None:
    inputs = mg.tensor(X[:, 0])
    layer = layer_class(2, **{rate: 0.5})
    masks = getattr(layer, get)(inputs, training=True, count=4)
    assert [m.shape for m in masks] == [(3, 4)] * 4
    assert set(np.unique([m.numpy() for m in masks])) == {0.0, 2.0}
    assert getattr(layer, get)(inputs, training=True, count=4) is masks  # cached
    assert getattr(layer, get)(inputs, training=False, count=1) is masks  # also when asked otherwise, as in Keras
    getattr(layer, reset)()
    (ones,) = getattr(layer, get)(inputs, training=False)
    assert (ones.numpy() == 1.0).all()
    assert getattr(layer_class(2), get)(inputs, True) is None


def test_masks_last_a_sequence_and_no_longer() -> None:
    """One mask for all steps of a call, a new one at the next call."""
    layer = L.LSTM(2, dropout=0.5, unroll=True)
    layer(X, training=True)
    first = layer.cell._dropout_masks
    layer(X, training=True)
    assert layer.cell._dropout_masks is not first
    assert len(first) == 4


def test_cells_get_initial_state() -> None:
    cell = L.LSTMCell(2)
    for states in (
        cell.get_initial_state(batch_size=3, dtype="float64"),
        cell.get_initial_state(mg.tensor(X[:, 0].astype("float64"))),
        cell.get_initial_state(inputs=mg.tensor(X[:, 0].astype("float64")), dtype="float32"),  # the inputs' dtype wins
    ):
        assert [(s.shape, s.dtype.name) for s in states] == [((3, 2), "float64")] * 2
        assert all((s.numpy() == 0.0).all() for s in states)
    with pytest.raises(ValueError, match=NO_BATCH_SIZE):
        cell.get_initial_state()
    with pytest.raises(ValueError, match="expected a `dtype` with `batch_size`, got None"):
        cell.get_initial_state(batch_size=3)


def test_stateful_and_reset_states() -> None:
    layer = built(L.LSTM, stateful=True)
    first, second = layer(X).numpy(), layer(X).numpy()
    assert not np.allclose(first, second)
    layer.reset_states()
    np.testing.assert_array_equal(layer(X).numpy(), first)
    values = [np.full((3, 2), 0.5, "float32"), np.full((3, 2), 0.25, "float32")]
    layer.reset_states(values)
    for mine, expected in zip(layer.states, values, strict=True):
        np.testing.assert_array_equal(mine.numpy(), expected)
    plain = built(L.LSTM)
    plain.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(X).numpy(), plain(X, initial_state=values).numpy())


def test_reset_states_before_the_first_call() -> None:
    layer = L.LSTM(2, stateful=True, batch_input_shape=(3, None, 4))
    layer.reset_states([np.ones((3, 2))] * 2)
    assert [s.shape for s in layer.states] == [(3, 2)] * 2
    with pytest.raises(ValueError, match=f"{OLD_BATCH}3, got a batch of 2"):
        layer(X[:2])


def test_reset_states_raises() -> None:
    with pytest.raises(AttributeError, match=r"carries no state\. Make it with stateful=True"):
        L.LSTM(2).reset_states()
    unknown = L.LSTM(2, stateful=True)
    with pytest.raises(ValueError, match=rf"{NO_BATCH_SIZE}\. Call the layer once, or give it batch_input"):
        unknown.reset_states()
    layer = built(L.LSTM, stateful=True, name="lstm")
    layer(X)
    before = [s.numpy() for s in layer.states]
    for wrong, message in (
        ([np.ones((3, 2))], r"`states`, 2 states h, c \(batch, units\): \(3, 2\), \(3, 2\), got 1: \(3, 2\)\."),
        ([np.ones((2, 2))] * 2, r"got 2: \(2, 2\), \(2, 2\)\."),
        ([np.full((3, 2), "a")] * 2, r"lstm.reset_states: expected `states` of float32: "),
        ([np.ones((3, 2), complex)] * 2, r"lstm.reset_states: expected `states` of float32: "),
    ):
        with pytest.raises(ValueError, match=message):
            layer.reset_states(wrong)
    for state, numbers in zip(layer.states, before, strict=True):
        np.testing.assert_array_equal(state.numpy(), numbers)  # nothing half-written
