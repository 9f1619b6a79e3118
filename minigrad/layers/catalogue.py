"""Objects by name: the lookup of `initializers.get("zeros")`, `losses.get("mse")` and `optimizers.get("adam")`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from minigrad.engine.arguments import function
from minigrad.engine.errors import OptionError, shown, unknown_name
from minigrad.engine.foreign import naming
from minigrad.layers import custom_objects
from minigrad.layers.options import Configured, Kind


def snake_case(name: str) -> str:
    """``"GlorotUniform"`` → ``"glorot_uniform"``, ``"LSTMCell"`` → ``"lstm_cell"``, as Keras spells it."""
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()


def _function_name(value: Any) -> str:
    name = custom_objects.get_registered_name(value)
    return name if hasattr(value, "__name__") else type(value).__name__


class Catalogue:
    """The classes of one kind, and the lookup of an object by an identifier.

    Args:
        what: the kind, for messages, e.g. ``"initializer"``.
        module: the Keras module that holds them, as in a serialized object.
        classes: all of them.
        aliases: further names, e.g. ``{"mse": MeanSquaredError}``.
    """

    def __init__(
        self, what: str, module: str, classes: Iterable[type[Configured]], aliases: dict[str, Any] | None = None
    ) -> None:
        self.what, self.module = what, module
        self._home = module.rpartition(".")[2]  # for messages
        self.classes = {cls.__name__: cls for cls in classes}
        self._makers: dict[str, Callable[..., Any]] = {
            **self.classes,
            **{snake_case(name): cls for name, cls in self.classes.items()},
            **(aliases or {}),
        }

    def get(self, identifier: Any) -> Any:
        """Return the object for a name, a class, a serialized object, or an object; None stays None.

        Raises:
            UnknownNameError: there is none of that name.
        """
        return self.read(f"{self._home}.get: `identifier`", identifier)

    def read(self, where: str, identifier: Any) -> Any:
        """Return the object as `get` does; messages begin with `where`."""
        if isinstance(identifier, str):
            if identifier not in self._makers:
                custom = custom_objects.find(identifier)
                if custom is not None:
                    return self.read(where, custom)
                raise unknown_name(where, identifier, {snake_case(name) for name in self.classes})
            return self._makers[identifier]()
        if isinstance(identifier, dict):
            return self._deserialize(where, identifier)
        if isinstance(identifier, type):
            return self._object(where, identifier)
        if identifier is None or callable(identifier) or type(identifier).__name__ in self.classes:
            return identifier
        hint = f"Or a{'n' * (self.what[0] in 'aeiou')} {self.what} object."
        if getattr(identifier, "shape", ()) and "Constant" in self.classes:
            hint = "For an array, take initializers.Constant(array), or set_weights once the layer is built."
        raise unknown_name(where, identifier, {snake_case(name) for name in self.classes}, hint)

    def _object(self, where: str, cls: type) -> Any:
        """Return an object of a class, which must take no arguments."""
        try:
            made = cls()
        except TypeError as error:
            raise OptionError(
                f"{where}: expected a class that needs no arguments, got {shown(cls)}: {error}"
            ) from error
        if not callable(made) and cls.__name__ not in self.classes:
            raise OptionError(f"{where}: expected a class of callable objects, got {shown(cls)}.")
        return made

    def deserialize(self, config: Any) -> Any:
        """Return the object that `serialize` described, or the one of a name."""
        return self._deserialize(f"{self._home}.deserialize: `config`", config)

    def _deserialize(self, where: str, config: Any) -> Any:
        given: Any = {"class_name": config} if isinstance(config, str) else config
        arguments = given.get("config", {}) if isinstance(given, dict) else None
        if isinstance(arguments, str) and custom_objects.find(arguments):  # a function
            return custom_objects.find(arguments)
        if not isinstance(arguments, dict) or not all(isinstance(key, str) for key in arguments):
            raise OptionError(
                f"{where}: expected a dictionary of serialize, with class_name and config, or a name, got "
                f"{shown(config)}."
            )
        name = given.get("class_name")
        custom = custom_objects.find(given.get("registered_name"), name)
        if isinstance(custom, type):
            return custom(**arguments)
        if not isinstance(name, str) or name not in self._makers:
            raise unknown_name(where, name, self.classes)
        with naming(where):
            return self._makers[name](**arguments)

    def serialize(self, value: Any) -> Any:
        """Return plain values that `deserialize` reads: Keras' dictionary, or a callable's name."""
        if value is None:
            return None
        if not isinstance(value, Configured):
            function(f"{self._home}.serialize: `value`", value)
            return _function_name(value)
        shipped = type(value).__name__ in self.classes
        return {
            "module": self.module if shipped else type(value).__module__,
            "class_name": type(value).__name__,
            "config": value.get_config(),
            "registered_name": None if shipped else custom_objects.get_registered_name(type(value)),
        }

    @property
    def option(self) -> Kind:
        """The kind of options whose values are such objects."""
        return Kind(self.read, self.serialize)
