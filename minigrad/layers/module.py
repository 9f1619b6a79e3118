"""Module: an object with weights, its own and those of the modules among its attributes."""

from __future__ import annotations

from typing import Any

from minigrad.engine import tree
from minigrad.engine.arguments import text
from minigrad.layers.weight import Weight


class Module:
    """The base class of layers, and of objects that hold weights and layers without being a layer.

    Args:
        name: for messages; the class's name by default.

    >>> import minigrad as mg
    >>> class Pair(mg.Module):
    ...     def __init__(self):
    ...         self.parts = [mg.keras.layers.Dense(2), mg.keras.layers.Dense(1)]
    >>> pair = Pair()
    >>> pair.parts[1](pair.parts[0](mg.ones((1, 3)))).shape, len(pair.trainable_variables)
    ((1, 1), 4)

    Source: `tf.Module`; there are no graphs here, and so no name scopes of a module.
    """

    name = None
    _weights: Any = ()  # those that are not attributes
    _trainable = True

    def __init__(self, name: str | None = None) -> None:
        self.name = type(self).__name__ if name is None else text(f"{type(self).__name__}: `name`", name)

    @property
    def trainable(self) -> bool:
        """Whether an optimizer updates the weights. Setting it sets it for all modules inside as well."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = value
        self._pass_down("trainable", value)

    def _pass_down(self, name: str, value: Any) -> None:
        """Set an attribute of all modules inside."""
        for part in self._parts():
            setattr(part, name, value)

    @property
    def weights(self) -> list[Weight]:
        """All weights, those of nested modules included, the trainable ones first."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that an optimizer updates."""
        return [w for w, trainable in self._all_weights() if trainable]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights that no optimizer updates."""
        return [w for w, trainable in self._all_weights() if not trainable]

    variables, trainable_variables, non_trainable_variables = weights, trainable_weights, non_trainable_weights

    @property
    def submodules(self) -> tuple[Module, ...]:
        """The modules among the attributes, each followed by its own."""
        found = {id(m): m for part in self._parts() for m in (part, *part.submodules)}
        return tuple(found.values())

    def _all_weights(self, trainable: bool = True) -> list[tuple[Weight, bool]]:
        trainable = trainable and self.trainable
        found = {id(w): (w, trainable and w.trainable) for w in self._own_weights()}
        for part in self._parts():
            found |= {id(w): (w, t) for w, t in part._all_weights(trainable) if id(w) not in found}
        return list(found.values())

    def _own_weights(self) -> list[Weight]:
        """Return the weights outside the parts, those made trainable first."""
        return sorted(self._added_weights(), key=lambda w: not w.born_trainable)

    def _added_weights(self) -> list[Weight]:
        """Return the weights outside the parts, in the order in which they were added."""
        return [*self._weights, *(value for value in self._attributes() if isinstance(value, Weight))]

    def _lasting_weights(self) -> list[Weight]:
        """Return all weights in the order of `weights` when nothing is frozen, which freezing does not change."""
        return sorted((w for w, _ in self._all_weights()), key=lambda w: not w.born_trainable)

    def _attributes(self) -> list[Any]:
        """Return the attributes' values, as a list: another thread may add an attribute meanwhile."""
        return list(vars(self).values())

    def _parts(self) -> list[Module]:
        """Return the modules among the attributes, lists of modules included, in the order in which they were set."""
        found: dict[int, Module] = {}
        for value in self._attributes():
            if isinstance(value, Module) or (isinstance(value, (list, tuple, dict)) and value):
                found |= {id(part): part for part in tree.leaves(value) if isinstance(part, Module)}
        return list(found.values())
