"""Optimizers by name."""

from __future__ import annotations

from typing import Any

from minigrad.engine.errors import unknown_name
from minigrad.keras.optimizers.adagrad import Adagrad
from minigrad.keras.optimizers.adam import Adam, AdamW
from minigrad.keras.optimizers.base import Optimizer
from minigrad.keras.optimizers.rmsprop import RMSprop
from minigrad.keras.optimizers.sgd import SGD
from minigrad.layers.catalogue import Catalogue

_NAMES = {cls.__name__.lower(): cls for cls in (SGD, RMSprop, Adagrad, Adam, AdamW)}
_catalogue = Catalogue("optimizer", "keras.optimizers", _NAMES.values(), dict(_NAMES))
serialize, deserialize = _catalogue.serialize, _catalogue.deserialize


def get(identifier: Any) -> Optimizer:
    """Return the optimizer for a name in any case, a class, a serialized optimizer, or an optimizer.

    Raises:
        UnknownNameError: no optimizer has that name.

    >>> get("adam").learning_rate
    0.001
    """
    if isinstance(identifier, Optimizer):
        return identifier
    known = isinstance(identifier, dict) or (isinstance(identifier, type) and issubclass(identifier, Optimizer))
    if not known and not (isinstance(identifier, str) and identifier.lower() in _NAMES):
        raise unknown_name("optimizers.get: `identifier`", identifier, _NAMES, "Or pass an optimizer object.")
    found: Optimizer = _catalogue.get(identifier if known else identifier.lower())
    return found
