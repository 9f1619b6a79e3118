"""A graph as plain values, and back: its layers, and for each the calls with the symbols that they took.

A symbol is written as Keras 3 writes it, by the call that returned it: the name of the layer, the number of its call
and the number of the output. An operator is written as a layer of the class Operator. Only layers, operators, numbers
and texts are written, and reading imports and runs nothing else.
"""

from __future__ import annotations

import operator
from typing import Any

from minigrad.engine import tree
from minigrad.engine.arguments import dictionary, listed
from minigrad.engine.creation import tensor
from minigrad.engine.errors import DataError, shown
from minigrad.keras.models.graph import Graph
from minigrad.layers import serialization
from minigrad.layers.inputs import InputLayer
from minigrad.layers.layer import Layer
from minigrad.layers.symbol import OPERATORS, Symbol, record

SYMBOL, TUPLE, ARRAY, SLICE, ELLIPSIS = "__keras_tensor__", "__tuple__", "__numpy__", "__slice__", "__ellipsis__"


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
    made: dict[str, Any] = {}
    known: dict[tuple[str, int, int], Symbol] = {}
    waiting: list[tuple[str, int, Any]] = []
    for entry in listed(f"{where}: layers", config.get("layers")):
        name, nodes = entry["name"], entry["inbound_nodes"]
        made[name] = _made(where, dictionary(f"{where}: layers", entry))
        if isinstance(made[name], InputLayer):
            known[name, 0, 0] = made[name].symbol
        waiting += [(name, number, node) for number, node in enumerate(nodes)]
    while waiting:
        left = []
        for name, number, node in waiting:
            if any(place not in known for place in _places_in(node)) or (number and (name, number - 1, 0) not in known):
                left.append((name, number, node))
                continue
            args, kwargs = _restored(node["args"], known), _restored(node["kwargs"], known)
            outputs = tree.leaves(made[name](*args, **kwargs))
            found = [symbol for symbol in outputs if isinstance(symbol, Symbol)]
            known |= {(name, number, output): symbol for output, symbol in enumerate(found)}
        if len(left) == len(waiting):
            raise DataError(
                f"{where}: the layers {', '.join(sorted({name for name, _, _ in left}))} are not connected."
            )
        waiting = left
    return _restored(config["input_layers"], known), _restored(config["output_layers"], known)


def _made(where: str, entry: dict[str, Any]) -> Any:
    """Return a layer, or a function that records an operator."""
    if entry.get("class_name") != "Operator":
        return serialization.deserialize(entry)
    name = entry["config"]["function"]
    if name not in OPERATORS:
        raise DataError(f"{where}: expected one of the operators {', '.join(OPERATORS)}, got {shown(name)}.")
    function = getattr(operator, name)
    return lambda *args: record(function, args, {}, name)


def _places_in(node: Any) -> list[tuple[str, int, int]]:
    """Return the places of the symbols that a call takes."""
    if isinstance(node, dict):
        if node.get("class_name") == SYMBOL:
            return [tuple(node["config"]["keras_history"])]
        node = list(node.values())
    return [place for part in node for place in _places_in(part)] if isinstance(node, list) else []


def _restored(value: Any, known: dict[tuple[str, int, int], Symbol]) -> Any:
    """Return the arguments that `_plain` described."""
    if isinstance(value, list):
        return [_restored(part, known) for part in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("class_name")
    if kind == SYMBOL:
        return known[tuple(value["config"]["keras_history"])]
    if kind == TUPLE:
        return tuple(_restored(part, known) for part in value["items"])
    if kind == SLICE:
        return slice(*value["items"])
    if kind == ELLIPSIS:
        return ...
    if kind == ARRAY:
        return tensor(value["config"]["value"], dtype=value["config"]["dtype"])
    return {key: _restored(part, known) for key, part in value.items()}
