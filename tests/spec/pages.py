"""Contents of TensorFlow's five pages on the LSTM: every argument, call argument, attribute and method, with defaults.

Copied by hand from the pages; `test_pages.py` holds minigrad to it, and `docs/arguments.md` says for each name which
test shows its effect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

REQUIRED = "required"


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        title: the name at its head.
        address: the class here, below ``import minigrad as tf``.
        inherits: the addresses of its base classes that exist here.
        arguments: of the constructor, with their defaults.
        call: the arguments of a call.
        attributes: the attributes.
        methods: the methods, with their arguments.
    """

    title: str
    address: str
    inherits: tuple[str, ...]
    arguments: dict[str, Any]
    call: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    methods: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def names(self) -> list[tuple[str, str]]:
        """Every name of the page, with its section."""
        rows = [("base class", name) for name in self.inherits]
        rows += [("argument", name) for name in self.arguments]
        rows += [("call argument", name) for name in self.call]
        rows += [("attribute", name) for name in self.attributes]
        for method, arguments in self.methods.items():
            rows += [("method", method), *(("method argument", f"{method}: {name}") for name in arguments)]
        return rows


_CELL: dict[str, Any] = {
    "units": REQUIRED,
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "kernel_initializer": "glorot_uniform",
    "recurrent_initializer": "orthogonal",
    "bias_initializer": "zeros",
    "unit_forget_bias": True,
    "kernel_regularizer": None,
    "recurrent_regularizer": None,
    "bias_regularizer": None,
    "kernel_constraint": None,
    "recurrent_constraint": None,
    "bias_constraint": None,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
}
_LAYER = {
    name: default for name, default in _CELL.items() if not name.endswith("_constraint") and "dropout" not in name
}
_LAYER |= {"activity_regularizer": None, "kernel_constraint": None, "recurrent_constraint": None}
_LAYER |= {"bias_constraint": None, "dropout": 0.0, "recurrent_dropout": 0.0, "return_sequences": False}
_LAYER |= {"return_state": False, "go_backwards": False, "stateful": False, "time_major": False, "unroll": False}
_MASKS = ("inputs", "training", "count")
_CELL_METHODS = {
    "get_dropout_mask_for_cell": _MASKS,
    "get_initial_state": ("inputs", "batch_size", "dtype"),
    "get_recurrent_dropout_mask_for_cell": _MASKS,
    "reset_dropout_mask": (),
    "reset_recurrent_dropout_mask": (),
}

PAGES = (
    Page(
        title="tf.compat.v1.nn.rnn_cell.LSTMCell",
        address="compat.v1.nn.rnn_cell.LSTMCell",
        inherits=("compat.v1.nn.rnn_cell.RNNCell", "compat.v1.layers.Layer", "keras.layers.Layer", "Module"),
        arguments={
            "num_units": REQUIRED,
            "use_peepholes": False,
            "cell_clip": None,
            "initializer": None,
            "num_proj": None,
            "proj_clip": None,
            "num_unit_shards": None,
            "num_proj_shards": None,
            "forget_bias": 1.0,
            "state_is_tuple": True,
            "activation": None,
            "reuse": None,
            "name": None,
            "dtype": None,
            "trainable": True,  # of **kwargs
        },
        attributes=("graph", "output_size", "scope_name", "state_size"),
        methods={
            "apply": (),
            "get_initial_state": ("inputs", "batch_size", "dtype"),
            "get_losses_for": ("inputs",),
            "get_updates_for": ("inputs",),
            "zero_state": ("batch_size", "dtype"),
        },
    ),
    Page(
        title="tf.compat.v1.keras.layers.LSTMCell",
        address="compat.v1.keras.layers.LSTMCell",
        inherits=("keras.layers.Layer",),
        arguments={**_CELL, "recurrent_activation": "hard_sigmoid", "implementation": 1},
        call=("inputs", "states", "training"),
    ),
    Page(
        title="tf.keras.layers.LSTMCell, version 1.x",
        address="compat.v1.keras.layers.LSTMCell",
        inherits=("keras.layers.Layer",),
        arguments={**_CELL, "recurrent_activation": "hard_sigmoid", "implementation": 1},
        call=("inputs", "states", "training"),
        methods=_CELL_METHODS,
    ),
    Page(
        title="tf.keras.layers.LSTMCell",
        address="keras.layers.LSTMCell",
        inherits=("compat.v1.keras.layers.LSTMCell",),
        arguments=_CELL,
        call=("inputs", "states", "training"),
        methods=_CELL_METHODS,
    ),
    Page(
        title="tf.keras.layers.LSTM",
        address="keras.layers.LSTM",
        inherits=("compat.v1.keras.layers.LSTM",),
        arguments=_LAYER,
        call=("inputs", "mask", "training", "initial_state"),
        attributes=(
            "activation", "bias_constraint", "bias_initializer", "bias_regularizer", "dropout", "implementation",
            "kernel_constraint", "kernel_initializer", "kernel_regularizer", "recurrent_activation",
            "recurrent_constraint", "recurrent_dropout", "recurrent_initializer", "recurrent_regularizer", "states",
            "unit_forget_bias", "units", "use_bias",
        ),
        methods={
            "get_dropout_mask_for_cell": _MASKS,
            "get_recurrent_dropout_mask_for_cell": _MASKS,
            "reset_dropout_mask": (),
            "reset_recurrent_dropout_mask": (),
            "reset_states": ("states",),
        },
    ),
)  # fmt: skip
