"""Base classes of wrappers and cells, TimeDistributed on several inputs, and cells written as in Keras' guide."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.corners import X, corner, face, fill, given, is_ours, with_gradients

OTHER = (X[::-1] ** 2 - 0.3).copy()


def merging(tf: Any) -> Any:
    class Merging(tf.keras.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(name="kernel", shape=(input_shape[0][-1], 2))
            self.built = True

        def call(self, inputs: Any) -> Any:
            a, b = inputs
            return a @ self.kernel - b @ self.kernel * 0.5

    return Merging


@corner("Add", "Concatenate", "Multiply", "Average", "Dot", "custom")
def time_distributed_on_several_inputs(tf: Any, name: str) -> Any:
    k = tf.keras.layers
    inner = merging(tf)() if name == "custom" else k.Dot(axes=1) if name == "Dot" else getattr(k, name)()
    layer = k.TimeDistributed(inner)
    layer([given(tf, X), given(tf, OTHER)])
    if inner.weights:
        fill(inner)
    return with_gradients(tf, lambda a, b: layer([a, b]), X, OTHER)


@corner()
def time_distributed_on_symbols(tf: Any) -> Any:
    k = tf.keras
    a, b = k.Input((3, 4)), k.Input((3, 4))
    inner = k.Model([a2 := k.Input((4,)), b2 := k.Input((4,))], k.layers.Dense(2)(k.layers.Add()([a2, b2])))
    fill(inner)
    model = k.Model([a, b], k.layers.TimeDistributed(inner)([a, b]))
    return [list(model.output_shape), model([given(tf, X), given(tf, OTHER)])]


@corner()
def custom_wrappers(tf: Any) -> Any:
    class Scaled(tf.keras.layers.Wrapper):
        def __init__(self, layer: Any, factor: float = 2.0, **kwargs: Any) -> None:
            super().__init__(layer, **kwargs)
            self.factor = factor

        def call(self, inputs: Any) -> Any:
            return self.layer(inputs) * self.factor

        def get_config(self) -> Any:
            return {**super().get_config(), "factor": self.factor}

    layer = Scaled(tf.keras.layers.Dense(3), 0.5)
    layer(given(tf, X))
    fill(layer.layer)
    with tf.keras.utils.custom_object_scope({"Scaled": Scaled}):
        copied = Scaled.from_config(layer.get_config())
    copied(given(tf, X))
    copied.set_weights(layer.get_weights())
    return [
        layer(given(tf, X)), copied(given(tf, X)), len(layer.weights), isinstance(layer, tf.keras.layers.Wrapper),
        issubclass(tf.keras.layers.TimeDistributed, tf.keras.layers.Wrapper),
        issubclass(tf.keras.layers.Bidirectional, tf.keras.layers.Wrapper),
    ]  # fmt: skip


def minimal_cell(tf: Any, base: Any) -> Any:
    class MinimalRNNCell(base):  # type: ignore[misc]  # a class given at run time
        def __init__(self, units: int, **kwargs: Any) -> None:
            self.units = units
            super().__init__(**kwargs)

        @property
        def state_size(self) -> Any:
            return self.units

        @property
        def output_size(self) -> Any:
            return self.units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
            self.recurrent_kernel = self.add_weight(
                shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
            )
            self.built = True

        def call(self, inputs: Any, states: Any) -> Any:
            h = inputs @ self.kernel
            output = h + states[0] @ self.recurrent_kernel
            return output, output

    return MinimalRNNCell


@corner("AbstractRNNCell", "Layer")
def the_cell_of_the_guide(tf: Any, base: str) -> Any:
    k = tf.keras.layers
    make = minimal_cell(tf, getattr(k, base))
    one, stack = k.RNN(make(3), return_sequences=True), k.RNN([make(3), make(2)], return_state=True)
    found = []
    for layer in (one, stack):
        layer(given(tf, X))
        fill(layer)
        found += [[w.name for w in layer.weights], with_gradients(tf, layer, X)]
    return found


@corner()
def an_initial_state_of_an_abstract_cell(tf: Any) -> Any:
    cell = minimal_cell(tf, tf.keras.layers.AbstractRNNCell)(3)
    return [np.asarray(cell.get_initial_state(batch_size=2, dtype="float32"))]


@corner("Residual", "Residual of a function", "Dropout", "Device", "Residual around Dropout")
def wrappers_around_keras_cells(tf: Any, kind: str) -> Any:
    nn, k = face(tf).nn, tf.keras.layers
    cell = k.GRUCell(4) if kind == "Residual" else k.LSTMCell(4)
    device = "numpy" if is_ours(tf) else "/cpu:0"
    wrapped = {
        "Residual": lambda: nn.RNNCellResidualWrapper(cell),
        "Residual of a function": lambda: nn.RNNCellResidualWrapper(cell, residual_fn=lambda x, y: y - 0.5 * x),
        "Dropout": lambda: nn.RNNCellDropoutWrapper(cell, 1.0, 1.0, 1.0),
        "Device": lambda: nn.RNNCellDeviceWrapper(cell, device),
        "Residual around Dropout": lambda: nn.RNNCellResidualWrapper(nn.RNNCellDropoutWrapper(cell, 1.0)),
    }[kind]()
    layer = k.RNN(wrapped, return_sequences=True, return_state=True)
    layer(given(tf, X))
    cell.set_weights([0.5 * np.cos(np.arange(np.prod(w.shape))).reshape(w.shape) for w in cell.get_weights()])
    return with_gradients(tf, layer, X)
