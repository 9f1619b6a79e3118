"""Layers as plain values, and back."""

from __future__ import annotations

from typing import Any

from minigrad.errors import unknown_name
from minigrad.layers.layer import CLASSES, Layer
from minigrad.layers.options import Kind, OptionError


def serialize(layer: Layer) -> dict[str, Any]:
    """Returns a dictionary from which `deserialize` makes a layer of the same class and arguments."""
    known = layer.serialized_module.startswith(("keras", "compat"))
    return {
        "module": layer.serialized_module,
        "class_name": type(layer).__name__,
        "config": layer.get_config(),
        "registered_name": None if known else type(layer).__name__,
    }


def deserialize(config: dict[str, Any]) -> Layer:
    """Returns the layer that a dictionary describes.

    Raises:
        UnknownNameError: there is no layer class of that name, or it was not imported.
    """
    name = config.get("class_name", "")
    by_name = {cls.__name__: cls for cls in CLASSES.values()}
    cls = CLASSES.get((config.get("module") or "keras.layers", name)) or by_name.get(name)
    if cls is None:
        raise unknown_name("layers.deserialize", name, by_name, "Import the module that defines the class first.")
    layer: Layer = cls.from_config(config["config"])
    return layer


def clone(layer: Any, **changes: Any) -> Any:
    """Returns a new layer with the same arguments, save for some; layers among the arguments are made anew too."""
    values = {name: _anew(getattr(layer, name)) for name in layer._options}
    return type(layer)(**{**values, **changes})


def _anew(value: Any) -> Any:
    if isinstance(value, list):
        return [_anew(part) for part in value]
    return clone(value) if isinstance(value, Layer) else value


def _read(where: str, value: Any) -> Any:
    if isinstance(value, dict):
        return deserialize(value)
    if not isinstance(value, Layer):
        raise OptionError(f"{where}: expected a layer, got {value!r}.")
    return value


def _read_cell(where: str, value: Any) -> Any:
    if isinstance(value, dict):
        return deserialize(value)
    for method in ("call", "state_size"):
        if not hasattr(value, method):
            raise OptionError(f"{where}: expected a cell, an object with `call` and `state_size`, got {value!r}.")
    return value


layer_kind = Kind(_read, serialize)
cell_kind = Kind(_read_cell, serialize)
