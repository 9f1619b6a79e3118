"""Configurations that Keras wrote, version 2 or 3, as those of minigrad."""

from __future__ import annotations

from typing import Any

from minigrad.keras.models.graph_config import ELLIPSIS, SLICE, SYMBOL, TUPLE
from minigrad.keras.models.keras_config import OPERATORS_2, OPERATORS_3
from minigrad.keras.storage.errors import ConversionError
from minigrad.layers import custom_objects
from minigrad.layers.layer import CLASSES
from minigrad.layers.options import has_options_only

MODELS = ("Functional", "Model")
FUNCTIONS_2 = {function: name for name, function in OPERATORS_2.items()} | {"math.add": "add", "math.divide": "truediv"}
FUNCTIONS_3 = {name: function for function, name in OPERATORS_3.items()} | {"Divide": "truediv", "Abs": "abs"}
_LAMBDAS = ("TFOpLambda", "SlicingOpLambda")
_EVERYWHERE = ("input_shape", "batch_input_shape")
# Options of Keras that minigrad lacks, with the values at which they change no number.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "sparse": (False,), "ragged": (False,), "optional": (False,), "use_cudnn": ("auto", True, False), "seed": (None,),
    "quantization_config": (None,), "lora_rank": (None,), "lora_alpha": (None,), "rms_scaling": (False,),
    "activity_regularizer": (None,), "zero_output_for_mask": (False,), "time_major": (False,), "unroll": (False,),
    "implementation": (0, 1, 2), "input_length": (None,), "num_constants": (None,), "autocast": (True,),
}  # fmt: skip


def ours(path: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a layer or model of Keras as `layers.deserialize` reads it.

    Args:
        path: the file, for messages.
        entry: the description, with ``class_name`` and ``config``.

    Raises:
        ConversionError: minigrad does not have the layer or one of its options; or it is a Lambda.
    """
    name, config = entry["class_name"], entry["config"]
    if name == "Sequential":
        return {"module": "keras", "class_name": name, "config": _sequential(path, entry)}
    if name in MODELS and "input_layers" in config:
        return {"module": "keras", "class_name": "Model", "config": _graph(path, config)}
    if name == "Lambda" and custom_objects.find(name) is None:
        raise ConversionError(
            f"{path}: the layer {config.get('name')!r} is a Lambda, whose code is not run. Write its function as a "
            "class derived from Layer, and pass custom_objects={'Lambda': that class}."
        )
    module = str(entry.get("module") or "keras.layers")
    home = "compat.v1.keras.layers" if name.startswith("CuDNN") else "keras.layers"
    known = CLASSES.get((home, name)) if module.startswith("keras") else None
    cls = custom_objects.find(entry.get("registered_name"), name) or known
    if cls is None:
        raise ConversionError(
            f"{path}: the layer {config.get('name')!r} is a {name} of {module}, which minigrad does not have. A file "
            f"imports nothing: pass custom_objects={{{name!r}: …}}."
        )
    arguments = {key: _value(path, value) for key, value in config.items()}
    if has_options_only(cls):
        arguments = _known_options(path, name, cls, arguments)
    return {**entry, "module": home if cls is known else module, "config": arguments}


def _value(path: str, value: Any) -> Any:
    """Return an argument: layers inside are converted, and a dtype policy is a name."""
    if isinstance(value, list):
        return [_value(path, part) for part in value]
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    module = str(value.get("module") or "")
    if value["class_name"] in ("DTypePolicy", "Policy"):
        return value["config"]["name"]
    if "initializers" in module or "regularizers" in module or "constraints" in module:
        given = {key: part for key, part in value["config"].items() if part is not None}
        return {**value, "class_name": value["class_name"].removesuffix("Initializer"), "config": given}
    if value["class_name"] == "function":
        return value["config"]
    if isinstance(value.get("config"), dict) and ("name" in value["config"] or "layers" in module):
        return ours(path, value)
    return value


def _known_options(path: str, name: str, cls: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that a class takes; the others must be at values that change nothing."""
    shape = config.pop("batch_shape", None) or config.get("batch_input_shape")
    known = {key: value for key, value in config.items() if key in cls._options or key in _EVERYWHERE}
    for key in config.keys() - known.keys():
        if config[key] not in NEUTRAL.get(key, ()):
            raise ConversionError(
                f"{path}: {config.get('name')}, a {name}, has {key}={config[key]!r:.80}, which minigrad does not have."
            )
    return {**known, **({"batch_input_shape": tuple(shape)} if shape else {})}


def _sequential(path: str, entry: dict[str, Any]) -> dict[str, Any]:
    config = entry["config"]
    listed, name = (config, None) if isinstance(config, list) else (config["layers"], config.get("name"))
    built = entry.get("build_config") or {}
    shape = built.get("input_shape") or (None if isinstance(config, list) else config.get("build_input_shape"))
    layers = [ours(path, layer) for layer in listed]
    first = layers[0]["config"] if layers else {}
    shape = None if first.get("batch_input_shape") else shape
    return {"name": name, "layers": layers, "build_input_shape": None if shape is None else tuple(shape)}


# --- graphs -----------------------------------------------------------------------------------------------------------


def _graph(path: str, config: dict[str, Any]) -> dict[str, Any]:
    nested = {
        entry["name"]
        for entry in config["layers"]
        if entry["class_name"] in ("Sequential", *MODELS) and isinstance(entry["config"], dict)
    }
    layers = []
    old = any(isinstance(node, list) for entry in config["layers"] for node in entry["inbound_nodes"])
    for entry in config["layers"]:
        function = _operator(path, entry)
        calls = [_call(path, node, nested if old else set(), function) for node in entry["inbound_nodes"]]
        described = {"class_name": "Operator", "config": {"function": function}} if function else ours(path, entry)
        layers.append({**described, "name": entry["name"], "inbound_nodes": calls})
    ends = {end: _ends(config[end], nested) for end in ("input_layers", "output_layers")}
    return {"name": config.get("name"), "trainable": config.get("trainable", True), "layers": layers, **ends}


def _operator(path: str, entry: dict[str, Any]) -> str | None:
    """Return Python's name of an operator, or None for a layer."""
    module = str(entry.get("module") or "")
    if entry["class_name"] in _LAMBDAS:
        name, known = entry["config"]["function"], FUNCTIONS_2
    elif ".ops" in module:
        name, known = entry["class_name"], FUNCTIONS_3
    else:
        return None
    if name not in known:
        raise ConversionError(f"{path}: expected one of the operators {', '.join(known)}, got {name} of {module}.")
    return known[name]


def _symbol(place: Any, nested: set[str]) -> dict[str, Any]:
    name, number, output = place
    return {"class_name": SYMBOL, "config": {"keras_history": [name, number - (name in nested), output]}}


def _ends(places: Any, nested: set[str]) -> Any:
    """Return the symbols of inputs or outputs; a single one stands alone."""
    if isinstance(places, dict):
        return {key: _ends(part, nested) for key, part in places.items()}
    if _is_place(places):
        return _symbol(places, nested)
    found = [_ends(part, nested) for part in places]
    return found[0] if len(found) == 1 and _is_place(places[0]) else found


def _is_place(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int)


def _call(path: str, node: Any, nested: set[str], function: str | None) -> dict[str, Any]:
    """Return a call as {"args": …, "kwargs": …}."""
    if isinstance(node, dict) and "args" in node:
        return {"args": _object(node["args"]), "kwargs": _object(node["kwargs"])}
    if function is not None:
        return {"args": _operands(node, nested, function), "kwargs": {}}
    if isinstance(node, dict):
        one = {key: _symbol(part[:3], nested) for key, part in node.items()}
        return {"args": [one], "kwargs": {}}
    symbols = [_symbol(part[:3], nested) for part in node]
    named: dict[str, Any] = next((part[3] for part in node if len(part) > 3 and part[3]), {})
    return {"args": [symbols[0] if len(symbols) == 1 else symbols], "kwargs": _argument(named, nested)}


def _argument(value: Any, nested: set[str]) -> Any:
    if _is_place(value):
        return _symbol(value, nested)
    if isinstance(value, dict):
        return {key: _argument(part, nested) for key, part in value.items()}
    return [_argument(part, nested) for part in value] if isinstance(value, list) else value


def _operands(node: Any, nested: set[str], function: str) -> list[Any]:
    first = node[2] if node[0] == "_CONSTANT_VALUE" else _symbol(node[:3], nested)
    named = node[3] if len(node) > 3 else {}
    if function == "getitem":
        parts = [_slice(part) for part in named["slice_spec"]]
        return [first, {"class_name": TUPLE, "items": parts}]
    others = [value for key, value in named.items() if key in ("y", "b")]
    return [first, *(_argument(value, nested) for value in others)]


def _slice(part: Any) -> Any:
    if isinstance(part, dict):
        return {"class_name": SLICE, "items": [part.get("start"), part.get("stop"), part.get("step")]}
    return {"class_name": ELLIPSIS} if part == "..." else part


def _object(value: Any) -> Any:
    """Return arguments in Keras 3's form; of a symbol its place alone."""
    if isinstance(value, list):
        return [_object(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == SYMBOL:
        return _symbol(value["config"]["keras_history"], set())
    return {key: _object(part) for key, part in value.items()}


# --- compile ----------------------------------------------------------------------------------------------------------


def compile_arguments(config: dict[str, Any], training: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the arguments of `compile` in a file, or None where there are none."""
    found = config.get("compile_config")
    if isinstance(found, dict) and found.get("optimizer") and found.get("loss"):
        return _compiled(found["optimizer"], found)
    if isinstance(training, dict) and training.get("optimizer_config") and training.get("loss"):
        return _compiled(training["optimizer_config"], training)
    return None


def _compiled(optimizer: Any, found: dict[str, Any]) -> dict[str, Any]:
    if isinstance(optimizer, dict):
        rate = optimizer.get("config", {}).get("learning_rate", 0.001)
        name = str(optimizer["class_name"]).rpartition(">")[2]
        optimizer = {"class_name": name, "config": {"learning_rate": rate} if isinstance(rate, float) else {}}
    names = found.get("metrics") or []
    flat = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return {"optimizer": optimizer, "loss": _value("load_model", found["loss"]), "metrics": flat or None}
