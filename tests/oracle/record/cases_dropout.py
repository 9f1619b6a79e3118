"""Dropout inside recurrent cells, with the very masks that TensorFlow drew."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case
from oracle.record.cases_wrappers import STATES
from oracle.record.draw import MASKS, balanced, generator, normal
from oracle.record.grids import SIZES, Options, layer_options, sequence
from oracle.record.layers import Setup, caller, dense, numbers, randomize, start, weight_facts

COUNTS = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}  # masks that a cell asks for
GRID = {
    **SIZES,
    "kind": ["LSTM", "LSTM", "GRU", "SimpleRNN"],
    "around": ["cell", "layer", "layer", "RNN"],
    "activation": ["tanh", "tanh", "softsign"],
    "implementation": [1, 2],
    "rates": [(0.5, 0.0), (0.4, 0.0), (0.0, 0.5), (0.3, 0.6)],
    "mask": MASKS,
    "return_sequences": [True, False],
    "return_state": [False, True],
    "go_backwards": [False, False, True],
    "unroll": [False, False, True],
}


def keras_dropout() -> list[Case]:
    """Third generation, ``training=True``; the masks are ``dropout_mask/i``, ``recurrent_dropout_mask/i``."""
    return _draw("keras_dropout", "keras.layers")


def v1_keras_dropout() -> list[Case]:
    """Second generation, the same."""
    return _draw("v1_keras_dropout", "compat.v1.keras.layers")


def _draw(family: str, generation: str) -> list[Case]:
    rng = generator(family)
    return [
        _record(family, rng, generation, f"dropout_{i:03d}", drawn) for i, drawn in enumerate(balanced(rng, 48, GRID))
    ]


def _setup(rng: np.random.Generator, generation: str, name: str, drawn: Options) -> Setup:
    kind = drawn["kind"]
    kwargs = {"units": drawn["units"], "activation": drawn["activation"], "dtype": "float64"}
    if kind != "SimpleRNN":
        kwargs["implementation"] = drawn["implementation"]
    kwargs |= dict(zip(("dropout", "recurrent_dropout"), drawn["rates"], strict=True))
    states = [normal(rng, (drawn["batch"], drawn["units"])) for _ in range(STATES[kind])]
    training = {"training": True}
    if drawn["around"] == "cell":
        x = normal(rng, (drawn["batch"], drawn["features"]))
        class_name = f"{generation}.{kind}Cell"
        return Setup(name, class_name, kwargs, x, None, states, "states", training)
    class_name = f"{generation}.{kind}"
    if drawn["around"] == "RNN":
        kwargs = {"cell": {"class_name": f"{class_name}Cell", "kwargs": kwargs}, "dtype": "float64"}
        class_name = f"{generation}.RNN"
    both = sequence(rng, drawn, 0.5)
    return Setup(name, class_name, {**kwargs, **layer_options(drawn)}, **both, states=states, call=training)


def _masks(layer: Any, kind: str, setup: Setup) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The masks of the last call, asked for again: they are cached until the next one."""
    cell = getattr(layer, "cell", layer)
    fast = getattr(layer, "_could_use_gpu_kernel", False)
    owner, x = (layer, setup.x) if fast else (cell, setup.x if layer is cell else setup.x[:, 0])
    count = COUNTS[kind]
    drawn = {
        "dropout_mask": owner.get_dropout_mask_for_cell(tf.constant(x), True, count),
        "recurrent_dropout_mask": cell.get_recurrent_dropout_mask_for_cell(
            tf.constant(tf.nest.flatten(setup.states)[0]), True, count
        ),
    }
    arrays = {
        f"{name}/{i}": dense(mask)
        for name, masks in drawn.items()
        for i, mask in enumerate(tf.nest.flatten(masks))
        if mask is not None
    }
    return arrays, {"dropout_of": "layer" if fast else "cell", "dropout_count": count}


def _record(family: str, rng: np.random.Generator, generation: str, name: str, drawn: Options) -> Case:
    setup = _setup(rng, generation, name, drawn)
    layer = start(setup)
    caller(layer, setup)(tf.constant(setup.x), tf.nest.map_structure(tf.constant, setup.states))
    randomize(layer, rng, setup.scale)
    cell = getattr(layer, "cell", layer)
    cell.reset_dropout_mask()
    cell.reset_recurrent_dropout_mask()
    arrays, facts = numbers(layer, setup, rng)
    masks, owner = _masks(layer, drawn["kind"], setup)
    weights = {f"weight/{i}": value for i, value in enumerate(layer.get_weights())}
    info = {"weights": weight_facts(layer.weights), **facts, **owner, "mask": drawn["mask"]}
    config = layer.get_config()
    arrays = weights | masks | arrays
    return Case(family, name, setup.class_name, setup.kwargs, setup.call, config, info, arrays)
