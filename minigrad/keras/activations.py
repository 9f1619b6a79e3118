"""Activations. `tf.keras.activations`; see `minigrad.layers.activations`."""

from minigrad.engine.functional import (
    elu,
    gelu,
    hard_sigmoid,
    linear,
    mish,
    relu,
    selu,
    sigmoid,
    softmax,
    softplus,
    softsign,
    swish,
    tanh,
)
from minigrad.engine.functional import exp as exponential
from minigrad.layers.activations import deserialize, get, serialize

__all__ = [
    "deserialize", "elu", "exponential", "gelu", "get", "hard_sigmoid", "linear", "mish", "relu", "selu", "serialize",
    "sigmoid", "softmax", "softplus", "softsign", "swish", "tanh",
]  # fmt: skip
