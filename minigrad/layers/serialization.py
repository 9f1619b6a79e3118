"""Layers as plain values: written by `serialize`, read by `deserialize`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from minigrad.engine.arguments import dictionary, text
from minigrad.engine.errors import UnknownNameError, shown, unknown_name
from minigrad.engine.foreign import naming
from minigrad.layers import custom_objects
from minigrad.layers.layer import CLASSES, Layer
from minigrad.layers.options import Kind, OptionError, has_options_only

SHIPPED = ("keras", "compat")
LATE = (
    "keras",
    "compat.v1.layers",
    "compat.v1.nn.rnn_cell",
    "compat.v1.keras.layers",
)  # modules of layers, imported at the first request
_CONFIG = "layers.deserialize: `config`"
_PLACE = {"module": "keras.layers", "class_name": ""}
_NO_LAYER = "{0}: its arguments are not known, so it cannot be copied. Derive {0} from Layer."


def serialize(layer: Any) -> dict[str, Any]:
    """Return a dictionary from which `deserialize` makes a layer of the same class and arguments.

    Raises:
        OptionError: it is a cell that is not a layer, so its arguments are not known.
    """
    if isinstance(layer, type) or not hasattr(layer, "call"):
        raise OptionError(f"layers.serialize: `layer`: expected a layer, got {_described(layer)}.")
    if not isinstance(layer, Layer):
        raise OptionError(_NO_LAYER.format(type(layer).__name__))
    shipped = layer.serialized_module.startswith(SHIPPED)
    return {
        "module": layer.serialized_module,
        "class_name": type(layer).__name__,
        "config": layer.get_config(),
        "registered_name": None if shipped else custom_objects.get_registered_name(type(layer)),
    }


def deserialize(config: dict[str, Any]) -> Layer:
    """Return the layer that a dictionary describes.

    A custom class comes from `custom_objects`, or is any that was defined; in a configuration from a file the latter is
    refused.

    Raises:
        UnknownNameError: there is no layer class of that name, or it was not imported or handed over.
    """
    given = dictionary(_CONFIG, config)
    module, name = (text(f"{_CONFIG}: {key}", given.get(key) or other) for key, other in _PLACE.items())
    cls = custom_objects.find(given.get("registered_name"), name)
    if cls is None and module.startswith(SHIPPED):
        cls = _shipped(module, name)
    elif cls is None and not custom_objects.reads_file():
        moved = [c for (where, n), c in CLASSES.items() if n == name and not where.startswith(SHIPPED)]
        cls = CLASSES.get((module, name)) or next(iter(moved), None)
    if cls is None and custom_objects.reads_file():
        raise UnknownNameError(
            f"layers.deserialize: expected layers of minigrad, got {name} of {module}. A file imports nothing: pass "
            f"custom_objects={{{name!r}: …}}."
        )
    if cls is None:
        names = {n for where, n in CLASSES if where == module} or {n for _, n in CLASSES}
        raise unknown_name(f"{_CONFIG}: {module}", name, names, "Import the module that defines it first.")
    layer: Layer = cls.from_config(dictionary(f"{_CONFIG}: config of {name}", given.get("config")))
    return layer


def _shipped(module: str, name: str) -> type[Layer] | None:
    """Return a class of this package, whose module may not have been imported yet."""
    if (module, name) not in CLASSES and module in LATE:
        getattr(import_module(f"minigrad.{module}"), name, None)
    return CLASSES.get((module, name))


def clone(layer: Any, **changes: Any) -> Any:
    """Return a new layer with the same arguments but for `changes`; layers among the arguments are copied too."""
    if not isinstance(layer, Layer):
        raise OptionError(_NO_LAYER.format(type(layer).__name__))
    if not has_options_only(type(layer)):
        return type(layer).from_config({**layer.get_config(), **changes})
    values = {name: _copied(value) for name, value in layer.arguments().items()}
    return type(layer)(**{**values, "batch_input_shape": layer.batch_input_shape, **changes})


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(part) for part in value]
    return clone(value) if isinstance(value, Layer) or hasattr(value, "state_size") else value


def _read(where: str, value: Any) -> Any:
    if isinstance(value, dict):
        with naming(where):
            return deserialize(value)
    if not isinstance(value, Layer):
        raise OptionError(f"{where}: expected a layer, got {_described(value)}.")
    return value


def _read_cell(where: str, value: Any) -> Any:
    if isinstance(value, dict):
        with naming(where):
            return deserialize(value)
    if isinstance(value, type) or not (hasattr(value, "call") and hasattr(value, "state_size")):
        raise OptionError(f"{where}: expected a cell, an object with `call` and `state_size`, got {_described(value)}.")
    return value


def _described(value: Any) -> str:
    """Return a value in words, with a hint where it is a class or a layer."""
    if isinstance(value, type):
        return f"{shown(value)}. Create an object: {value.__name__}(…)"
    cell = getattr(value, "cell", None)
    return shown(value) + (f". It is a layer; pass its cell, {type(cell).__name__}" if cell is not None else "")


layer_kind = Kind(_read, serialize)
cell_kind = Kind(_read_cell, serialize)
