"""Loading of weights saved by Keras into minigrad's layers and models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import Any

from minigrad.engine import tree
from minigrad.engine.arguments import flag, text
from minigrad.engine.creation import tensor
from minigrad.engine.errors import ShapeError, shown
from minigrad.keras.storage.errors import ConversionError, ForeignFileError
from minigrad.keras.storage.keras_file import KerasFile, KerasLayer, numbered_by_class, read_for
from minigrad.keras.storage.paths import file_name
from minigrad.layers import activations
from minigrad.layers.catalogue import snake_case
from minigrad.layers.cudnn import from_cudnn
from minigrad.layers.layer import CLASSES, Layer
from minigrad.layers.weight import Weight

Pairs = list[tuple[Weight, Any, str]]  # a weight, its new value, and its name in the file

_MODELS = ("Functional", "Model", "Sequential")
_CUDNN = ("CuDNNLSTM", "CuDNNGRU")
# Arguments that change the outputs for the same weights. Sizes show in the shapes; others act in training only.
_DECISIVE = ("activation", "recurrent_activation", "reset_after", "go_backwards", "merge_mode")
_INNER = ("layer", "backward_layer", "cell", "cells")


def load_keras(path: Any, target: Any, name: str | None = None, by_name: bool = False) -> list[str]:
    """Set weights from a file that `read_keras` reads.

    Args:
        path: the file.
        target: a model, whose layers take the weights in order, as in Keras; or one layer or cell.
        name: for one layer: its name in the file; not needed if the file has only one layer of its class.
        by_name: for a model: whether to set only the layers whose names are in the file.

    Returns:
        The names of the file's layers whose weights were set.

    Raises:
        ForeignFileError: the file is missing, cut short, or was not written by Keras.
        ConversionError: a layer of the file does not exist in minigrad or in the target, or an argument differs that
            changes the outputs.
        ShapeError: the shapes differ. Nothing has been set then.
        DTypeError: a weight's dtype cannot hold its numbers. Nothing has been set then.
    """
    called = file_name("load_keras", path, "The file comes first, then the model or layer that takes its weights.")
    by_name = flag("load_keras: `by_name`", by_name)
    name = None if name is None else text("load_keras: `name`", name)
    if not isinstance(target, Layer):
        raise ConversionError(f"load_keras: expected `target`, a model, a layer or a cell, got {shown(target)}.")
    file = read_for(called, sum(8 * prod(weight.shape) for weight in target.weights))
    return set_from(file, target, name, by_name)


def set_from(
    file: KerasFile, target: Any, name: str | None = None, by_name: bool = False, made: bool = False
) -> list[str]:
    """Set weights from a file that has been read; see `load_keras`. `made`: whether the target was made from it."""
    if hasattr(target, "layers"):
        pairs, used = _for_model(file, target, by_name, made)
    else:
        stored = _choose(file, target, name)
        _check_same(file, stored, target)
        pairs, used = _for_layer(file, stored, target), [stored.name]
    for weight, array, called in pairs:
        if weight.shape != array.shape:
            raise ShapeError(
                f"{file.path}: expected {called} of shape {weight.shape}, for {weight.name}, got {array.shape}."
            )
    taken = [weight.checked_array(array, f"{file.path}: {called}") for weight, array, called in pairs]
    for (weight, _, _), array in zip(pairs, taken, strict=True):
        weight.array = array
    return used


# --- one layer --------------------------------------------------------------------------------------------------------


def _choose(file: KerasFile, target: Layer, name: str | None) -> KerasLayer:
    """The layer of the file for the target."""
    with_weights = [layer for layer in file.layers if layer.weights]
    if name is not None:
        named = [layer for layer in with_weights if layer.name == name]
    else:
        named = (
            with_weights
            if len(with_weights) == 1
            else [layer for layer in with_weights if _matches_class(layer, target)]
        )
    if len(named) == 1:
        return named[0]
    expected = "`name` of a layer" if name is not None else f"one {type(target).__name__}"
    listed = ", ".join(layer.name for layer in with_weights) or "none"
    hint = "" if name is not None else " Choose one with name=…"
    got = shown(name) if name is not None else len(named)
    raise ConversionError(f"{file.path}: expected {expected} in the file, got {got}; it has: {listed}.{hint}")


def _matches_class(stored: KerasLayer, target: Layer) -> bool:
    if stored.class_name is not None:
        return stored.class_name == type(target).__name__
    place = stored.path.rpartition("/")[2]
    return place.rstrip("0123456789").rstrip("_") == snake_case(type(target).__name__)


def _for_layer(file: KerasFile, stored: KerasLayer, target: Layer) -> Pairs:
    if file.by_place:
        places = [dict(weight_places(target, keras3)) for keras3 in (False, True)]
        places.append({f"cell/{place}": weight for place, weight in places[0].items()})  # of a bare cell
        return _paired(file, places, {name: (array, stored.name) for name, array in stored.weights.items()}, target)
    weights = target.weights
    if stored.class_name == f"CuDNN{type(target).__name__}":
        stored = stored._replace(weights=_from_cudnn(file, stored, target))
    if len(weights) != len(stored.weights):
        _check_built(file, [target])
        raise ShapeError(
            f"{file.path}: expected {len(weights)} weights for {target.name}, got {len(stored.weights)} of "
            f"{stored.name}."
        )
    return [(w, array, name) for w, (name, array) in zip(weights, stored.weights.items(), strict=True)]


def _from_cudnn(file: KerasFile, stored: KerasLayer, target: Any) -> dict[str, Any]:
    """Return the weights of a layer of CuDNN as those of an LSTM, or of a GRU with ``reset_after=True``."""
    rules = [activations.serialize(getattr(target.cell, name)) for name in ("activation", "recurrent_activation")]
    if rules != ["tanh", "sigmoid"] or not getattr(target.cell, "reset_after", True):
        raise ConversionError(
            f"{file.path}: {stored.name} is a {stored.class_name}, with tanh, sigmoid and reset_after=True; the target "
            f"{target.name} differs: the same weights would give other outputs."
        )
    moved = from_cudnn(*map(tensor, stored.weights.values()))
    return {name: array.numpy() for name, array in zip(stored.weights, moved, strict=True)}


def _paired(
    file: KerasFile, places: Iterable[dict[str, Weight]], stored: dict[str, tuple[Any, str]], target: Layer
) -> Pairs:
    """Each weight with the array at its place, if all places match."""
    tried = list(places)
    for weights in tried:
        if weights.keys() == stored.keys():
            return [(weight, stored[place][0], place) for place, weight in weights.items()]
    _check_built(file, [target, *getattr(target, "layers", [])])
    missing, extra = sorted(tried[0].keys() - stored.keys()), sorted(stored.keys() - tried[0].keys())
    raise ConversionError(
        f"{file.path}: is of another model than {target.name}: it lacks {', '.join(missing[:3]) or 'nothing'}, and has "
        f"{', '.join(extra[:3]) or 'nothing'} in addition."
    )


def _check_built(file: KerasFile, layers: Iterable[Any]) -> None:
    """Check that the layers have weights already."""
    names = [layer.name for layer in layers if not layer.built]
    if names:
        verb = "are" if len(names) > 1 else "is"
        raise ConversionError(
            f"{file.path}: {', '.join(names)} {verb} not built yet, so there is nothing to set. Call the target on "
            "data first, or build(input_shape)."
        )


# --- a model ----------------------------------------------------------------------------------------------------------


def _for_model(file: KerasFile, target: Any, by_name: bool, made: bool) -> tuple[Pairs, list[str]]:
    with_weights = [layer for layer in file.layers if layer.weights]
    target_layers = [layer for layer in target.layers if layer.weights]
    if by_name:
        if not file.named:
            raise ConversionError(f"{file.path}: by_name=True, but the file does not have the layers' names.")
        stored = {layer.name: layer for layer in with_weights}
        chosen = [(stored[layer.name], layer) for layer in target_layers if layer.name in stored]
        if not chosen:
            _check_built(file, target.layers)
            raise ConversionError(
                f"{file.path}: has no layer with a name of {target.name}: it has {', '.join(stored)}; expected one of "
                f"{', '.join(layer.name for layer in target_layers) or 'none'}."
            )
    else:
        for layer in () if made else file.layers:
            _check_known(file, layer.class_name, layer.config, layer.name)
        chosen = (
            list(zip(with_weights, target_layers, strict=False)) if file.config is not None or not file.by_place else []
        )
    for layer, target_layer in () if made else chosen:
        _check_same(file, layer, target_layer)
    if by_name:
        pairs = [pair for layer, target_layer in chosen for pair in _for_layer(file, layer, target_layer)]
    elif file.by_place:
        stored_arrays = {place: (array, place) for place, array in file.arrays.items()}
        pairs = _paired(file, [dict(weight_places(target, keras3)) for keras3 in (False, True)], stored_arrays, target)
    else:
        pairs = _in_order(file, with_weights, target_layers, target)
    return pairs, [layer.name for layer, _ in chosen] or [layer.name for layer in with_weights]


def _in_order(file: KerasFile, with_weights: list[KerasLayer], ours: list[Layer], target: Any) -> Pairs:
    if len(with_weights) != len(ours):
        _check_built(file, target.layers)
        raise ConversionError(
            f"{file.path}: expected {len(ours)} layers with weights ({', '.join(layer.name for layer in ours)}), as "
            f"{target.name} has, got {len(with_weights)} ({', '.join(layer.name for layer in with_weights)})."
        )
    return [
        pair for layer, our_layer in zip(with_weights, ours, strict=True) for pair in _for_layer(file, layer, our_layer)
    ]


def weight_places(layer: Any, keras3: bool, at: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Weight]]:
    """The path at which Keras stores each weight, such as ``layers/lstm/cell/vars/0``, from attribute names.

    Args:
        layer: the layer or model.
        keras3: whether to follow Keras 3, which visits attributes from a to z and numbers all layers of a list. Keras 2
            visits them from z to a, and skips the layers that it has visited elsewhere.
        at: the path of the layer itself.
        seen: the ids of the layers visited already.
    """
    seen = set() if seen is None else seen
    seen.add(id(layer))
    attributes = {name: value for name, value in vars(layer).items() if not name.startswith("_")}
    attributes |= {"layers": layer.layers} if hasattr(layer, "layers") else {}
    below = {name: [p for p in tree.leaves(value) if isinstance(p, Layer)] for name, value in attributes.items()}
    inner = {id(w) for parts in below.values() for part in parts for w in part.weights}
    weights = [w for w in layer.weights if id(w) not in inner]
    yield from ((f"{at}vars/{k}", weight) for k, weight in enumerate(weights))
    for name in sorted(below, reverse=not keras3):
        single = isinstance(attributes[name], Layer)
        numbered = {name: below[name][0]} if single else _numbered(name, below[name], keras3, seen)
        for place, part in numbered.items():
            if id(part) not in seen:
                yield from weight_places(part, keras3, f"{at}{place}/", seen)


def _numbered(name: str, layers: list[Layer], keras3: bool, seen: set[int]) -> dict[str, Layer]:
    """The layers of a list by class and number: lstm, lstm_1, dense …"""
    counted = [layer for layer in layers if keras3 or id(layer) not in seen]
    return {f"{name}/{place}": layer for place, layer in numbered_by_class(counted, _stored_class).items()}


def _stored_class(layer: Layer) -> str:
    """Return the name of the class under which Keras stores a layer: a model made from symbols is a Functional."""
    name = type(layer).__name__
    return "Functional" if name == "Model" and getattr(layer, "_graph", None) is not None else name


# --- checks of the configuration --------------------------------------------------------------------------------------


def _check_known(file: KerasFile, class_name: str | None, config: Any, name: str) -> None:
    """Check that minigrad has the class of a layer, and those of the layers inside it."""
    if class_name is None:
        return
    if not isinstance(class_name, str):
        raise _malformed(file, name, f"a class {shown(class_name)}")
    if class_name not in {cls.__name__ for cls in CLASSES.values()} and class_name not in (*_MODELS, *_CUDNN):
        raise ConversionError(
            f"{file.path}: its layer {name!r} is a {class_name}, which minigrad does not have. read_keras reads its "
            "weights as plain arrays; by_name=True loads the other layers."
        )
    inner = config if isinstance(config, dict) else {}
    within = inner.get("layers", []) if class_name in _MODELS else []
    if not isinstance(within, list):
        raise _malformed(file, name, f"layers that are {type(within).__name__}")
    parts = [inner.get(key) for key in _INNER] + within
    for entry in [e for part in parts for e in (part if isinstance(part, list) else [part]) if isinstance(e, dict)]:
        _check_known(file, entry.get("class_name"), entry.get("config"), f"{name}/{entry.get('class_name')}")


def _malformed(file: KerasFile, name: str, found: str) -> ForeignFileError:
    return ForeignFileError(f"{file.path}: its configuration cannot be read: the layer {name!r:.80} has {found:.80}.")


def _check_same(file: KerasFile, stored: KerasLayer, target: Layer) -> None:
    """Check that a layer of the file has the target's class and the same activations."""
    if stored.class_name is None:
        return
    _check_known(file, stored.class_name, stored.config, stored.name)
    cell_in_layer = f"{stored.class_name}Cell" == type(target).__name__
    of_cudnn = stored.class_name == f"CuDNN{type(target).__name__}"
    if stored.class_name != type(target).__name__ and not cell_in_layer and not of_cudnn:
        raise ConversionError(
            f"{file.path}: expected a {type(target).__name__}, for {target.name}, got {stored.name}, a "
            f"{stored.class_name}."
        )
    _compare(file, stored.name, stored.config or {}, target.get_config())


def _compare(file: KerasFile, name: str, theirs: Any, ours: dict[str, Any]) -> None:
    if not isinstance(theirs, dict):
        raise _malformed(file, name, f"arguments that are {type(theirs).__name__}")
    keras3 = str(file.keras_version or 2).partition(".")[0] not in ("0", "1", "2")
    for key in _DECISIVE:
        if key not in theirs or key not in ours:
            continue
        if theirs[key] != ours[key]:
            raise ConversionError(
                f"{file.path}: {name} has {key}={theirs[key]!r:.80}, the target {key}={ours[key]!r}: the same weights "
                f"would give other outputs. Make the layer with {key}={theirs[key]!r:.80}."
            )
        if theirs[key] == "hard_sigmoid" and keras3:
            raise ConversionError(
                f"{file.path}: {name} has {key}='hard_sigmoid' of Keras {file.keras_version}, clip(x/6 + 1/2, 0, 1); "
                "minigrad's is that of Keras 2, clip(0.2 x + 1/2, 0, 1): the same weights would give other outputs."
            )
    for key in _INNER:
        pair = [
            config.get(key) if isinstance(config.get(key), list) else [config.get(key)] for config in (theirs, ours)
        ]
        for one, other in zip(*pair, strict=False):
            if isinstance(one, dict) and isinstance(other, dict):
                _compare(file, f"{name}/{one.get('class_name')}", one.get("config", {}), other.get("config", {}))
