"""Recurrent layers of Keras around cells of a user's own: nested inputs, constants, states of several shapes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from oracle.corners import corner, error_of, given, is_ours, named, with_gradients

STATE = np.linspace(-1, 1, 4).reshape(2, 2).astype("float32")
LONG = np.sin(np.arange(40)).reshape(2, 5, 4).astype("float32")
HOLES = np.array([[True, False, True, True, False], [False, True, True, False, False]])


@cache
def minimal(tf: Any) -> Any:
    class Minimal(tf.keras.layers.Layer):  # type: ignore[misc]
        """h' = x W + h U"""

        def __init__(self, units: int, **options: Any) -> None:
            self.units = self.state_size = units
            super().__init__(**options)

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
            self.u = self.add_weight(shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel")
            self.built = True

        def call(self, inputs: Any, states: Any) -> Any:
            y = inputs @ self.kernel + states[0] @ self.u
            return y, [y]

        def get_config(self) -> Any:
            return {**super().get_config(), "units": self.units}

    return Minimal


@corner("alone", "in a list", "stack", "bidirectional", "mixed stack", "time distributed")
def a_minimal_cell(tf: Any, how: str) -> Any:
    layers, cell = tf.keras.layers, minimal(tf)
    layer = {
        "alone": lambda: layers.RNN(cell(2), return_state=True),
        "in a list": lambda: layers.RNN([cell(3), cell(2)], return_state=True),
        "stack": lambda: layers.RNN(layers.StackedRNNCells([cell(3), layers.StackedRNNCells([cell(3), cell(2)])])),
        "bidirectional": lambda: layers.Bidirectional(layers.RNN(cell(2), return_sequences=True), merge_mode="mul"),
        "mixed stack": lambda: layers.RNN([layers.LSTMCell(3), cell(2), layers.GRUCell(3)], return_state=True),
        "time distributed": lambda: layers.TimeDistributed(layers.RNN(cell(2))),
    }[how]()  # type: ignore[no-untyped-call]
    x = LONG if how != "time distributed" else np.stack([LONG, -LONG])
    layer(given(tf, x))
    layer.set_weights([0.5 * np.cos(np.arange(w.size) + k).reshape(w.shape) for k, w in enumerate(layer.get_weights())])
    return with_gradients(tf, lambda x: named(layer(x)), x)


@cache
def with_constants(tf: Any) -> Any:
    class WithConstants(tf.keras.layers.Layer):  # type: ignore[misc]
        """y = x + s + the sum of the constants"""

        def __init__(self, units: int = 4, **options: Any) -> None:
            super().__init__(**options)
            self.units = self.state_size = units

        def call(self, inputs: Any, states: Any, constants: Any) -> Any:
            y = inputs * 0.5 + states[0]
            for constant in constants:
                y = y + constant
            return y, [y]

        def get_config(self) -> Any:
            return {**super().get_config(), "units": self.units}

    return WithConstants


@corner("argument", "list", "states", "backwards", "masked", "stateful", "two", "both directions", "stack")
def constants(tf: Any, how: str) -> Any:
    layers, cell = tf.keras.layers, with_constants(tf)
    options = {
        "backwards": {"go_backwards": True, "return_sequences": True}, "stateful": {"stateful": True},
        "masked": {"return_sequences": True},
    }.get(how, {})  # fmt: skip
    layer = layers.RNN([cell(), cell()] if how == "stack" else cell(), return_state=True, **options)
    if how == "both directions":
        layer = layers.Bidirectional(layers.RNN(cell(), return_sequences=True))

    def run(x: Any, c: Any, s: Any) -> Any:
        if how == "list":
            layer(x, constants=[c])
            return named(layer([x, c])) if is_ours(tf) else named(layer(x, constants=[c]))
        if how == "states":
            return named(layer(x, initial_state=[s], constants=[c]))
        if how == "masked":
            return named(layer(x, mask=given(tf, HOLES), constants=[c]))
        if how == "two":
            return named(layer(x, constants=[c, 2 * c]))
        first = named(layer(x, constants=[c]))
        return [first, named(layer(x, constants=[c]))]

    return with_gradients(tf, run, LONG, LONG[:, 0], LONG[:, 1])


@cache
def nested(tf: Any) -> Any:
    class Nested(tf.keras.layers.Layer):  # type: ignore[misc]
        """Inputs (a, b), states [s, t], outputs (y, z)."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.state_size = [tf.TensorShape([4]), tf.TensorShape([4])]
            self.output_size = [tf.TensorShape([4]), tf.TensorShape([2])]

        def call(self, inputs: Any, states: Any) -> Any:
            a, b = inputs
            s, t = states
            s, t = 0.5 * s + a, t + b * a
            return (s + t, t[:, :2]), [s, t]

        def get_config(self) -> Any:
            return super().get_config()

    return Nested


@corner({}, {"return_sequences": True}, {"return_state": True}, {"go_backwards": True}, {"time_major": True})
def nested_inputs(tf: Any, options: dict[str, Any]) -> Any:
    layer = tf.keras.layers.RNN(nested(tf)(), **options)
    return with_gradients(tf, lambda a, b: named(layer((a, b))), LONG, 0.5 * LONG)


@corner("none", "list", "tuple", "one")
def cells_by_their_sizes(tf: Any, how: str) -> Any:
    """state_size as a number, a list or a tuple; the output is larger than the state."""

    class Sized(tf.keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.state_size = {"none": 4, "list": [4, 4], "tuple": (4, 4), "one": [4]}[how]
            if how != "none":
                self.output_size = 8

        def call(self, inputs: Any, states: Any) -> Any:
            new = [s * 0.5 + (k + 1) * inputs for k, s in enumerate(states)]
            y = new[0] if how == "none" else tf.concat([inputs, new[-1]], 1)
            return y, tuple(new) if how == "tuple" else new

    layer = tf.keras.layers.RNN(Sized(), return_state=True, return_sequences=True)
    return with_gradients(tf, lambda x: named(layer(x, mask=given(tf, HOLES))), LONG)


@corner()
def images_over_time(tf: Any) -> Any:
    """Inputs (batch, time, height, width) of a cell whose state has their shape; initial states given too."""

    class Images(tf.keras.layers.Layer):  # type: ignore[misc]
        state_size = tf.TensorShape([2, 2])
        output_size = tf.TensorShape([2, 2])

        def call(self, inputs: Any, states: Any) -> Any:
            y = states[0] * 0.5 + inputs
            return y, [y]

    layer = tf.keras.layers.RNN(Images(), return_state=True)
    x = LONG.reshape(2, 5, 2, 2)
    return [
        with_gradients(tf, lambda x: named(layer(x)), x),
        with_gradients(tf, lambda x, s: named(layer(x, initial_state=s)), x, LONG[:, 0].reshape(2, 2, 2)),
        error_of(lambda: layer(given(tf, x), initial_state=[given(tf, STATE)])),
    ]
