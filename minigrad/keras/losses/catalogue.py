"""Losses by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine.errors import unknown_name
from minigrad.engine.tensor import Tensor
from minigrad.keras.losses.classes import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
)
from minigrad.keras.losses.functions import (
    binary_crossentropy,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from minigrad.layers.catalogue import Catalogue, snake_case

_CLASSES = (
    BinaryCrossentropy, CategoricalCrossentropy, Hinge, Huber, KLDivergence, LogCosh, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson, SparseCategoricalCrossentropy,
)  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    **{snake_case(cls.__name__): cls.function for cls in _CLASSES},
    "mse": mean_squared_error, "MSE": mean_squared_error, "mae": mean_absolute_error, "MAE": mean_absolute_error,
    "mape": mean_absolute_percentage_error, "MAPE": mean_absolute_percentage_error, "logcosh": log_cosh,
    "msle": mean_squared_logarithmic_error, "MSLE": mean_squared_logarithmic_error,
    "kld": kl_divergence, "KLD": kl_divergence, "bce": binary_crossentropy,
}  # fmt: skip
_NAMES = [name for name in FUNCTIONS if name.islower()]
_catalogue = Catalogue("loss", "keras.losses", _CLASSES)
serialize, deserialize = _catalogue.serialize, _catalogue.deserialize


def get(identifier: Any) -> Any:
    """Return the loss for a name, a serialized loss, a class, a function or a loss; None stays None.

    As in Keras, a function's name such as ``"mse"`` gives the function, a class's name an object.

    Raises:
        UnknownNameError: no loss has that name.
    """
    return find("losses.get: `identifier`", identifier)


def find(where: str, identifier: Any) -> Any:
    """Return the loss as `get` does; messages begin with `where`."""
    if isinstance(identifier, str) and identifier in FUNCTIONS:
        return FUNCTIONS[identifier]
    known = identifier is None or callable(identifier) or isinstance(identifier, dict)
    if not known and not (isinstance(identifier, str) and identifier in _catalogue.classes):
        raise unknown_name(where, identifier, _NAMES, "Or pass a function of (y_true, y_pred).")
    return _catalogue.read(where, identifier)
