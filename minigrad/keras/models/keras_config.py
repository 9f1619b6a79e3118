"""A model as the configuration that Keras stores: the classes' names and arguments, and the calls of a graph.

Both Keras 2.12 to 2.15 and Keras 3 read it. Where they differ, in nested models, initial states and operators of a
graph, the form follows a version:

    2   a call is a list of [layer, number of its call, number of the output, {named arguments}]
    3   a call is {"args": […], "kwargs": {…}} with the symbols as objects
"""

from __future__ import annotations

from typing import Any

from minigrad.engine import tree
from minigrad.engine.errors import shown
from minigrad.keras.models.graph import Graph
from minigrad.keras.models.graph_config import config_of
from minigrad.keras.storage.errors import ConversionError
from minigrad.layers import serialization
from minigrad.layers.inputs import InputLayer
from minigrad.layers.layer import Layer
from minigrad.layers.options import has_options_only
from minigrad.layers.reshaping import Lambda
from minigrad.layers.symbol import Symbol

OPERATORS_2 = {
    "add": "__operators__.add", "sub": "math.subtract", "mul": "math.multiply", "truediv": "math.truediv",
    "pow": "math.pow", "matmul": "linalg.matmul", "neg": "math.negative", "abs": "math.abs",
    "getitem": "__operators__.getitem",
}  # fmt: skip
OPERATORS_3 = {
    "add": "Add", "sub": "Subtract", "mul": "Multiply", "truediv": "TrueDivide", "pow": "Power", "matmul": "Matmul",
    "neg": "Negative", "abs": "Absolute",
}  # fmt: skip
"""Python's name of an operator → TensorFlow's function, and Keras 3's class."""
STATES = ("initial_state", "constants")  # named arguments that Keras 2 appends to the inputs
_DROPPED = ("batch_input_shape", "input_length")  # an InputLayer says it
_AT_DEFAULT = {"time_major": False}  # written only where they differ, because Keras 3 does not know them
CUSTOM_MODEL = (
    "{0}: {1} is a custom model, whose `call` no file can hold. Save its weights, save_weights({2!r}), or make it from "
    "symbols, Model(inputs, outputs)."
)


def described(path: str, model: Any, version: int) -> dict[str, Any]:
    """Return the description of a model.

    Args:
        path: the file, for messages.
        model: a Sequential, or a model made from symbols.
        version: of Keras' form, 2 or 3.

    Raises:
        ConversionError: a layer or an operator cannot be written.
    """
    if hasattr(model, "_stack"):
        return _entry("keras", "Sequential", {"name": model.name, "layers": _stack(path, model, version)})
    graph = getattr(model, "_graph", None)
    if graph is None or not has_options_only_or_model(type(model)):
        raise ConversionError(CUSTOM_MODEL.format(path, model.name, f"{model.name}.weights.h5"))
    config = {"name": model.name, "trainable": model.trainable, **_graph(path, graph, version)}
    return _entry("keras" if version == 3 else "keras.models", "Model", config)


def check_same_sigmoid(path: str, value: Any, verb: str, name: str = "") -> None:
    """Raise ConversionError for a layer with `hard_sigmoid`, which is another function in Keras 3."""
    if isinstance(value, dict):
        name = str(value.get("name", name))
        if "hard_sigmoid" in (value.get("activation"), value.get("recurrent_activation")):
            raise ConversionError(
                f"{path}: {name} cannot be {verb}: the hard_sigmoid of Keras 3 is clip(x/6 + 1/2, 0, 1), minigrad's is "
                "that of Keras 2, clip(0.2 x + 1/2, 0, 1): the same weights would give other outputs."
            )
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        check_same_sigmoid(path, part, verb, name)


def has_options_only_or_model(cls: type) -> bool:
    """Return whether a class of models is `Model` itself, or a subclass without another constructor."""
    return has_options_only(cls) or "__init__" not in vars(cls) or cls.__name__ == "Model"


def _entry(module: str, name: str, config: dict[str, Any], registered: str | None = None) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def _stack(path: str, model: Any, version: int) -> list[dict[str, Any]]:
    layers = [_layer(path, layer, version) for layer in model._stack]
    if model.input_shape and not isinstance(model._stack[0], InputLayer):
        layers.insert(0, _input(f"{model._stack[0].name}_input", model.input_shape, model._stack[0].dtype))
    return layers


def _input(name: str, shape: Any, dtype: str) -> dict[str, Any]:
    config = {"batch_input_shape": list(shape), "dtype": str(dtype), "sparse": False, "ragged": False, "name": name}
    return _entry("keras.layers", "InputLayer", config)


def _layer(path: str, layer: Any, version: int) -> dict[str, Any]:
    if isinstance(layer, InputLayer):
        return _input(layer.name, layer.batch_input_shape or (), layer.dtype)
    if isinstance(layer, Lambda):
        raise ConversionError(
            f"{path}: {layer.name} is a Lambda, whose function no file can hold. Write a class derived from Layer, and "
            "pass it to load_model in custom_objects."
        )
    if hasattr(layer, "_stack") or getattr(layer, "_graph", None) is not None:
        return described(path, layer, version)
    found: dict[str, Any] = _plain(path, serialization.serialize(layer))
    if version == 3:
        check_same_sigmoid(path, found, "written for Keras 3")
    return found


def _plain(path: str, value: Any) -> Any:
    """Return a description as JSON values, layers inside it too, with what Keras 3 does not know left out."""
    if isinstance(value, dict):
        found = {key: _plain(path, part) for key, part in value.items() if key not in _DROPPED}
        found = {key: part for key, part in found.items() if key not in _AT_DEFAULT or part != _AT_DEFAULT[key]}
        if str(found.get("module", "")).startswith("compat."):
            found["module"] = "keras.layers"  # the second generation's LSTM: the same class with other arguments
        return found
    if isinstance(value, (list, tuple)):
        return [_plain(path, part) for part in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ConversionError(f"{path}: expected arguments of layers that JSON can hold, got {shown(value)}.")


# --- the calls of a graph ---------------------------------------------------------------------------------------------


def _graph(path: str, graph: Graph, version: int) -> dict[str, Any]:
    ours = config_of(graph)
    calls = _calls(path, graph, version)
    names = [calls.names.get(entry["name"], entry["name"]) for entry in ours["layers"]]
    known = {layer.name: layer for layer in graph.layers}
    entries = []
    for entry, name in zip(ours["layers"], names, strict=True):
        if entry["class_name"] == "Operator":
            description = calls.operator(entry["config"]["function"], name)
        else:
            description = _layer(path, known[entry["name"]], version)
        entries.append({**description, "name": name, "inbound_nodes": calls.nodes.get(name, [])})
    ends = {"input_layers": calls.ends(graph.inputs), "output_layers": calls.ends(graph.outputs)}
    return {"layers": entries, **ends}


class _Calls:
    """The calls of a graph in one version's form.

    Attributes:
        nodes: by the name of a layer, its calls.
        names: the names of operators, by their names in `get_config`.
    """

    def __init__(self, path: str, version: int) -> None:
        self.path, self.version = path, version
        self.nodes: dict[str, list[Any]] = {}
        self.names: dict[str, str] = {}
        self.places: dict[Symbol, tuple[str, int, int]] = {}
        self._nested: set[str] = set()

    def operator(self, function: str, name: str) -> dict[str, Any]:
        """Return the description of an operator."""
        if self.version == 3:
            if function not in OPERATORS_3:
                raise self._unknown(function)
            return _entry("keras.src.ops.numpy", OPERATORS_3[function], {"name": name}, OPERATORS_3[function])
        if function not in OPERATORS_2:
            raise self._unknown(function)
        kind = "SlicingOpLambda" if function == "getitem" else "TFOpLambda"
        config = {"name": name, "trainable": True, "dtype": "float32", "function": OPERATORS_2[function]}
        return _entry("keras.src.layers.core.tf_op_layer", kind, config, kind)

    def _unknown(self, function: str) -> ConversionError:
        known = ", ".join(OPERATORS_2 if self.version == 2 else OPERATORS_3)
        return ConversionError(
            f"{self.path}: expected operators that Keras {self.version} stores, {known}, got {function}. Use a layer."
        )

    def add(self, key: Any, name: str, call: Any) -> None:
        """Add a call of a layer or operator."""
        if not isinstance(key, Layer):
            self.operator(key.__name__, name)  # raises for one that has no counterpart
        number = len(self.nodes.setdefault(name, []))
        if hasattr(key, "_stack") or getattr(key, "_graph", None) is not None:
            self._nested.add(name)
        write = self._new_form if self.version == 3 else self._list_form if isinstance(key, Layer) else self._operands
        self.nodes[name].append(write(call))
        outputs = [leaf for leaf in tree.leaves(call.outputs) if isinstance(leaf, Symbol)]
        self.places |= {symbol: (name, number, k) for k, symbol in enumerate(outputs)}

    def ends(self, symbols: Any) -> Any:
        """Return the places of the inputs or outputs of the graph; those of nested models count from 1."""
        return tree.map(lambda s: tree.Leaf(self._place(s, counted=True)), symbols) if _several(symbols) else (
            self._place(symbols, counted=True) if self.version == 3 else [self._place(symbols, counted=True)]
        )  # fmt: skip

    def _place(self, symbol: Symbol, counted: bool = False) -> list[Any]:
        name, number, output = self.places[symbol]
        return [name, number + (name in self._nested and (counted or self.version == 2)), output]

    def _new_form(self, call: Any) -> dict[str, Any]:
        return {"args": [self._object(arg) for arg in call.args], "kwargs": self._object(call.kwargs)}

    def _object(self, value: Any) -> Any:
        if isinstance(value, Symbol):
            config = {"shape": list(value.shape), "dtype": str(value.dtype), "keras_history": self._place(value)}
            return {"class_name": "__keras_tensor__", "config": config}
        if isinstance(value, dict):
            return {key: self._object(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._object(part) for part in value]
        return _plain(self.path, value)

    def _list_form(self, call: Any) -> Any:
        inputs, *rest = call.args
        if rest:
            raise ConversionError(f"{self.path}: expected one positional argument in a call of a layer, got {rest}.")
        behind = [leaf for name in STATES for leaf in tree.leaves(call.kwargs.get(name))]
        behind = [leaf for leaf in behind if leaf is not None]
        named = {name: self._argument(value) for name, value in call.kwargs.items() if name not in STATES}
        if isinstance(inputs, dict):
            return {key: [*self._place(symbol), named] for key, symbol in inputs.items()}
        return [[*self._place(s), named] for s in [*tree.leaves(inputs), *behind]]

    def _argument(self, value: Any) -> Any:
        if isinstance(value, Symbol):
            return self._place(value)
        if isinstance(value, (list, tuple)):
            return [self._argument(part) for part in value]
        return _plain(self.path, value)

    def _operands(self, call: Any) -> list[Any]:
        first, *others = call.args
        start = self._place(first) if isinstance(first, Symbol) else ["_CONSTANT_VALUE", -1, _plain(self.path, first)]
        if call.function.__name__ == "getitem":
            parts = others[0] if isinstance(others[0], tuple) else (others[0],)
            return [*start, {"slice_spec": [_slice(self.path, part) for part in parts]}]
        named = {"y": self._argument(others[0])} if others else {}
        return [*start, {**named, "name": None}]


def _calls(path: str, graph: Graph, version: int) -> _Calls:
    found = _Calls(path, version)
    found.places |= {layer.symbol: (layer.name, 0, 0) for layer in graph.layers if isinstance(layer, InputLayer)}
    for k, call in enumerate(graph.calls):
        name = getattr(call.function, "name", None)
        if not isinstance(call.function, Layer):
            function = call.function.__name__
            name = f"tf.{OPERATORS_2[function]}_{k}" if function in OPERATORS_2 else function
            found.names[f"operator_{k}"] = name
        found.add(call.function, str(name), call)
    return found


def _several(symbols: Any) -> bool:
    return isinstance(symbols, (list, tuple, dict))


def _slice(path: str, part: Any) -> Any:
    if isinstance(part, slice):
        return {"start": part.start, "stop": part.stop, "step": part.step}
    if isinstance(part, int):
        return part
    raise ConversionError(f"{path}: expected slices and whole numbers in brackets on a symbol, got {shown(part)}.")
