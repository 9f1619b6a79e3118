"""First derivatives where a function has none: which one TensorFlow takes at a kink."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case, resolve

EPSILON = 1e-7  # Keras' own: probabilities are clipped to [ε, 1 − ε]
LIMITS = [0.0, EPSILON, 1.0 - EPSILON, 1.0]
# path, the call's own arguments, the points
FUNCTIONS: list[tuple[str, dict[str, Any], list[float]]] = [
    ("abs", {}, [0.0, -0.0]),
    ("sign", {}, [0.0]),
    ("floor", {}, [0.0, 1.0, -2.0]),
    ("clip_by_value", {"clip_value_min": -1.0, "clip_value_max": 0.5}, [-1.0, 0.5]),
    ("reduce_max", {}, [1.5, 1.5, -2.0, 1.5]),
    ("reduce_min", {}, [1.5, -2.0, -2.0, 1.5]),
    ("keras.activations.relu", {}, [0.0, -0.0]),
    ("keras.activations.elu", {}, [0.0, -0.0]),
    ("keras.activations.elu", {"alpha": 0.25}, [0.0, -0.0]),
    ("keras.activations.selu", {}, [0.0, -0.0]),
    ("keras.activations.softsign", {}, [0.0, -0.0]),
    ("keras.activations.hard_sigmoid", {}, [2.5, -2.5]),
]
# path, the call's own arguments, targets, predictions: a row for each example
LOSSES: list[tuple[str, dict[str, Any], list[float], list[float]]] = [
    ("keras.losses.mean_absolute_error", {}, [0.0, 1.0, -2.5], [0.0, 1.0, -2.5]),
    ("keras.losses.huber", {}, [0.0, 0.0, 2.0, 2.0, 1.0], [1.0, -1.0, 3.0, 1.0, 1.0]),
    ("keras.losses.huber", {"delta": 0.5}, [0.0, 0.0, 2.0, 2.0], [0.5, -0.5, 2.5, 1.5]),
    ("keras.losses.hinge", {}, [1.0, -1.0, 1.0, -1.0], [1.0, -1.0, 0.5, 2.0]),
    ("keras.losses.hinge", {}, [1.0, 0.0], [1.0, -1.0]),
    ("keras.losses.binary_crossentropy", {}, [0.0, 0.0, 0.0, 0.0], [0.0, EPSILON, 0.25, -1.0]),
    ("keras.losses.binary_crossentropy", {}, [1.0, 1.0, 1.0, 1.0], [1.0, 1.0 - EPSILON, 0.25, 2.0]),
    ("keras.losses.kl_divergence", {}, [0.0, 0.0, 0.0, 0.0], LIMITS),
    ("keras.losses.kl_divergence", {}, [1.0, 1.0, 1.0, 1.0], [0.0, 1.0 - EPSILON, 1.0, 2.0]),
    ("keras.losses.poisson", {}, [0.0, 0.0, 1.0], [0.0, 1.0, 1.0]),
]


def keras_kinks() -> list[Case]:
    """Values and gradients at kinks; ``call`` holds the function's own arguments, the cotangents are 1."""
    cases = []
    for i, (path, call, points) in enumerate(FUNCTIONS):
        x = tf.constant(np.array(points))
        cases.append(_case(f"{path}_{i:03d}", path, call, {}, x, lambda x, p=path, c=call: resolve(p, tf)(x, **c)))
    for i, (path, call, targets, predictions) in enumerate(LOSSES):
        y = tf.constant(np.array(targets)[:, None])
        x = tf.constant(np.array(predictions)[:, None])
        f = lambda x, y=y, p=path, c=call: resolve(p, tf)(y, x, **c)  # noqa: E731
        cases.append(_case(f"{path}_{i:03d}", path, call, {"y_true": y.numpy()}, x, f))
    return cases


def _case(name: str, path: str, call: dict[str, Any], arrays: dict[str, Any], x: Any, f: Any) -> Case:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    gradient = tape.gradient(y, x, unconnected_gradients="zero")
    arrays = {"x": x.numpy(), **arrays, "output/0": y.numpy(), "grad/x": tf.convert_to_tensor(gradient).numpy()}
    return Case("keras_kinks", name.rsplit(".", 1)[-1], path, {}, call, None, {}, arrays)
