"""A graph as plain values, and back: its layers, and for each the calls with the symbols that they took.

A symbol is written as Keras 3 writes it, by the call that returned it: the name of the layer, the number of its call
and the number of the output. An operator is written as a layer of the class Operator. Only layers, operators, numbers
and texts are written, and reading imports and runs nothing else.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

from minigrad.engine import tree
from minigrad.engine.arguments import dictionary, integer, is_index, listed, text
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import DataError, shown
from minigrad.keras.models.graph import Graph
from minigrad.layers import serialization
from minigrad.layers.inputs import InputLayer
from minigrad.layers.layer import Layer
from minigrad.layers.symbol import OPERATORS, Symbol, record

SYMBOL, TUPLE, ARRAY, SLICE, ELLIPSIS = "__keras_tensor__", "__tuple__", "__numpy__", "__slice__", "__ellipsis__"
Place = tuple[str, int, int]  # of a symbol: the layer, the number of its call and the number of the output


def config_of(graph: Graph) -> dict[str, Any]:
    """Return the layers with their calls, and the symbols of the inputs and outputs.

    Raises:
        DataError: the graph has a call of a function, or an argument that JSON cannot hold.
    """
    names: dict[Any, str] = {layer: layer.name for layer in graph.layers}
    nodes: dict[Any, list[Any]] = {layer: [] for layer in graph.layers}
    places = {layer.symbol: (layer.name, 0, 0) for layer in graph.layers if isinstance(layer, InputLayer)}
    for k, call in enumerate(graph.calls):
        if not isinstance(call.function, Layer) and call.function.__name__ not in OPERATORS:
            raise DataError(f"{graph.where}.get_config: expected layers and operators, got {shown(call.function)}.")
        key = call.function if isinstance(call.function, Layer) else call
        name = names.setdefault(key, f"operator_{k}")
        number = len(nodes.setdefault(key, []))
        nodes[key].append({part: _plain(graph.where, getattr(call, part), places) for part in ("args", "kwargs")})
        found = [leaf for leaf in tree.leaves(call.outputs) if isinstance(leaf, Symbol)]
        places |= {symbol: (name, number, output) for output, symbol in enumerate(found)}
    layers = [{**_described(key), "name": names[key], "inbound_nodes": nodes[key]} for key in names]
    ends = {"input_layers": graph.inputs, "output_layers": graph.outputs}
    return {"layers": layers, **{name: _plain(graph.where, end, places) for name, end in ends.items()}}


def _described(key: Any) -> dict[str, Any]:
    if isinstance(key, Layer):
        return serialization.serialize(key)
    return {"class_name": "Operator", "config": {"function": key.function.__name__}}


def _plain(where: str, value: Any, places: dict[Symbol, tuple[str, int, int]]) -> Any:
    """Return arguments as values that JSON can hold."""

    def inner(part: Any) -> Any:
        return _plain(where, part, places)

    if isinstance(value, Symbol):
        config = {"shape": list(value.shape), "dtype": str(value.dtype), "keras_history": list(places[value])}
        return {"class_name": SYMBOL, "config": config}
    if isinstance(value, dict):
        return {key: inner(part) for key, part in value.items()}
    if isinstance(value, list):
        return [inner(part) for part in value]
    if isinstance(value, tuple):
        return {"class_name": TUPLE, "items": [inner(part) for part in value]}
    if isinstance(value, slice):
        return {"class_name": SLICE, "items": [value.start, value.stop, value.step]}
    if value is Ellipsis:
        return {"class_name": ELLIPSIS}
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return {"class_name": ARRAY, "config": {"value": value.tolist(), "dtype": str(value.dtype)}}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise DataError(f"{where}.get_config: expected plain values as arguments of a call, got {shown(value)}.")


def ends_of(where: str, config: dict[str, Any]) -> tuple[Any, Any]:
    """Return the symbols of the inputs and outputs, of new layers that are called as `config_of` says.

    Raises:
        DataError: the calls need symbols that no call returns.
    """
    tree.leaves(config, where)  # raises for a list that contains itself
    made: dict[str, Any] = {}
    known: dict[Place, Symbol] = {}
    waiting: list[tuple[str, int, Any]] = []
    for entry in _field(where, config, "layers", listed):
        layer = dictionary(f"{where}: layers", entry)
        name = _field(where, layer, "name", text)
        made[name] = _made(where, layer)
        if isinstance(made[name], InputLayer):
            known[name, 0, 0] = made[name].symbol
        nodes = _field(where, layer, "inbound_nodes", listed)
        waiting += [(name, k, dictionary(f"{where}: inbound_nodes", node)) for k, node in enumerate(nodes)]
    while waiting:
        left = []
        for name, number, node in waiting:
            if any(p not in known for p in _places_in(where, node)) or (number and (name, number - 1, 0) not in known):
                left.append((name, number, node))
                continue
            args, kwargs = _arguments(where, name, node, known)
            outputs = tree.leaves(made[name](*args, **kwargs))
            found = [symbol for symbol in outputs if isinstance(symbol, Symbol)]
            known |= {(name, number, output): symbol for output, symbol in enumerate(found)}
        if len(left) == len(waiting):
            raise DataError(
                f"{where}: the layers {', '.join(sorted({name for name, _, _ in left}))} are not connected."
            )
        waiting = left
    ends = [_restored(where, config.get(name), known) for name in ("input_layers", "output_layers")]
    return ends[0], ends[1]


def _field(where: str, described: dict[str, Any], name: str, check: Callable[[str, Any], Any]) -> Any:
    """Return a checked entry of a dictionary that `config_of` returned."""
    return check(f"{where}: {name}", described.get(name))


def _arguments(where: str, name: str, node: dict[str, Any], known: dict[Place, Symbol]) -> tuple[Any, Any]:
    """Return the arguments of a call, those by position and those by name."""
    args = _restored(where, node.get("args"), known)
    if not isinstance(args, (list, tuple)) or not args or not _places_in(where, node):
        raise DataError(f"{where}: args: expected a symbol that {name} is called on, got {shown(args)}.")
    return args, _restored(where, _field(where, node, "kwargs", dictionary), known)


def _made(where: str, entry: dict[str, Any]) -> Any:
    """Return a layer, or a function that records an operator."""
    if entry.get("class_name") != "Operator":
        return serialization.deserialize(entry)
    function = _field(where, _field(where, entry, "config", dictionary), "function", text)
    if function not in OPERATORS:
        raise DataError(f"{where}: expected one of the operators {', '.join(OPERATORS)}, got {shown(function)}.")
    return partial(_operate, where, function)


def _operate(where: str, name: str, *args: Any, **kwargs: Any) -> Any:
    """Record an operator."""
    count = 1 if name in ("neg", "abs") else 2
    if len(args) != count or kwargs:
        raise DataError(f"{where}: args: expected {count} for the operator {name}, got {shown(args)}.")
    return record(getattr(operator, name), args, {}, name)


def _place(where: str, symbol: dict[str, Any]) -> Place:
    """Return the place of a symbol."""
    history = _field(where, _field(where, symbol, "config", dictionary), "keras_history", listed)
    if len(history) != 3 or not isinstance(history[0], str) or not all(is_index(n) for n in history[1:]):
        raise DataError(f"{where}: keras_history: expected a layer, a call and an output, got {shown(history)}.")
    return history[0], history[1], history[2]


def _places_in(where: str, node: Any) -> list[Place]:
    """Return the places of the symbols that a call takes."""
    if isinstance(node, dict):
        if node.get("class_name") == SYMBOL:
            return [_place(where, node)]
        node = list(node.values())
    return [place for part in node for place in _places_in(where, part)] if isinstance(node, list) else []


def _restored(where: str, value: Any, known: dict[Place, Symbol]) -> Any:
    """Return the arguments that `_plain` described."""
    if isinstance(value, list):
        return [_restored(where, part, known) for part in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("class_name")
    if kind == SYMBOL:
        place = _place(where, value)
        if place not in known:
            raise DataError(f"{where}: keras_history: no layer returns {place}.")
        return known[place]
    if kind == TUPLE:
        return tuple(_restored(where, part, known) for part in _field(where, value, "items", listed))
    if kind == SLICE:
        return slice(*(None if n is None else integer(where, n) for n in _bounds(where, value)))
    if kind == ELLIPSIS:
        return ...
    if kind == ARRAY:
        config = _field(where, value, "config", dictionary)
        return as_tensor(config.get("value"), config.get("dtype"), f"{where}: value")
    return {key: _restored(where, part, known) for key, part in value.items()}


def _bounds(where: str, described: dict[str, Any]) -> list[Any]:
    """Return start, stop and step of a slice."""
    found: list[Any] = _field(where, described, "items", listed)
    if len(found) != 3:
        raise DataError(f"{where}: items: expected start, stop and step of a slice, got {shown(found)}.")
    return found
