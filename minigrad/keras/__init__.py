"""The third API generation: `tf.keras`. Models and training are imported at their first use."""

from typing import TYPE_CHECKING

from minigrad.engine.lazy import lazy_getattr
from minigrad.keras import activations, constraints, initializers, layers, regularizers
from minigrad.keras.layers import Input

if TYPE_CHECKING:
    from minigrad.keras import backend, callbacks, losses, metrics, models, optimizers, preprocessing, utils
    from minigrad.keras.models import Model, Sequential

__all__ = [
    "Input", "Model", "Sequential", "activations", "backend", "callbacks", "constraints", "initializers", "layers",
    "losses", "metrics", "models", "optimizers", "preprocessing", "regularizers", "utils",
]  # fmt: skip

if not TYPE_CHECKING:  # otherwise mypy would accept any name
    __getattr__ = lazy_getattr(
        __name__,
        __all__,
        "backend",
        "callbacks",
        "losses",
        "metrics",
        "models",
        "optimizers",
        "preprocessing",
        "utils",
    )

del TYPE_CHECKING, lazy_getattr
