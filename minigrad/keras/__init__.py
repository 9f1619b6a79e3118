"""The third API generation: `tf.keras`."""

from minigrad.keras import (
    activations,
    backend,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    utils,
)
from minigrad.keras.layers import Input
from minigrad.keras.models import Model, Sequential

__all__ = [
    "Input", "Model", "Sequential", "activations", "backend", "callbacks", "constraints", "initializers", "layers",
    "losses", "metrics", "models", "optimizers", "regularizers", "utils",
]  # fmt: skip
