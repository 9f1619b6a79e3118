"""Calls at the edges of the recurrent layers: bound batches, clips at 0, no steps, contradicting arguments."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from oracle.corners import MASK, X, corner, error_of, float32, given, is_ours, with_gradients

ONES = {"kernel_initializer": "ones", "recurrent_initializer": "ones"}
PAIR = np.linspace(-1, 1, 8).reshape(2, 2, 2).astype("float32")


# --- stateful layers --------------------------------------------------------------------------------------------------


@corner("LSTM", "GRU", "SimpleRNN")
def build_binds_the_batch(tf: Any, name: str) -> Any:
    layer = getattr(tf.keras.layers, name)(2, stateful=True, **ONES)
    layer.build((2, 3, 4))
    bound = [state.numpy() for state in layer.states]
    layer.reset_states(list(PAIR[: len(bound)]))
    return [bound, layer(given(tf, X)), error_of(lambda: layer(given(tf, np.zeros((3, 3, 4), "float32"))))]


@corner()
def build_binds_the_batch_of_both_directions(tf: Any) -> Any:
    layer = tf.keras.layers.Bidirectional(tf.keras.layers.LSTM(2, stateful=True, **ONES))
    layer.build((2, 3, 4))
    return [list(layer.forward_layer.states), list(layer.backward_layer.states)]


@corner()
def build_binds_the_batch_of_a_time_major_layer(tf: Any) -> Any:
    layer = tf.keras.layers.LSTM(2, stateful=True, time_major=True, **ONES)
    layer.build((3, 2, 4))
    return list(layer.states)


@corner()
def states_can_be_set(tf: Any) -> Any:
    layer = tf.keras.layers.LSTM(2, stateful=True, **ONES)
    layer.build((2, 3, 4))
    layer.states = [given(tf, state) for state in PAIR]
    found = list(layer.states)
    layer.states = None
    return [found, list(layer.states)]


@corner()
def states_of_a_layer_without_state(tf: Any) -> Any:
    """Arguments that are stored and have no effect."""
    layer = tf.keras.layers.LSTM(2, **ONES)
    layer.states = [given(tf, state) for state in PAIR]
    return [list(layer.states), layer(given(tf, X))]


@corner("reset", "built", "float64", "unchanged")
def a_numpy_initial_state(tf: Any, how: str) -> Any:
    class Adding(tf.keras.layers.Layer):  # type: ignore[misc]
        state_size, output_size = 3, 3

        def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
            return np.ones((2, 3), "float64" if how == "float64" and is_ours(tf) else "float32")

        def call(self, inputs: Any, states: Any) -> Any:
            y = states[0] + inputs[:, :3]
            return y, [states[0] if how == "unchanged" else y]

    layer = tf.keras.layers.RNN(Adding(), stateful=True, batch_input_shape=(2, 3, 4))
    if how == "built":
        layer.build((2, 3, 4))
    x = given(tf, X)
    first = layer(x)
    if how == "reset":
        layer.reset_states()
    return [first, layer(x), list(layer.states)]


# --- first-generation cells -------------------------------------------------------------------------------------------


def halves(tf: Any) -> Any:
    return tf.keras.initializers.Constant(0.5) if is_ours(tf) else tf.compat.v1.constant_initializer(0.5)


@corner(
    {"cell_clip": 0.0}, {"num_proj": 3, "proj_clip": 0.0}, {"cell_clip": 0.0, "use_peepholes": True}, {"cell_clip": 0.5}
)
def clips(tf: Any, options: dict[str, Any]) -> Any:
    cell = tf.compat.v1.nn.rnn_cell.LSTMCell(2, initializer=halves(tf), **options)
    return with_gradients(tf, lambda x: tf.compat.v1.nn.dynamic_rnn(cell, x, dtype=float32(tf)), X)


@corner()
def the_wrapped_cell(tf: Any) -> Any:
    cells = tf.compat.v1.nn.rnn_cell
    cell = cells.BasicRNNCell(2)
    wrapper = cells.DropoutWrapper(cell)
    others = [cells.ResidualWrapper(cell), cells.DeviceWrapper(cell, "/cpu:0")]
    return [wrapper.wrapped_cell is cell, [hasattr(other, "wrapped_cell") for other in others]]


@corner()
def no_steps(tf: Any) -> Any:
    """Shapes that TensorFlow computes in a graph; without one it returns outputs of shape (0,)."""
    v1, states = tf.compat.v1, given(tf, PAIR[0])
    empty, empty_time_major = np.zeros((2, 0, 4), "float32"), np.zeros((0, 2, 4), "float32")

    def run() -> Any:
        gru = v1.nn.rnn_cell.GRUCell
        y, state = v1.nn.dynamic_rnn(gru(2), given(tf, empty), initial_state=states, scope="a")
        y_major, _ = v1.nn.dynamic_rnn(
            gru(2), given(tf, empty_time_major), dtype=float32(tf), time_major=True, scope="b"
        )
        y_length, _ = v1.nn.dynamic_rnn(gru(2), given(tf, empty), dtype=float32(tf), sequence_length=[0, 0], scope="c")
        both, finals = v1.nn.bidirectional_dynamic_rnn(gru(2), gru(2), given(tf, empty), dtype=float32(tf), scope="d")
        return [y, state, y_major, y_length, *both, *finals]

    if is_ours(tf):
        return run()
    with tf.Graph().as_default():
        states = given(tf, PAIR[0])
        made = run()
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            return session.run(made)


@corner("batch_size", "dtype", "both agree")
def arguments_of_get_initial_state(tf: Any, what: str) -> Any:
    """First-generation cells refuse contradicting arguments; of a Keras cell the inputs win."""
    x, cells = given(tf, X[:, 0]), tf.compat.v1.nn.rnn_cell
    float64 = "float64" if is_ours(tf) else tf.float64
    options: dict[str, Any] = {
        "batch_size": {"batch_size": 5},
        "dtype": {"dtype": float64},
        "both agree": {"batch_size": 2, "dtype": float32(tf)},
    }[what]
    first = cells.BasicRNNCell(3), cells.MultiRNNCell([cells.GRUCell(2), cells.LSTMCell(2)])
    keras = tf.keras.layers.LSTMCell(3), tf.keras.layers.StackedRNNCells([tf.keras.layers.GRUCell(3)])
    return [
        [error_of(partial(cell.get_initial_state, inputs=x, **options)) for cell in first],
        [cell.get_initial_state(inputs=x, **options) for cell in keras],
    ]


@corner()
def an_initial_state_without_a_batch_size(tf: Any) -> Any:
    cells = tf.compat.v1.nn.rnn_cell.BasicRNNCell(3), tf.keras.layers.LSTMCell(3)
    return [error_of(cell.get_initial_state) for cell in cells]


@corner()
def negative_seeds(tf: Any) -> Any:
    """Accepted arguments that give the same numbers each time."""
    drawn = []
    for seed in (-1, -1, -2):
        tf.random.set_seed(seed)
        drawn.append(np.asarray(tf.random.normal((4,)).numpy()))
    one, again = (tf.keras.initializers.GlorotUniform(seed=-3)((2, 2)).numpy() for _ in range(2))
    dropout = tf.keras.layers.Dropout(0.5, seed=-7)
    wrapper = tf.compat.v1.nn.rnn_cell.DropoutWrapper(tf.compat.v1.nn.rnn_cell.BasicRNNCell(2), 0.5, seed=-5)
    return [
        bool((drawn[0] == drawn[1]).all()),
        bool((drawn[0] == drawn[2]).all()),
        bool((one == again).all()),
        list(dropout(given(tf, X), training=True).shape),
        list(wrapper(given(tf, X[:, 0]), given(tf, PAIR[0]))[0].shape),
    ]


# --- layers with a plain call, and models without weights -------------------------------------------------------------


def plain_lstm(tf: Any) -> Any:
    class PlainCall(tf.keras.layers.LSTM):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return super().call(inputs)

    return PlainCall


@corner("concat", "sum", "mul", "ave", None)
def bidirectional_of_a_plain_call(tf: Any, merge_mode: Any) -> Any:
    layer = tf.keras.layers.Bidirectional(plain_lstm(tf)(2, return_sequences=True, **ONES), merge_mode=merge_mode)
    return [with_gradients(tf, layer, X), layer(given(tf, X), training=True), layer(given(tf, X), mask=given(tf, MASK))]


@corner()
def bidirectional_of_a_layer_that_is_no_rnn(tf: Any) -> Any:
    class Cumulative(tf.keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, go_backwards: bool = False, return_sequences: bool = True, **options: Any) -> None:
            super().__init__(**options)
            self.go_backwards, self.return_sequences, self.return_state = go_backwards, return_sequences, False

        def call(self, inputs: Any) -> Any:
            if self.go_backwards:
                inputs = tf.flip(inputs, 1) if is_ours(tf) else tf.reverse(inputs, [1])
            return tf.cumsum(inputs, axis=1)

        def get_config(self) -> Any:
            own = {"go_backwards": self.go_backwards, "return_sequences": self.return_sequences}
            return {**super().get_config(), **own}

    return with_gradients(tf, tf.keras.layers.Bidirectional(Cumulative()), X)


@corner("sgd", "adam", "rmsprop")
def training_without_weights(tf: Any, optimizer: str) -> Any:
    model = tf.keras.Sequential([tf.keras.layers.Activation("tanh")])
    model.compile(optimizer, "mse")
    x, y = np.ones((2, 3), "float32"), np.zeros((2, 3), "float32")
    return [float(model.train_on_batch(x, y)), model.fit(x, y, epochs=2, verbose=0).history["loss"]]


@corner()
def training_a_frozen_model(tf: Any) -> Any:
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="ones", trainable=False)])
    model.compile("adam", "mse")
    x, y = np.ones((2, 3), "float32"), np.zeros((2, 1), "float32")
    losses = model.fit(x, y, epochs=2, verbose=0).history["loss"]
    return [losses, model.get_weights()]


@corner([2, 3], [], 3, (None, 2))
def tensor_shapes(tf: Any, dims: Any) -> Any:
    shape = tf.TensorShape(dims)
    return [
        repr(shape), str(shape), shape.rank, shape.ndims, shape.as_list(), shape.is_fully_defined(),
        shape.num_elements(), shape == [2, 3], shape == (2, 3), shape != [2, 3], shape + [4], [1] + shape, shape[:1],
        shape.concatenate([5]), shape.is_compatible_with([2, 3]), len(shape), shape == tf.TensorShape(dims),
    ]  # fmt: skip


@corner(["a"], [-1], "ab", [1.5])
def what_is_no_tensor_shape(tf: Any, dims: Any) -> Any:
    return error_of(lambda: tf.TensorShape(dims))
