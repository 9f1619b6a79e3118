"""The order of the arguments of optimizers, losses and metrics: ``SGD(0.1, 0.9)``, not ``SGD(None, …)``."""

from __future__ import annotations

from minigrad.layers.options import Configured, Option


class OwnFirst(Configured):
    """A class whose constructor takes its own options first, those of its family's base class then, the name last."""

    @classmethod
    def _arranged(cls, options: dict[str, Option]) -> dict[str, Option]:
        family = cls.__mro__[-4:][0]  # stands before OwnFirst, Configured and object
        shared = [name for name, value in vars(family).items() if isinstance(value, Option) and name != "name"]
        own = [name for name in options if name not in shared and name != "name"]
        return {name: options[name] for name in [*own, *shared, "name"] if name in options}
