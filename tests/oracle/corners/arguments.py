"""Arguments that every layer of Keras takes, and custom objects by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.corners import X, corner, error_of, fill, given

LAYERS: dict[str, Any] = {
    "Dense": (lambda k, **a: k.Dense(2, **a), (4,)),
    "LSTM": (lambda k, **a: k.LSTM(2, **a), (3, 4)),
    "GRU": (lambda k, **a: k.GRU(2, **a), (3, 4)),
    "SimpleRNN": (lambda k, **a: k.SimpleRNN(2, **a), (3, 4)),
    "RNN": (lambda k, **a: k.RNN(k.LSTMCell(2), **a), (3, 4)),
    "Bidirectional": (lambda k, **a: k.Bidirectional(k.GRU(2), **a), (3, 4)),
    "TimeDistributed": (lambda k, **a: k.TimeDistributed(k.Dense(2), **a), (3, 4)),
    "Masking": (lambda k, **a: k.Masking(**a), (3, 4)),
    "Dropout": (lambda k, **a: k.Dropout(0.1, **a), (3, 4)),
}
WAYS: dict[str, Any] = {
    "input_shape": lambda shape: {"input_shape": shape},
    "batch_input_shape": lambda shape: {"batch_input_shape": (2, *shape)},
    "input_shape and batch_size": lambda shape: {"input_shape": shape, "batch_size": 2},
    "a batch_size alone": lambda shape: {"batch_size": 2},
}


@corner(*(f"{layer}, {way}" for layer in LAYERS for way in WAYS))
def shapes_of_inputs(tf: Any, case: str) -> Any:
    layer, way = case.split(", ", 1)
    make, shape = LAYERS[layer]
    model = tf.keras.Sequential([make(tf.keras.layers, **WAYS[way](shape))])
    return [model.built, [list(w.shape) for w in model.weights] if model.built else []]


@corner("LSTM", "GRU", "SimpleRNN", "RNN", "RNN of cells")
def old_sizes_of_recurrent_layers(tf: Any, name: str) -> Any:
    k = tf.keras.layers
    make = LAYERS[name][0] if name in LAYERS else lambda k, **a: k.RNN([k.GRUCell(2), k.GRUCell(3)], **a)
    found = []
    for arguments in ({"input_dim": 4}, {"input_dim": 4, "input_length": 3}, {"input_dim": 4, "batch_size": 2}):
        model = tf.keras.Sequential([make(k, **arguments)])
        found += [
            model.built,
            list(model.input_shape),
            list(model.output_shape),
            [list(w.shape) for w in model.weights],
        ]
    return found


@corner()
def old_sizes_of_other_layers(tf: Any) -> Any:
    k = tf.keras.layers
    one = tf.keras.Sequential([k.Dense(3, input_dim=4)])
    other = tf.keras.Sequential([k.Dense(3, input_dim=4, batch_size=2, activation="tanh")])
    words = tf.keras.Sequential([k.Embedding(5, 3, input_length=7), k.Flatten(), k.Dense(2)])
    batch = tf.keras.Sequential([k.Embedding(5, 3, batch_size=2), k.LSTM(2, stateful=True)])
    return [
        [list(m.input_shape), list(m.output_shape), m.count_params()] for m in (one, other, words, batch)
    ] + [error_of(lambda: k.Dense(3, input_length=4)), error_of(lambda: k.Dense(3, unknown=4))]  # fmt: skip


INITIAL: dict[str, Any] = {
    "Dense": (lambda k, **a: k.Dense(2, **a), [(4, 2), (2,)]),
    "LSTM": (lambda k, **a: k.LSTM(2, **a), [(4, 8), (2, 8), (8,)]),
    "GRU": (lambda k, **a: k.GRU(2, **a), [(4, 6), (2, 6), (2, 6)]),
    "SimpleRNN": (lambda k, **a: k.SimpleRNN(2, use_bias=False, **a), [(4, 2), (2, 2)]),
    "RNN": (lambda k, **a: k.RNN(k.GRUCell(2, reset_after=False), **a), [(4, 6), (2, 6), (6,)]),
    "LayerNormalization": (lambda k, **a: k.LayerNormalization(**a), [(4,), (4,)]),
}


@corner(*INITIAL)
def initial_weights(tf: Any, name: str) -> Any:
    make, shapes = INITIAL[name]
    weights = [np.cos(np.arange(np.prod(shape)) + k).reshape(shape) for k, shape in enumerate(shapes)]
    layer = make(tf.keras.layers, weights=weights)
    y = layer(given(tf, X))
    return [y, [np.asarray(w) for w in layer.get_weights()], "weights" in layer.get_config()]


@corner()
def an_embedding_with_given_vectors(tf: Any) -> Any:
    k = tf.keras.layers
    vectors = np.arange(15, dtype="float32").reshape(5, 3)
    layer = k.Embedding(5, 3, weights=[vectors], input_length=2, trainable=False)
    model = tf.keras.Sequential([layer])
    return [
        model(np.array([[1, 2], [0, 4]])),
        len(model.trainable_weights),
        [np.asarray(w) for w in layer.get_weights()],
    ]


@corner()
def initial_weights_that_do_not_fit(tf: Any) -> Any:
    layer = tf.keras.layers.Dense(2, weights=[np.ones((4, 3)), np.zeros(2)])
    other = tf.keras.layers.Dense(2, weights=[np.ones((4, 2))])
    return [error_of(lambda: layer(given(tf, X))), error_of(lambda: other(given(tf, X)))]


@corner("LSTM", "GRU", "LSTMCell", "GRUCell")
def an_implementation_of_0(tf: Any, name: str) -> Any:
    layer = getattr(tf.keras.layers, name)(3, implementation=0)
    kept = layer.get_config()["implementation"]
    if name.endswith("Cell"):
        layer = tf.keras.layers.RNN(layer)
    layer(given(tf, X))
    layer.set_weights([0.5 * np.cos(np.arange(np.prod(w.shape))).reshape(w.shape) for w in layer.get_weights()])
    return [kept, layer(given(tf, X))]


@corner()
def ways_of_running_a_layer(tf: Any) -> Any:
    k = tf.keras.layers
    layers = [
        k.LSTM(2, enable_caching_device=True), k.GRU(2, enable_caching_device=True), k.Dense(2, implementation=2),
        k.SimpleRNN(2, implementation=1), k.LSTMCell(2, enable_caching_device=True), k.Dense(2, autocast=False),
        k.RNN(k.GRUCell(2, enable_caching_device=True), implementation=1), k.Dense(2, dynamic=False),
    ]  # fmt: skip
    return [sorted(set(layer.get_config()) & {"enable_caching_device", "autocast"}) for layer in layers]


def custom_cell(tf: Any) -> Any:
    class Leaky(tf.keras.layers.Layer):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.state_size = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
            self.built = True

        def call(self, inputs: Any, states: Any) -> Any:
            h = 0.5 * states[0] + inputs @ self.kernel
            return h, [h]

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    return Leaky


def shifted(x: Any) -> Any:
    return x + 1.0


COPIES: dict[str, Any] = {
    "RNN": lambda k, cell: k.layers.RNN(cell(2), return_sequences=True),
    "stack": lambda k, cell: k.layers.RNN([cell(2), k.layers.GRUCell(3)]),
    "Bidirectional": lambda k, cell: k.layers.Bidirectional(k.layers.RNN(cell(2))),
    "TimeDistributed": lambda k, cell: k.layers.TimeDistributed(k.layers.Dense(2)),
    "Sequential": lambda k, cell: k.Sequential([k.layers.RNN(cell(2), input_shape=(3, 4)), k.layers.Dense(1)]),
}


@corner(*COPIES)
def copies_with_custom_objects(tf: Any, name: str) -> Any:
    k, cell = tf.keras, custom_cell(tf)
    first = COPIES[name](k, cell)
    second = type(first).from_config(first.get_config(), custom_objects={"Leaky": cell})
    with k.utils.custom_object_scope({"Leaky": cell}):
        third = type(first).from_config(first.get_config())
    found = []
    for layer in (first, second, third):
        layer(given(tf, X))
        fill(layer)
        found.append(layer(given(tf, X)))
    return found


@corner("Dense", "LSTM", "Activation")
def custom_functions_by_name(tf: Any, name: str) -> Any:
    k = tf.keras
    with k.utils.custom_object_scope({"shifted": shifted}):
        layer = (
            k.layers.Activation("shifted") if name == "Activation" else getattr(k.layers, name)(2, activation="shifted")
        )
        copied = type(layer).from_config(layer.get_config())
    copied(given(tf, X))
    fill(copied)
    return [copied(given(tf, X)), error_of(lambda: k.layers.Dense(2, activation="shifted"))]


@corner()
def registered_objects(tf: Any) -> Any:
    utils = tf.keras.utils

    @utils.register_keras_serializable(package="course", name="Twice")
    class Double(tf.keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * 2.0

    @utils.register_keras_serializable()
    def plus_two(x: Any) -> Any:
        return x + 2.0

    layer = tf.keras.layers.deserialize(tf.keras.layers.serialize(Double(name="a")))
    dense = tf.keras.layers.Activation("Custom>plus_two")
    return [
        layer(given(tf, X)), dense(given(tf, X)), utils.get_registered_name(Double),
        utils.get_registered_object("course>Twice") is Double, utils.get_registered_name(shifted),
        utils.get_registered_object("nothing") is None, "course>Twice" in utils.get_custom_objects(),
        tf.keras.layers.serialize(layer)["registered_name"],
    ]  # fmt: skip
