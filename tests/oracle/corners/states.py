"""States that are not (batch, units): of any rank, without rows, and a TensorArray."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from oracle.corners import MASK, X, corner, float32, given, is_ours, with_gradients

SHAPES = [], [3], [2, 3], [2, 1, 3]


def spread(tf: Any, column: Any, shape: list[int]) -> Any:
    """(batch,) as (batch, 1, …), to be added to a state of this shape."""
    axes = (-1, *[1] * len(shape))
    return column.reshape(axes) if is_ours(tf) else tf.reshape(column, axes)


def read(tf: Any, state: Any) -> Any:
    """(batch,): a sum over a state."""
    axes = tuple(range(1, len(state.shape)))
    if not axes:
        return state
    return state.sum(axes) if is_ours(tf) else tf.reduce_sum(state, axes)


@cache
def keras_cell(tf: Any) -> Any:
    class Leaky(tf.keras.layers.Layer):  # type: ignore[misc]
        """s' = 0.5 s + x_0, output = x + mean of s, for a state of any shape."""

        def __init__(self, shape: list[int], **options: Any) -> None:
            super().__init__(**options)
            self.shape, self.state_size, self.output_size = shape, tf.TensorShape(shape), 4

        def call(self, inputs: Any, states: Any) -> Any:
            state = states[0] if isinstance(states, (list, tuple)) else states
            new = 0.5 * state + spread(tf, inputs[:, 0], self.shape)
            output = inputs + 0.1 * spread(tf, read(tf, new), [1])
            return output, [new]

        def get_config(self) -> Any:
            return {"shape": self.shape}

    return Leaky


@cache
def v1_cell(tf: Any) -> Any:
    class LeakyV1(tf.compat.v1.nn.rnn_cell.RNNCell):  # type: ignore[misc]
        def __init__(self, shape: list[int]) -> None:
            super().__init__()
            self.shape = shape

        state_size = property(lambda self: tf.TensorShape(self.shape))
        output_size = 4

        def call(self, inputs: Any, state: Any) -> Any:
            new = 0.5 * state + spread(tf, inputs[:, 0], self.shape)
            return inputs + 0.1 * spread(tf, read(tf, new), [1]), new

    return LeakyV1


def states_of(shape: list[int]) -> Any:
    return np.linspace(-1, 1, int(2 * np.prod(shape))).reshape(2, *shape).astype("float32")


# --- Keras ------------------------------------------------------------------------------------------------------------

HOW: dict[str, dict[str, Any]] = {
    "plain": {},
    "sequences": {"return_sequences": True},
    "unroll": {"unroll": True, "return_sequences": True},
    "go_backwards": {"go_backwards": True, "return_sequences": True},
    "time_major": {"time_major": True},
}


@corner(*((shape, how) for shape in SHAPES for how in HOW))
def rnn(tf: Any, case: Any) -> Any:
    shape, how = case
    layer = tf.keras.layers.RNN(keras_cell(tf)(shape), return_state=True, **HOW[how])
    x = X.swapaxes(0, 1) if how == "time_major" else X
    return with_gradients(tf, lambda x, s: layer(x, initial_state=s), x, states_of(shape))


@corner(*((shape, unroll) for shape in SHAPES[1:] for unroll in (False, True)))
def rnn_masked(tf: Any, case: Any) -> Any:
    """Without shape []: there TensorFlow broadcasts the mask (batch, 1) to a state (batch, batch)."""
    shape, unroll = case
    layer = tf.keras.layers.RNN(keras_cell(tf)(shape), return_state=True, return_sequences=True, unroll=unroll)
    return with_gradients(tf, lambda x, s: layer(x, mask=given(tf, MASK), initial_state=s), X, states_of(shape))


@corner(*SHAPES)
def rnn_stateful(tf: Any, shape: list[int]) -> Any:
    layer = tf.keras.layers.RNN(keras_cell(tf)(shape), return_state=True, stateful=True, batch_input_shape=(2, 3, 4))
    x = given(tf, X)
    first, second = layer(x), layer(x)
    layer.reset_states()
    third = layer(x)
    layer.reset_states([states_of(shape)])
    return [first, second, third, layer(x)]


@corner(*SHAPES)
def stacked(tf: Any, shape: list[int]) -> Any:
    ones = {"kernel_initializer": "ones", "recurrent_initializer": "zeros"}
    cells = [keras_cell(tf)(shape), tf.keras.layers.LSTMCell(2, **ones), keras_cell(tf)([2])]
    return with_gradients(tf, tf.keras.layers.RNN(cells, return_state=True), X)


@corner(*SHAPES)
def bidirectional(tf: Any, shape: list[int]) -> Any:
    cell = keras_cell(tf)
    if is_ours(tf):
        return with_gradients(tf, tf.keras.layers.Bidirectional(tf.keras.layers.RNN(cell(shape), return_state=True)), X)
    with tf.keras.utils.custom_object_scope({"Leaky": cell}):
        layer = tf.keras.layers.Bidirectional(tf.keras.layers.RNN(cell(shape), return_state=True))
    return with_gradients(tf, layer, X)


@corner(*SHAPES)
def a_first_generation_cell_in_rnn(tf: Any, shape: list[int]) -> Any:
    return with_gradients(tf, tf.keras.layers.RNN(v1_cell(tf)(shape), return_state=True), X)


# --- the first generation ---------------------------------------------------------------------------------------------


@corner(*((shape, lengths) for shape in SHAPES for lengths in (None, (3, 1))))
def dynamic_rnn(tf: Any, case: Any) -> Any:
    shape, lengths = case

    def run(x: Any, state: Any) -> Any:
        return tf.compat.v1.nn.dynamic_rnn(v1_cell(tf)(shape), x, sequence_length=lengths, initial_state=state)

    return with_gradients(tf, run, X, states_of(shape))


@corner(*SHAPES)
def static_rnn(tf: Any, shape: list[int]) -> Any:
    def run(x: Any) -> Any:
        steps = [x[:, 0], x[:, 1]]
        return tf.compat.v1.nn.static_rnn(v1_cell(tf)(shape), steps, dtype=float32(tf), sequence_length=[2, 1])

    return with_gradients(tf, run, X)


@corner(*SHAPES)
def bidirectional_dynamic_rnn(tf: Any, shape: list[int]) -> Any:
    def run(x: Any) -> Any:
        cells = v1_cell(tf)(shape), v1_cell(tf)([2])
        return tf.compat.v1.nn.bidirectional_dynamic_rnn(*cells, x, dtype=float32(tf), sequence_length=[3, 2])

    return with_gradients(tf, run, X)


@corner(*((shape, wrapper) for shape in SHAPES for wrapper in ("Dropout", "Residual", "Multi", "Device")))
def wrapped(tf: Any, case: Any) -> Any:
    shape, wrapper = case
    cells, cell = tf.compat.v1.nn.rnn_cell, v1_cell(tf)(shape)
    around = {
        "Dropout": lambda: cells.DropoutWrapper(
            cell, state_keep_prob=0.9999999, variational_recurrent=True, dtype=float32(tf)
        ),
        "Residual": lambda: cells.ResidualWrapper(cell),
        "Multi": lambda: cells.MultiRNNCell([cell, v1_cell(tf)([2])]),
        "Device": lambda: cells.DeviceWrapper(cell, "/cpu:0"),
    }[wrapper]()
    return with_gradients(tf, lambda x: tf.compat.v1.nn.dynamic_rnn(around, x, dtype=float32(tf)), X)


@corner(*SHAPES)
def zero_state(tf: Any, shape: list[int]) -> Any:
    return v1_cell(tf)(shape).zero_state(2, float32(tf))


@corner(*SHAPES)
def raw_rnn(tf: Any, shape: list[int]) -> Any:
    cell = v1_cell(tf)(shape)

    def run(x: Any) -> Any:
        def loop_fn(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
            steps = int(time)
            finished = given(tf, np.array([steps >= 3, steps >= 2]))
            state = cell.zero_state(2, float32(tf)) if state is None else state
            return finished, x[:, min(steps, 2)], state, output, None

        emitted, state, _ = tf.compat.v1.nn.raw_rnn(cell, loop_fn)
        return emitted.stack(), state

    return with_gradients(tf, run, X)


# --- states without rows, and a TensorArray ---------------------------------------------------------------------------


@cache
def counting(tf: Any) -> Any:
    class Counting(tf.compat.v1.nn.rnn_cell.RNNCell):  # type: ignore[misc]
        """Count its steps: the state is a number for the whole batch."""

        state_size, output_size = tf.TensorShape([]), 4

        def zero_state(self, batch_size: Any, dtype: Any) -> Any:
            return given(tf, np.int32(0))

        def call(self, inputs: Any, state: Any) -> Any:
            return inputs, state + 1

    return Counting


@cache
def remembering(tf: Any) -> Any:
    class Remembering(tf.compat.v1.nn.rnn_cell.RNNCell):  # type: ignore[misc]
        """Write its inputs into a TensorArray."""

        state_size, output_size = (tf.TensorShape([]), ()), 4

        def zero_state(self, batch_size: Any, dtype: Any) -> Any:
            return given(tf, np.int32(0)), tf.compat.v1.TensorArray(dtype=dtype, size=0, dynamic_size=True)

        def call(self, inputs: Any, state: Any) -> Any:
            return 2.0 * inputs, (state[0] + 1, state[1].write(state[0], inputs))

    return Remembering


@corner(*((kind, lengths) for kind in ("counting", "remembering") for lengths in (None, (3, 1))))
def dynamic_rnn_without_rows(tf: Any, case: Any) -> Any:
    kind, lengths = case
    cell = {"counting": counting, "remembering": remembering}[kind](tf)()
    return with_gradients(
        tf, lambda x: tf.compat.v1.nn.dynamic_rnn(cell, x, dtype=float32(tf), sequence_length=lengths), X
    )


@corner("counting", "remembering")
def static_rnn_without_rows(tf: Any, kind: str) -> Any:
    cell = {"counting": counting, "remembering": remembering}[kind](tf)()
    return with_gradients(tf, lambda x: tf.compat.v1.nn.static_rnn(cell, [x[:, 0], x[:, 1]], dtype=float32(tf)), X)


@corner()
def nested_outputs_of_several_shapes(tf: Any) -> Any:
    class Unbalanced(tf.compat.v1.nn.rnn_cell.RNNCell):  # type: ignore[misc]
        state_size, output_size = tf.TensorShape([]), (tf.TensorShape([4]), tf.TensorShape([4, 2]))

        def call(self, inputs: Any, state: Any) -> Any:
            doubled = tf.stack([inputs, inputs], -1)
            return (inputs, doubled), state + inputs[:, 0]

    return with_gradients(tf, lambda x: tf.compat.v1.nn.dynamic_rnn(Unbalanced(), x, dtype=float32(tf)), X)
