"""Bidirectional and TimeDistributed around recurrent layers, and models with masks and states."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.corners import corner, error_of, fill, flat, given, named, with_gradients

LONG = np.sin(np.arange(40)).reshape(2, 5, 4).astype("float32")
HOLES = np.array([[True, False, True, True, False], [False, True, True, False, False]])
WORDS = np.array([[1, 2, 0, 3, 0], [4, 0, 0, 0, 0]], "int32")
MODES = "concat", "sum", "mul", "ave", None


def both(tf: Any, name: str, merge_mode: Any = "concat", **options: Any) -> Any:
    """A Bidirectional layer with its weights."""
    layers = tf.keras.layers
    if name == "RNN":
        inside = layers.RNN([layers.GRUCell(3), layers.SimpleRNNCell(2)], **options)
    else:
        inside = getattr(layers, name)(2, **options)
    layer = layers.Bidirectional(inside, merge_mode=merge_mode)
    layer.build((5, 2, 4) if options.get("time_major") else (2, 5, 4))
    fill(layer.forward_layer)
    fill(layer.backward_layer)
    layer.backward_layer.set_weights([-w for w in layer.backward_layer.get_weights()])
    return layer


@corner(*MODES)
def merges(tf: Any, mode: Any) -> Any:
    """Every merge of outputs, with states and masks."""
    found = []
    for options in ({}, {"return_sequences": True}, {"return_sequences": True, "return_state": True}):
        layer = both(tf, "LSTM", mode, **options)
        found.append(with_gradients(tf, lambda x, one=layer: named(one(x, mask=given(tf, HOLES))), LONG))
    return found


@corner("GRU", "SimpleRNN", "RNN", "LSTM")
def both_directions_from_states(tf: Any, name: str) -> Any:
    sizes = {"LSTM": [2, 2], "GRU": [2], "SimpleRNN": [2], "RNN": [3, 2]}[name] * 2
    layer = both(tf, name, return_state=True, return_sequences=True)
    states = [np.full((2, n), 0.1 * k + 0.1, "float32") for k, n in enumerate(sizes)]

    def run(x: Any, *given_states: Any) -> Any:
        return [named(layer(x, initial_state=list(given_states))), named(layer([x, *given_states]))]

    return with_gradients(tf, run, LONG, *states)


@corner("GRU", "LSTM", "RNN")
def both_directions_with_states_carried(tf: Any, name: str) -> Any:
    layer = both(tf, name, stateful=True, return_sequences=True)
    x = given(tf, LONG)
    found = [layer(x), layer(x, mask=given(tf, HOLES))]
    states = [state.numpy() for one in (layer.forward_layer, layer.backward_layer) for state in flat(one.states)]
    layer.reset_states()
    found.append(layer(x))
    layer.reset_states([np.full(state.shape, 0.2, "float32") for state in states])
    return [*found, states, layer(x), layer.stateful]


@corner("time_major", "go_backwards", "zero_output_for_mask")
def options_of_both_directions(tf: Any, option: str) -> Any:
    layer = both(tf, "LSTM", return_sequences=True, **{option: True})
    x, mask = (LONG.transpose(1, 0, 2), HOLES.T) if option == "time_major" else (LONG, HOLES)
    return [
        layer.forward_layer.go_backwards, layer.backward_layer.go_backwards,
        with_gradients(tf, lambda x: named(layer(x, mask=given(tf, mask))), x), layer(given(tf, x)),
    ]  # fmt: skip


@corner("sizes", "classes", "mul of sizes", "states")
def another_backward_layer(tf: Any, what: str) -> Any:
    layers = tf.keras.layers
    options = {"return_sequences": True, "return_state": what == "states"}
    one = layers.LSTM(2, **options)
    other = {
        "sizes": lambda: layers.LSTM(3, go_backwards=True, **options),
        "classes": lambda: layers.GRU(2, go_backwards=True, **options),
        "mul of sizes": lambda: layers.LSTM(2, go_backwards=True, activation="relu", **options),
        "states": lambda: layers.GRU(2, go_backwards=True, **options),
    }[what]()  # type: ignore[no-untyped-call]
    layer = layers.Bidirectional(one, "mul" if "mul" in what else "concat", backward_layer=other)
    layer.build((2, 5, 4))
    fill(layer.forward_layer)
    fill(layer.backward_layer)
    x = with_gradients(tf, lambda x: named(layer(x)), LONG)
    return [x, [list(w.shape) for w in layer.weights], type(layer.backward_layer).__name__]


@corner()
def a_layer_backwards_by_itself(tf: Any) -> Any:
    """A layer that goes backwards is the forward one all the same; the other goes forward."""
    layer = tf.keras.layers.Bidirectional(tf.keras.layers.GRU(2, go_backwards=True, return_sequences=True), "sum")
    layer.build((2, 5, 4))
    fill(layer.forward_layer)
    fill(layer.backward_layer)
    return [layer.forward_layer.go_backwards, layer.backward_layer.go_backwards, layer(given(tf, LONG))]


@corner()
def both_directions_in_both_directions(tf: Any) -> Any:
    """Two layers, one on the other, in a model with masks."""
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            layers.Embedding(5, 3, mask_zero=True, input_length=5),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.Bidirectional(layers.GRU(2), merge_mode="ave"),
            layers.Dense(1),
        ]
    )
    model.build((None, 5))
    model.set_weights([0.5 * np.cos(np.arange(w.size) + k).reshape(w.shape) for k, w in enumerate(model.get_weights())])
    return [model(given(tf, WORDS)), model.predict(WORDS, verbose=0), [list(w.shape) for w in model.weights]]


@corner("LSTM", "GRU", "Bidirectional", "Dense", "stateful")
def over_time(tf: Any, name: str) -> Any:
    """TimeDistributed of recurrent layers: (batch, sentences, words, features)."""
    layers = tf.keras.layers
    inside = {
        "LSTM": lambda: layers.LSTM(2),
        "GRU": lambda: layers.GRU(2, return_sequences=True, go_backwards=True),
        "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(2), merge_mode="sum"),
        "Dense": lambda: layers.Dense(2, activation="tanh"),
        "stateful": lambda: layers.SimpleRNN(2),
    }[name]()  # type: ignore[no-untyped-call]
    layer, x = layers.TimeDistributed(inside), np.stack([LONG, -LONG, 0.5 * LONG])
    layer(given(tf, x))
    weights = layer.get_weights()
    layer.set_weights([0.5 * np.cos(np.arange(w.size) + k).reshape(w.shape) for k, w in enumerate(weights)])
    return with_gradients(tf, layer, x)


@corner("masking", "embedding", "time distributed dense", "zero output", "stacked")
def masks_through_a_model(tf: Any, what: str) -> Any:
    layers = tf.keras.layers
    x = LONG.copy()
    x[0, 3:] = 0.0
    x[1, 1] = 0.0
    first = layers.Masking(0.0, input_shape=(5, 4))
    stack = {
        "masking": lambda: [first, layers.LSTM(2, return_sequences=True), layers.Dense(2), layers.SimpleRNN(2)],
        "embedding": lambda: [layers.Embedding(5, 4, mask_zero=True, input_length=5), layers.GRU(3)],
        "time distributed dense": lambda: [
            first, layers.GRU(2, return_sequences=True), layers.TimeDistributed(layers.Dense(3)), layers.LSTM(2),
        ],
        "zero output": lambda: [first, layers.LSTM(2, return_sequences=True, zero_output_for_mask=True)],
        "stacked": lambda: [first, layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)], return_sequences=True),
                            layers.Activation("relu"), layers.GRU(2, go_backwards=True)],
    }[what]()  # type: ignore[no-untyped-call]  # fmt: skip
    model = tf.keras.Sequential(stack)
    inputs = WORDS if what == "embedding" else x
    model(given(tf, inputs))
    model.set_weights([0.5 * np.cos(np.arange(w.size) + k).reshape(w.shape) for k, w in enumerate(model.get_weights())])
    found = [model(given(tf, inputs)), model.predict(inputs, verbose=0)]
    return found if what == "embedding" else [*found, with_gradients(tf, model, x)]


@corner("sgd", "adam", "rmsprop", "adagrad")
def training_a_stateful_model(tf: Any, optimizer: str) -> Any:
    """Five batches with states carried, then a reset, in eager mode and in order."""
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [layers.LSTM(3, stateful=True, batch_input_shape=(2, 5, 4), return_sequences=True), layers.Dense(1)]
    )
    model.set_weights([0.5 * np.cos(np.arange(w.size) + k).reshape(w.shape) for k, w in enumerate(model.get_weights())])
    model.compile(optimizer, "mse")
    y = LONG[:, :, :1]
    losses = [float(model.train_on_batch(LONG * (k + 1) / 5, y)) for k in range(5)]
    model.reset_states()
    return [losses, model.predict(LONG, batch_size=2, verbose=0), model.evaluate(LONG, y, batch_size=2, verbose=0)]


@corner()
def a_stateful_model_and_other_batches(tf: Any) -> Any:
    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.GRU(2, stateful=True, batch_input_shape=(2, 5, 4))])
    model.compile("sgd", "mse")
    x, y = np.zeros((3, 5, 4), "float32"), np.zeros((3, 2), "float32")
    return [
        error_of(lambda: model.predict(x, batch_size=3, verbose=0)) != "none",
        error_of(lambda: model.fit(x[:2], y[:2], batch_size=2, epochs=1, verbose=0)),
        error_of(model.reset_states),
        error_of(lambda: tf.keras.Sequential([layers.Dense(2), layers.GRU(2)]).reset_states()),
    ]


@corner("mask", "sequences", "both outputs", "state")
def masks_of_both_directions(tf: Any, how: str) -> Any:
    options = {"mask": {}, "sequences": {"return_sequences": True}, "both outputs": {"return_sequences": True},
               "state": {"return_sequences": True, "return_state": True}}[how]  # fmt: skip
    layer = both(tf, "LSTM", None if how == "both outputs" else "concat", **options)
    mask = layer.compute_mask(given(tf, LONG), given(tf, HOLES))
    if mask is None:
        return "none"
    return [m is None for m in mask] if isinstance(mask, list) else mask


@corner()
def what_both_directions_refuse(tf: Any) -> Any:
    layer, x = both(tf, "LSTM"), given(tf, LONG)
    state = given(tf, np.zeros((2, 2), "float32"))
    return [
        error_of(lambda: layer(x, initial_state=[state])),
        error_of(lambda: layer(x, initial_state=[state] * 3)),
        error_of(lambda: layer([x, state, state, state])),
        error_of(lambda: layer(x[:, 0])),
        error_of(lambda: layer(x[:, :, :2])),
        error_of(lambda: both(tf, "LSTM", stateful=True).reset_states([np.zeros((2, 2))])),
    ]
