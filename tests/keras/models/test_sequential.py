"""Sequential: building, names, masks, configuration."""

from __future__ import annotations

import re

import numpy as np
import pytest

from layer_errors import SEQUENCE
from minigrad.engine.errors import DataError, DTypeError, ShapeError
from minigrad.keras import Input, Sequential, backend
from minigrad.keras.layers import LSTM, Activation, Dense, Dropout, Embedding, Masking, TimeDistributed
from minigrad.keras.models.sequential import NESTED

X = np.random.default_rng(0).normal(size=(4, 5, 3))


@pytest.fixture(autouse=True)
def _names():
    backend.clear_session()


def test_the_weights_are_named_as_in_keras():
    model = Sequential([LSTM(2), Dense(1)])
    assert model.weights == []
    model(X)
    assert [w.name for w in model.weights] == [
        "lstm/lstm_cell/kernel:0", "lstm/lstm_cell/recurrent_kernel:0", "lstm/lstm_cell/bias:0", "dense/kernel:0",
        "dense/bias:0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [Dense(2, input_shape=(5, 3)), Dense(1)],
        lambda: [Input((5, 3)), Dense(2), Dense(1)],
        lambda: [Input((None, 3)), Dense(2), Dense(1)],
    ],
)
def test_with_a_known_shape_it_is_built_at_once(layers):
    model = Sequential(layers())
    assert model.built
    assert model.count_params() == 11
    assert len(model.layers) == 2
    assert model.output_shape[-1] == 1


def test_build_says_the_shape_later():
    model = Sequential([Embedding(5, 2), LSTM(3)])
    model.build((None, 7))
    assert [w.shape for w in model.weights] == [(5, 2), (2, 12), (3, 12), (12,)]
    model.add(Dense(1))
    assert model.built


def test_add_and_pop():
    model = Sequential()
    model.add(Dense(2, input_shape=(3,)))
    model.add(Dense(1))
    assert model.predict(np.ones((2, 3))).shape == (2, 1)
    model.pop()
    assert model.predict(np.ones((2, 3))).shape == (2, 2)
    model.pop()
    with pytest.raises(ValueError, match="there is no layer to remove"):
        model.pop()


def test_masks_go_through():
    x = X.copy()
    x[:, 3:] = 0.0
    model = Sequential([Masking(), LSTM(2, return_sequences=True), Dropout(0.5), Dense(2)])
    assert model(x)._keras_mask.numpy().tolist() == [[True] * 3 + [False] * 2] * 4
    nested = Sequential([model, LSTM(1)])
    np.testing.assert_array_equal(nested(x).numpy(), nested(x[:, :3]).numpy())
    given = Sequential([Dropout(0.5), LSTM(2)])  # the first layer passes it on
    mask = np.arange(5) < np.array([[3], [5], [2], [1]])
    np.testing.assert_array_equal(given(X, mask=mask).numpy()[0], given(X[:, :3]).numpy()[0])


def test_training_reaches_the_layers_inside():
    model = Sequential([Sequential([Dropout(0.9)])])
    assert (model(X, training=True).numpy() == 0).any()
    np.testing.assert_array_equal(model(X, training=False).numpy(), X.astype("float32"))


def test_a_model_of_float64_layers_keeps_float64():
    model = Sequential([Dense(2, dtype="float64"), Activation("tanh", dtype="float64")])
    assert model.predict(X).dtype == "float64"


def test_it_comes_back_from_its_configuration():
    model = Sequential([Input((5, 3)), LSTM(2, return_sequences=True), TimeDistributed(Dense(1))], name="small")
    again = Sequential.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert again.built
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_bad_layers_are_named():
    with pytest.raises(DTypeError, match=r"sequential.add: `layer`: .*, got 'dense'"):
        Sequential(["dense"])
    layer = Dense(1)
    with pytest.raises(ValueError, match="there is a layer named 'dense' already"):
        Sequential([layer, layer])


def test_a_layer_that_does_not_fit_is_not_added():
    model = Sequential([Dense(2, input_shape=(3,))])
    with pytest.raises(ShapeError, match=f"lstm.*: {re.escape(SEQUENCE)}"):
        model.add(LSTM(3))
    assert (len(model.layers), model.built, model.count_params()) == (1, True, 8)
    model.add(Dense(1))
    assert model(np.ones((4, 3))).shape == (4, 1)


def nested(levels):
    model = Sequential([Dense(1)])
    for _ in range(levels - 1):
        model = Sequential([model])
    return model


def test_how_deep_models_are_nested_is_counted_when_it_matters():
    deep = nested(NESTED - 1)
    outer = Sequential([deep])
    outer.pop()
    Sequential([outer])  # the emptied model is one level
    inner = Sequential()
    outer = Sequential([inner])
    inner.add(nested(NESTED - 1))
    for act in (lambda: Sequential([nested(NESTED)]), lambda: Sequential([TimeDistributed(nested(NESTED))]),
                lambda: outer(np.ones((2, 1)))):  # fmt: skip
        with pytest.raises(DataError, match=f"models are nested {NESTED} deep"):
            act()
