"""The outside of every class: the constructor's signature, and ``get_config()`` of defaults."""

from __future__ import annotations

import inspect
from contextlib import nullcontext
from typing import Any

import tensorflow as tf

from oracle.reader import Case, build, resolve
from oracle.record.layers import start_over
from oracle.record.store import plain

_LSTM = {"class_name": "keras.layers.LSTM", "kwargs": {"units": 2}}
_CELL = {"class_name": "keras.layers.LSTMCell", "kwargs": {"units": 2}}
_OLD_CELL = {"class_name": "compat.v1.keras.layers.LSTMCell", "kwargs": {"units": 2}}
_OLDEST_CELL = {"class_name": "compat.v1.nn.rnn_cell.LSTMCell", "kwargs": {"num_units": 2}}
_UNITS = ("LSTMCell", "LSTM", "GRUCell", "GRU", "SimpleRNNCell", "SimpleRNN")
_STEPS = {"initial_learning_rate": 0.1, "decay_steps": 4}

# Required arguments of each constructor; None where no object can be made.
KERAS: dict[str, dict[str, Any] | None] = {
    **{f"layers.{name}": {"units": 2} for name in (*_UNITS, "Dense")},
    "layers.Layer": {},
    "layers.Embedding": {"input_dim": 3, "output_dim": 2},
    "layers.Dropout": {"rate": 0.5},
    "layers.Activation": {"activation": "tanh"},
    "layers.Masking": {},
    "layers.TimeDistributed": {"layer": {"class_name": "keras.layers.Dense", "kwargs": {"units": 2}}},
    "layers.Bidirectional": {"layer": _LSTM},
    "layers.RNN": {"cell": _CELL},
    "layers.StackedRNNCells": {"cells": [_CELL, _CELL]},
    **{
        f"initializers.{name}": {}
        for name in (
            *("Zeros", "Ones", "Constant", "Identity", "Orthogonal", "RandomNormal"),
            *("RandomUniform", "TruncatedNormal", "VarianceScaling", "GlorotNormal"),
            *("GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"),
        )
    },
    **{f"regularizers.{name}": {} for name in ("L1", "L2", "L1L2", "OrthogonalRegularizer")},
    **{f"constraints.{name}": {} for name in ("MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm")},
    **{f"optimizers.{name}": {} for name in ("SGD", "RMSprop", "Adagrad", "Adam", "AdamW")},
    **{f"optimizers.schedules.{name}": _STEPS for name in ("CosineDecay", "PolynomialDecay")},
    **{
        f"optimizers.schedules.{name}": {**_STEPS, "decay_rate": 0.5}
        for name in ("ExponentialDecay", "InverseTimeDecay")
    },
    "optimizers.schedules.PiecewiseConstantDecay": {"boundaries": [2], "values": [0.2, 0.1]},
    "optimizers.schedules.CosineDecayRestarts": {
        "initial_learning_rate": 0.1,
        "first_decay_steps": 4,
    },
    **{
        f"losses.{name}": {}
        for name in (
            *("MeanSquaredError", "MeanAbsoluteError", "Huber", "BinaryCrossentropy"),
            *("CategoricalCrossentropy", "SparseCategoricalCrossentropy"),
        )
    },
    "Sequential": None,
    "Model": None,
    **{
        f"callbacks.{name}": None
        for name in ("Callback", "EarlyStopping", "ModelCheckpoint", "CSVLogger", "LambdaCallback")
    },
}
SECOND: dict[str, dict[str, Any] | None] = {
    **{f"keras.layers.{name}": {"units": 2} for name in _UNITS},
    "keras.layers.RNN": {"cell": _OLD_CELL},
    "keras.layers.StackedRNNCells": {"cells": [_OLD_CELL, _OLD_CELL]},
}
FIRST: dict[str, dict[str, Any] | None] = {
    **{f"nn.rnn_cell.{name}": {"num_units": 2} for name in ("LSTMCell", "BasicLSTMCell", "BasicRNNCell", "GRUCell")},
    "nn.rnn_cell.RNNCell": {},
    "nn.rnn_cell.MultiRNNCell": {"cells": [_OLDEST_CELL, _OLDEST_CELL]},
    "nn.rnn_cell.DropoutWrapper": {"cell": _OLDEST_CELL},
    "nn.rnn_cell.ResidualWrapper": {"cell": _OLDEST_CELL},
    "nn.rnn_cell.DeviceWrapper": {"cell": _OLDEST_CELL, "device": "/cpu:0"},
    "nn.rnn_cell.LSTMStateTuple": None,
    "nn.dynamic_rnn": None,
    "nn.static_rnn": None,
    "nn.bidirectional_dynamic_rnn": None,
    "nn.raw_rnn": None,
    "layers.Layer": {},
    "variable_scope": None,
    "get_variable": None,
    "trainable_variables": None,
    "global_variables": None,
    "reset_default_graph": None,
}
METHODS = (
    *("__call__", "call", "build", "add_weight", "add_loss", "compute_mask", "compute_output_shape"),
    *("get_initial_state", "reset_states", "zero_state", "get_config", "from_config"),
    *("get_dropout_mask_for_cell", "get_recurrent_dropout_mask_for_cell", "reset_dropout_mask"),
    *("reset_recurrent_dropout_mask", "get_weights", "set_weights", "count_params", "apply"),
    *("get_losses_for", "get_updates_for", "apply_gradients", "compile", "fit", "evaluate"),
    *("predict", "train_on_batch", "test_on_batch", "predict_on_batch", "summary"),
    *("save_weights", "load_weights", "add", "pop"),
)


def signature(function: Any) -> list[dict[str, Any]]:
    """Parameters in order: name, kind, and the default where there is one."""
    listed = []
    for parameter in inspect.signature(function).parameters.values():
        fact: dict[str, Any] = {"name": parameter.name, "kind": parameter.kind.name}
        if parameter.default is not parameter.empty:
            try:
                fact["default"] = plain(parameter.default)
            except TypeError:  # an object, not a plain value: its own words must do
                fact["default_repr"] = type(parameter.default).__name__
        listed.append(fact)
    return listed


def _cases(family: str, prefix: str, listed: dict[str, dict[str, Any] | None]) -> list[Case]:
    """The cases in float32, TensorFlow's own default."""
    cases = []
    for name, kwargs in listed.items():
        start_over()
        path = f"{prefix}.{name}"
        found = resolve(path, tf)
        info: dict[str, Any] = {"signature": signature(found), "is_class": inspect.isclass(found)}
        if inspect.isclass(found):
            info["methods"] = {m: signature(getattr(found, m)) for m in METHODS if hasattr(found, m)}
        config = None
        if kwargs is not None:
            with tf.Graph().as_default() if listed is FIRST else nullcontext():
                config = build({"class_name": path, "kwargs": kwargs}, tf).get_config()
        cases.append(Case(family, path, path, kwargs or {}, {}, config, info, {}))
    return cases


def keras_api() -> list[Case]:
    """Third generation: layers, and the small objects of ``keras``."""
    return _float32("keras_api", "keras", KERAS)


def v1_keras_api() -> list[Case]:
    """Second generation."""
    return _float32("v1_keras_api", "compat.v1", SECOND)


def v1_nn_api() -> list[Case]:
    """First generation, classes and functions."""
    return _float32("v1_nn_api", "compat.v1", FIRST)


def _float32(family: str, prefix: str, listed: dict[str, dict[str, Any] | None]) -> list[Case]:
    tf.keras.backend.set_floatx("float32")
    try:
        return _cases(family, prefix, listed)
    finally:
        tf.keras.backend.set_floatx("float64")
