"""Functions and small objects: activations, losses, constraints, regularizers, initializers."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case, build, is_spec, resolve
from oracle.record.draw import balanced, generator, normal
from oracle.record.grids import Options

ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in ("tanh", "sigmoid", "hard_sigmoid", "softsign", "softplus", "linear")),
    *((name, {}) for name in ("relu", "elu", "selu", "exponential", "gelu", "swish", "mish")),
    ("softmax", {}),
    ("softmax", {"axis": 0}),
    ("relu", {"alpha": 0.25}),
    ("relu", {"max_value": 1.5}),
    ("relu", {"threshold": 0.5}),
    ("relu", {"alpha": 0.25, "max_value": 1.5, "threshold": 0.5}),
    ("elu", {"alpha": 0.5}),
    ("gelu", {"approximate": True}),
]


def doubles(value: Any) -> Any:
    """A spec with its floats, the defaults among them, as NumPy's.

    TensorFlow rounds Python floats to float32 on the way: 0.9 of an optimizer becomes 0.89999998,
    in float64 too. A ``numpy.float64`` stays what it is.
    """
    if is_spec(value):
        parameters = inspect.signature(resolve(value["class_name"], tf)).parameters.values()
        defaults = {p.name: p.default for p in parameters if isinstance(p.default, float)}
        return {**value, "kwargs": doubles({**defaults, **value["kwargs"]})}
    if isinstance(value, dict):
        return {key: doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [doubles(item) for item in value]
    return np.float64(value) if isinstance(value, float) else value


def keras_activations() -> list[Case]:
    """Values and gradients on a grid without kinks; ``call`` holds the function's own arguments."""
    family = "keras_activations"
    rng = generator(family)
    cases = []
    for i, (name, call) in enumerate(ACTIVATIONS):
        x = np.round(np.linspace(-4, 4, 33).reshape(3, 11) * 1024 + 11) / 1024
        dy = normal(rng, x.shape)
        inputs = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = getattr(tf.keras.activations, name)(inputs, **call)
        arrays = {"x": x, "output/0": y.numpy(), "cotangent/0": dy}
        arrays["grad/x"] = tape.gradient(y, inputs, output_gradients=tf.constant(dy)).numpy()
        path = f"keras.activations.{name}"
        cases.append(Case(family, f"{name}_{i:03d}", path, {}, call, None, {}, arrays))
    return cases


REDUCTIONS = ["auto", "sum", "none", "sum_over_batch_size"]
LOSSES: dict[str, dict[str, list[Any]]] = {
    "MeanSquaredError": {},
    "MeanAbsoluteError": {},
    "Huber": {"delta": [1.0, 0.5]},
    "BinaryCrossentropy": {"from_logits": [True, False], "label_smoothing": [0.0, 0.0, 0.2]},
    "CategoricalCrossentropy": {"from_logits": [True, False], "label_smoothing": [0.0, 0.0, 0.2]},
    "SparseCategoricalCrossentropy": {"from_logits": [True, False], "ignore_class": [None, None, 1]},
}
COUNTS = dict.fromkeys(LOSSES, 12) | {"CategoricalCrossentropy": 18, "BinaryCrossentropy": 18}


def keras_losses() -> list[Case]:
    """Losses as objects: every reduction, weights of samples and of steps, probabilities at 0 and 1."""
    family = "keras_losses"
    rng = generator(family)
    cases = []
    for name, options in LOSSES.items():
        grid = {
            "reduction": REDUCTIONS,
            "shape": [(4, 3), (3, 5, 3), (1, 2)],
            "weights": ["none", "sample", "step", "mask"],
            "extreme": [False, False, True],
            **options,
        }
        for i, drawn in enumerate(balanced(rng, COUNTS.get(name, 18), grid)):
            kwargs = {"reduction": drawn["reduction"]} | {key: drawn[key] for key in options}
            cases.append(_loss(family, rng, f"{name.lower()}_{i:03d}", name, drawn, kwargs))
    return cases


def _targets(rng: np.random.Generator, name: str, drawn: Options) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of the loss: labels of its kind, and predictions that are logits or probabilities."""
    shape = drawn["shape"]
    y_pred = normal(rng, shape, 2.0)
    labels = rng.integers(0, shape[-1], size=shape[:-1])
    if "Crossentropy" not in name:
        return normal(rng, shape), y_pred
    if not drawn["from_logits"]:
        # Categorical losses divide by the sum themselves: these probabilities need not add up to 1.
        y_pred = np.round(1024 / (1 + np.exp(-y_pred))) / 1024
        if drawn["extreme"]:
            y_pred.flat[0], y_pred.flat[-1] = 0.0, 1.0
    if name.startswith("Sparse"):
        return labels, y_pred
    if name.startswith("Categorical"):
        return np.eye(shape[-1])[labels], y_pred
    return rng.integers(0, 2, size=shape).astype(float), y_pred


def _loss(family: str, rng: np.random.Generator, name: str, loss: str, drawn: Options, kwargs: Options) -> Case:
    y_true, y_pred = _targets(rng, loss, drawn)
    spec = {"class_name": f"keras.losses.{loss}", "kwargs": kwargs}
    made = build(doubles(spec), tf)
    kind, lead = drawn["weights"], drawn["shape"][:-1]
    arrays: dict[str, np.ndarray] = {"y_true": y_true, "y_pred": y_pred}
    if kind in ("sample", "step"):
        shape = lead[:1] if kind == "sample" else lead
        arrays["sample_weight"] = np.abs(normal(rng, shape)) + 0.25
    predicted = tf.Variable(y_pred)
    with tf.GradientTape() as tape:
        y = tf.identity(predicted)
        if kind == "mask":
            arrays["mask"] = rng.random(lead) < 0.6
            y._keras_mask = tf.constant(arrays["mask"])
        value = made(tf.constant(y_true), y, sample_weight=arrays.get("sample_weight"))
        dy = normal(rng, value.shape)
        total = tf.reduce_sum(value * dy)
    arrays |= {"output/0": value.numpy(), "cotangent/0": dy}
    arrays["grad/y_pred"] = tape.gradient(total, predicted).numpy()
    return Case(family, name, spec["class_name"], kwargs, {}, made.get_config(), {}, arrays)


CONSTRAINTS = [
    ("NonNeg", {}, (3, 2)),
    ("NonNeg", {}, (5,)),
    *(("MaxNorm", {"max_value": v, "axis": a}, (3, 4)) for v, a in ((0.5, 0), (1.0, 1), (1.0, [0, 1]))),
    ("MaxNorm", {}, (6, 2)),
    ("MaxNorm", {"max_value": 1.0}, (5,)),
    *(("UnitNorm", {"axis": a}, (3, 4)) for a in (0, 1, [0, 1])),
    ("UnitNorm", {}, (5,)),
    ("MinMaxNorm", {}, (3, 4)),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 0.75, "rate": 0.5, "axis": 1}, (4, 3)),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 2.0, "rate": 1.0, "axis": 0}, (2, 8)),
]
REGULARIZERS = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.1, "mode": "columns"}),
]
INITIALIZERS = [
    ("Zeros", {}, (2, 3)),
    ("Ones", {}, (4,)),
    ("Constant", {}, (2,)),
    ("Constant", {"value": -0.75}, (2, 2)),
    ("Identity", {}, (3, 3)),
    ("Identity", {"gain": 0.5}, (2, 4)),
]


def keras_pieces() -> list[Case]:
    """Results of constraints on a weight, of regularizers, and of initializers without chance."""
    family = "keras_pieces"
    rng = generator(family)
    cases = []
    for i, (name, kwargs, shape) in enumerate(CONSTRAINTS):
        weight = normal(rng, shape)
        weight.flat[0] = 0.0
        made = build({"class_name": f"keras.constraints.{name}", "kwargs": kwargs}, tf)
        arrays = {"x": weight, "output/0": made(tf.constant(weight)).numpy()}
        cases.append(_piece(family, f"constraints.{name}", i, kwargs, made, arrays))
    for i, (name, kwargs) in enumerate(REGULARIZERS):
        made = build({"class_name": f"keras.regularizers.{name}", "kwargs": kwargs}, tf)
        weight = tf.Variable(normal(rng, (3, 4)))
        with tf.GradientTape() as tape:
            value = made(weight)
        arrays = {"x": weight.numpy(), "output/0": value.numpy()}
        arrays["grad/x"] = tape.gradient(value, weight, unconnected_gradients="zero").numpy()
        cases.append(_piece(family, f"regularizers.{name}", i, kwargs, made, arrays))
    for i, (name, kwargs, shape) in enumerate(INITIALIZERS):
        made = build({"class_name": f"keras.initializers.{name}", "kwargs": kwargs}, tf)
        arrays = {"output/0": made(shape).numpy()}
        cases.append(_piece(family, f"initializers.{name}", i, kwargs, made, arrays))
    return cases


def _piece(family: str, path: str, i: int, kwargs: Options, made: Any, arrays: dict[str, np.ndarray]) -> Case:
    name = f"{path.rsplit('.', 1)[1].lower()}_{i:03d}"
    return Case(family, name, f"keras.{path}", kwargs, {}, made.get_config(), {}, arrays)
