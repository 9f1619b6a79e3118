"""Write small files with real Keras, for the tests of `minigrad.convert`: ``python -m oracle.record.keras_files``.

With TensorFlow 2.15 it writes those of Keras 2.15; with Keras 3 (any backend) those of Keras 3, whose names end in
``3``. Weights are multiples of 1/1024, drawn from a fixed seed. The outputs of the models are stored next to the files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

try:
    from tensorflow import keras

    THREE = False
except ImportError:
    import keras

    THREE = True

DATA = Path(__file__).resolve().parents[2] / "convert" / "data"
L = keras.layers


def sequential() -> Any:
    """One of each: a layer, two directions, a stack of cells, a layer around a layer, other activations."""
    return keras.Sequential(
        [
            L.Input((None, 3)),
            L.LSTM(4, return_sequences=True),
            L.Bidirectional(L.GRU(3, return_sequences=True)),
            L.RNN([L.LSTMCell(2), L.GRUCell(2, reset_after=False)], return_sequences=True),
            L.TimeDistributed(L.Dense(2)),
            L.LSTM(3, activation="relu", name="late"),
            L.Dense(2, name="out"),
        ],
        name="sequential",
    )


class Subclassed(keras.Model):
    """Its own weights, layers under attributes that sort before and after ``layers``, and a list of layers."""

    def __init__(self) -> None:
        super().__init__(name="subclassed")
        self.lstm = L.LSTM(3, return_sequences=True)
        self.cell = L.LSTM(2)
        self.head = L.Dense(2)
        self.many = [L.Dense(2), L.Dense(2)]
        self.scale = self.add_weight(name="scale", shape=(1,))

    def call(self, x: Any) -> Any:
        x = self.head(self.cell(self.lstm(x)))
        for layer in self.many:
            x = layer(x)
        return x * self.scale


def many() -> Any:
    """More than ten layers of one class: dense_10 comes after dense_9, not after dense_1."""
    return keras.Sequential([L.Input((2,)), *(L.Dense(2) for _ in range(12))], name="many")


def foreign() -> Any:
    """A model with layers that minigrad does not have, trained for one step: its file has an optimizer and metrics."""
    x = L.Input((None, 3))
    y = L.LSTM(2, return_sequences=True, name="lstm")(x)
    model = keras.Model(x, L.Add(name="sum")([y, L.Conv1D(2, 1, name="convolution")(y)]), name="foreign")
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((2, 2, 3)), np.ones((2, 2, 2)), verbose=0)
    return model


def hard() -> Any:
    """The activation that changed between Keras 2 and 3."""
    return keras.Sequential([L.Input((None, 3)), L.LSTM(2, recurrent_activation="hard_sigmoid")], name="hard")


def answer(model: Any, x: np.ndarray) -> np.ndarray:
    """Return the predictions of the model, in float64."""
    if THREE:
        return keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(x, "float64")))
    return np.asarray(model(x))


def main() -> None:
    """Write everything."""
    keras.backend.set_floatx("float64")
    numbers = np.random.default_rng(15)
    DATA.mkdir(exist_ok=True)
    x = numbers.integers(-1024, 1025, (2, 4, 3)) / 1024
    answers = {"x": x}
    tail = "3" if THREE else ""
    endings = {
        "sequential": (".keras", ".h5", ".weights.h5", "_weights.h5"),
        "subclassed": (".weights.h5", "_weights.h5"),
        "many": (".weights.h5",),
        "foreign": (".keras", ".h5"),
        "hard": (".keras", ".weights.h5"),
    }
    for make in (sequential, Subclassed, many, foreign, hard):
        model = make()
        inputs = x[:, 0, :2] if model.name == "many" else x
        model(inputs)
        model.set_weights([numbers.integers(-1024, 1025, w.shape) / 1024 for w in model.weights])
        answers[f"{model.name}/y"] = answer(model, inputs)
        answers |= {f"{model.name}/weight/{k}": w for k, w in enumerate(model.get_weights())}
        for ending in endings[model.name]:
            if THREE and ending == "_weights.h5":
                continue  # Keras 3 requires .weights.h5
            path = DATA / f"{model.name}{tail}{ending}"
            (model.save_weights if "weights" in ending else model.save)(path)
            print(f"{path.name}: {path.stat().st_size} bytes")
    np.savez_compressed(DATA / f"keras{tail}.npz", **answers)


if __name__ == "__main__":
    main()
