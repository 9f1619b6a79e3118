"""Models made from symbols: equal to the Sequential and to the custom model of the same layers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import DataError, MinigradError
from minigrad.keras import Input, Model, Sequential, layers, optimizers
from minigrad.keras.models import clone_model
from minigrad.layers.symbol import record

X = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
IDS = np.random.default_rng(1).integers(0, 6, (4, 5))

STACKS: dict[str, Any] = {
    "recurrent": lambda: [layers.LSTM(4, return_sequences=True), layers.GRU(3), layers.Dense(2)],
    "masked": lambda: [layers.Embedding(6, 3, mask_zero=True), layers.Bidirectional(layers.LSTM(2)), layers.Dense(2)],
    "normalized": lambda: [layers.LayerNormalization(), layers.SimpleRNN(3), layers.Activation("tanh")],
    "over time": lambda: [layers.TimeDistributed(layers.Dense(2)), layers.Flatten(), layers.Dense(1)],
    "decoded": lambda: [layers.LSTM(4), layers.RepeatVector(2), layers.LSTM(3, return_sequences=True)],
}


def functional(stack: list[Any], data: Any) -> Model:
    x = y = Input(data.shape[1:], dtype=str(data.dtype))
    for layer in stack:
        y = layer(y)
    return Model(x, y)


class Custom(Model):
    def __init__(self, stack: list[Any]) -> None:
        super().__init__()
        self.stack = stack

    def call(self, inputs: Any) -> Any:
        for layer in self.stack:
            inputs = layer(inputs)
        return inputs


@pytest.mark.parametrize("name", STACKS)
def test_three_ways_to_write_a_model_are_one(name: str) -> None:
    data = IDS if name == "masked" else X
    models = [functional(STACKS[name](), data), Sequential(STACKS[name]()), Custom(STACKS[name]())]
    found = []
    for model in models:
        model(data)
        model.set_weights(
            [0.3 * np.cos(np.arange(w.size) + k).reshape(w.shape) for k, w in enumerate(models[0].weights)]
        )
        target = np.full(model(data).shape, 0.5, "float32")
        model.compile(optimizers.Adam(0.05), "mse")
        losses = [model.train_on_batch(data, target) for _ in range(3)]
        found.append((losses, model.predict(data, verbose=0), model.get_weights()))
    assert [w.name.split("/")[-1] for w in models[0].weights] == [w.name.split("/")[-1] for w in models[1].weights]
    for losses, y, weights in found[1:]:
        assert losses == found[0][0]
        np.testing.assert_array_equal(y, found[0][1])
        for w, other in zip(weights, found[0][2], strict=True):
            np.testing.assert_array_equal(w, other)


def test_a_model_whose_class_is_derived_keeps_its_step() -> None:
    class Doubled(Model):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    x = Input((3,))
    model = Doubled(inputs=x, outputs=layers.Dense(2)(x))
    model.compile("sgd", "mse")
    assert type(model) is Doubled
    assert model.fit(X[:, 0], np.ones((4, 2)), verbose=0).epoch == [0]


def two_inputs() -> Model:
    a, b = Input((3,), name="a"), Input((3,), name="b")
    return Model({"a": a, "b": b}, layers.Subtract(name="s")([a, b]), name="net")


def test_inputs_by_name_and_by_position() -> None:
    a, b = X[:, 0], X[:, 1]
    for given in ({"b": b, "a": a}, [a, b], {"a": a, "b": b, "c": b}):
        np.testing.assert_array_equal(two_inputs()(given).numpy(), a - b)


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: two_inputs()(X[:, 0]), "net: expected 2 `inputs`, a, b, got 1"),
        (lambda: two_inputs()({"a": X[:, 0]}), "net: expected `inputs` a, b, got a"),
        (
            lambda: Model(Input((3,)), Input((3,), name="x"), name="m"),
            "m: .*the list of outputs takes .*'x'.*, which is not",
        ),
        (lambda: Model(inputs=[1], outputs=[2]), "model.*: `inputs`: expected symbols"),
        (lambda: Model(Input((3,))), "Model: expected Model"),
        (lambda: Sequential([layers.Dense(1)]).inputs, "sequential.*inputs: the shape of the inputs is not known"),
    ],
)
def test_what_does_not_connect_is_said(act: Any, says: str) -> None:
    with pytest.raises(MinigradError, match=f"^{says}"):
        act()


def test_a_batch_of_numbers_for_a_column() -> None:
    x = Input((1,))
    model = Model(x, x * 2.0)
    np.testing.assert_array_equal(model(np.ones(3, "float32")).numpy(), np.full((3, 1), 2.0))
    with pytest.raises(DataError, match="expected 1 `inputs`"):
        model([np.ones((3, 1)), np.ones((3, 1))])


def test_the_summary_shows_shapes() -> None:
    x = Input((5, 3), name="x")
    model = Model(x, layers.Dense(2, name="y")(layers.LSTM(4, name="lstm")(x)), name="net")
    printed: list[str] = []
    model.summary(printed.append)
    for part in ("x (InputLayer)  (None, 5, 3)", "lstm (LSTM)", "(None, 4)", "(None, 2)"):
        assert part in printed[0]


def merged() -> Model:
    a, b = Input((5, 3), name="a"), Input((None, 3), name="b")
    lstm = layers.LSTM(4, return_sequences=True, return_state=True, name="lstm")
    y, h, c = lstm(a)
    z, _, _ = lstm(b, initial_state=[h, c])
    inner = Model(a, layers.Dense(4, name="d")(a), name="inner")
    joined = layers.Concatenate(1, name="joined")([y, z, inner(a)])
    scaled = 2.0 * joined[:, 1:] / (np.float32(1.0) + abs(joined[:, :-1]))
    return Model({"b": b, "a": a}, [layers.GlobalMaxPooling1D(name="top")(scaled), {"last": joined[:, -1]}], name="net")


@pytest.mark.parametrize("through", [lambda config: config, lambda config: json.loads(json.dumps(config))])
def test_a_model_from_its_configuration(through: Any) -> None:
    model = merged()
    copied = Model.from_config(through(model.get_config()))
    copied.set_weights(model.get_weights())
    assert [layer.name for layer in copied.layers] == [layer.name for layer in model.layers]
    given = {"a": X, "b": X[:, ::-1].copy()}
    for y, other in zip(model(given)[0:1], copied(given)[0:1], strict=True):
        np.testing.assert_array_equal(y.numpy(), other.numpy())
    np.testing.assert_array_equal(model(given)[1]["last"].numpy(), copied(given)[1]["last"].numpy())
    assert copied.get_config() == model.get_config()


def test_a_clone_has_new_weights() -> None:
    model = merged()
    clone = clone_model(model)
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    assert clone.weights[0] is not model.weights[0]
    assert clone_model(Sequential([layers.Dense(2, input_shape=(3,))])).count_params() == 8


def test_a_configuration_holds_plain_values_only() -> None:
    x = Input((3,), name="x")
    model = Model(x, record(mg.tanh, (x,), {}, "f"), name="m")
    with pytest.raises(DataError, match=r"m\.get_config: expected layers and operators, got"):
        model.get_config()
    config = Model(x, x * 2.0).get_config()
    config["layers"][1]["config"]["function"] = "delitem"
    with pytest.raises(DataError, match=r"expected one of the operators add, .*, got 'delitem'"):
        Model.from_config(config)
    config = merged().get_config()
    del config["layers"][0]
    with pytest.raises(DataError, match="are not connected"):
        Model.from_config(config)


def test_two_layers_of_one_name() -> None:
    x = Input((3,), name="x")
    with pytest.raises(ValueError, match="m: expected layers with different names, got two named d"):
        Model(x, layers.Dense(2, name="d")(layers.Dense(2, name="d")(x)), name="m")
