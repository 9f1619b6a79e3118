"""The order of the arguments of optimizers, losses and metrics: ``SGD(0.1, 0.9)``, not ``SGD(None, …)``."""

from __future__ import annotations

from typing import Any

from minigrad.layers.options import Option


def own_first(cls: type, options: dict[str, Option]) -> dict[str, Option]:
    """Returns the options of a class with those of its family's base class behind its own, and the name last."""
    family: Any = cls.__mro__[-3]  # before Configured and object
    shared = [name for name, value in vars(family).items() if isinstance(value, Option) and name != "name"]
    own = [name for name in options if name not in shared and name != "name"]
    return {name: options[name] for name in [*own, *shared, "name"]}
