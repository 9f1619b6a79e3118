"""Files of weights and models that Keras wrote, read without Keras and without running anything in them.

    .h5 of model.save            the weights, layer by layer and each by name; the model's configuration
    .h5 of model.save_weights    the same without the configuration
    .weights.h5                  the weights by their place in the model: layers/lstm/cell/vars/0
    .keras                       a zip archive: config.json, metadata.json, and model.weights.h5 as above

The last two are written by Keras 2.12 and later, Keras 3 among them. h5py reads them: the extra ``keras-files``.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, NamedTuple, TypeVar

from minigrad.convert.errors import ForeignFileError
from minigrad.convert.hdf5_content import Hdf5Content, read_hdf5
from minigrad.convert.hdf5_worker import joined
from minigrad.convert.paths import file_name
from minigrad.engine.archives import Archive, DamagedError, archive
from minigrad.engine.protocol import Array
from minigrad.engine.untrusted import JSON_BYTES, opened, parse_json, room, size_of
from minigrad.layers.catalogue import snake_case

T = TypeVar("T")

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # the second in Keras 2.12 to 2.14
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_PIECE = 2**20  # bytes unpacked at once

# Errors on descriptions of the wrong types.
_MISTYPED = (TypeError, ValueError, LookupError, AttributeError)


class KerasLayer(NamedTuple):
    """A layer in a file.

    Attributes:
        name: the layer's name; where the file does not tell, its place, e.g. ``"lstm_1"`` for the second LSTM.
        weights: arrays by the names that the file gives them: ``"lstm/lstm_cell/kernel:0"``, in the layer's order; or
            ``"cell/vars/0"``, from a to z.
        class_name: the name of the layer's class, if the file tells.
        config: the layer's arguments, if the file tells.
        path: where the layer stands in the file.
    """

    name: str
    weights: dict[str, Array]
    class_name: str | None = None
    config: dict[str, Any] | None = None
    path: str = ""


class KerasFile(NamedTuple):
    """What stands in a file.

    Attributes:
        path: the file.
        layers: the layers, in the model's order if the file tells; those without weights if it has a configuration.
        config: the model's configuration, as Keras wrote it, or None.
        keras_version: the version of Keras that wrote it, if the file tells.
        named: does the file tell the layers' names?
        by_place: are the weights told apart by their place in the model, as in ``.weights.h5`` and ``.keras``, rather
            than by name?
    """

    path: str
    layers: tuple[KerasLayer, ...]
    config: dict[str, Any] | None
    keras_version: str | None
    named: bool
    by_place: bool

    @property
    def arrays(self) -> dict[str, Array]:
        """All weights by name: the layer's path, and the weight's own name."""
        return {f"{layer.path}/{name}".lstrip("/"): a for layer in self.layers for name, a in layer.weights.items()}


def read_keras(path: Any) -> KerasFile:
    """Reads a file of weights or a model that Keras wrote.

    Args:
        path: a file that ends in ``.keras``, ``.weights.h5``, ``.h5`` or ``.hdf5``; its content decides.

    A file from a stranger is safe to read: nothing in it is run, no other file is opened for it, and what it declares
    is compared with its size before memory is allocated. HDF5's own library runs in a process of its own, for a damaged
    file can end it.

    Returns:
        The weights of each layer as NumPy arrays, and the configurations where the file has them.

    Raises:
        ForeignFileError: there is no such file, it is cut short or damaged, or Keras did not write it; or it holds
            external or virtual datasets, external links, or other things that Keras does not write.
        DTypeError: `path` is none.
        MissingLibraryError: h5py is not installed.
    """
    return read_for(file_name("read_keras", path))


def read_for(name: str, wanted: int = 0) -> KerasFile:
    """Reads a file as `read_keras` does, for a model whose weights need `wanted` bytes."""
    with opened(name, ForeignFileError) as file:
        if file.read(2) != b"PK":
            return _read_hdf5(name, file, size_of(file), room(file, wanted))
    try:
        with archive(name, ForeignFileError, wanted=wanted) as found:
            return _read_archive(name, found)
    except DamagedError as error:
        raise ForeignFileError(f"{name}: is cut short, damaged, or is no .keras file ({error}).") from None


def _read_archive(name: str, found: Archive) -> KerasFile:
    missing = [part for part in (_CONFIG, _WEIGHTS) if part not in found.sizes]
    if missing:
        raise ForeignFileError(f"{name}: is no .keras file of Keras 2.12 or later: it has no {missing[0]!r}.")
    found.check_room([_WEIGHTS])
    config = _parsed(name, found.read(_CONFIG, JSON_BYTES))
    about = _parsed(name, found.read(_METADATA, JSON_BYTES)) if _METADATA in found.sizes else {}
    version = about.get("keras_version")
    listed = _listed(name, config)
    if not isinstance(version, (str, type(None))):
        raise ForeignFileError(f"{name}: is no .keras file: its keras_version is {version!r:.80}, not a text.")
    with tempfile.TemporaryFile() as weights:
        with found.member(_WEIGHTS) as packed:
            while piece := packed.read(_PIECE):
                weights.write(piece)
        weights.flush()
        file = _read_hdf5(name, weights, size_of(weights), found.room)
    layers = _described(file.layers, listed)
    return file._replace(layers=layers, config=config, keras_version=version, named=file.named or bool(listed))


def _read_hdf5(name: str, stored: BinaryIO, size: int, allowed: int) -> KerasFile:
    found = read_hdf5(name, stored, size, allowed)
    root = "model_weights" if "model_weights" in found.attributes else ""
    if {"layer_names", "layer_names0"} & found.attributes[root].keys():
        return _read_by_name(name, found, root)
    layers, named = _by_place(found)
    if not layers:
        raise ForeignFileError(f"{name}: is an HDF5 file, but not Keras': it has neither layer names nor `vars`.")
    return KerasFile(name, tuple(layers), None, None, named, by_place=True)


# --- by name: .h5 -----------------------------------------------------------------------------------------------------


def _read_by_name(name: str, file: Hdf5Content, root: str) -> KerasFile:
    version = _text(file.attributes[root], "keras_version")
    if version is None or version.startswith("1."):
        raise ForeignFileError(f"{name}: was written by Keras {version or 1}, whose weights are laid out otherwise.")
    config = _text(file.attributes[""], "model_config")
    model = None if config is None else _parsed(name, config.encode("utf-8"))
    known = {} if model is None else {d.name: d for d in _listed(name, model)}
    layers = {
        layer: _weights_by_name(name, file, joined(root, layer))
        for layer in _texts(file.attributes[root], "layer_names")
    }
    top = joined(root, "top_level_model_weights")
    if top in file.attributes:  # of the model itself, not of a layer
        own = _weights_by_name(name, file, top)
        layers |= {"top_level_model_weights": own} if own else {}
    found = {
        layer: known.get(layer, KerasLayer(layer, {}))._replace(weights=w, path=layer) for layer, w in layers.items()
    }
    order = [*known, *(layer for layer in found if layer not in known)]
    return KerasFile(name, tuple(found.get(n) or known[n] for n in order), model, version, named=True, by_place=False)


def _weights_by_name(name: str, file: Hdf5Content, group: str) -> dict[str, Array]:
    if group not in file.attributes:
        raise ForeignFileError(f"{name}: is damaged: it lists a layer {group!r}, which is not there.")
    weights = _texts(file.attributes[group], "weight_names")
    missing = [weight for weight in weights if joined(group, weight) not in file.arrays]
    if missing:
        raise ForeignFileError(f"{name}: is damaged: {group!r} lists a weight {missing[0]!r}, which is not there.")
    return {weight: file.arrays[joined(group, weight)] for weight in weights}


def _texts(attributes: dict[str, list[str]], name: str) -> list[str]:
    """A list of strings; a long one stands in pieces, name0, name1 …"""
    if name in attributes:
        return attributes[name]
    found: list[str] = []
    pieces = 0
    while f"{name}{pieces}" in attributes:
        found += attributes[f"{name}{pieces}"]
        pieces += 1
    return found


def _text(attributes: dict[str, list[str]], name: str) -> str | None:
    return "".join(attributes[name]) if name in attributes else None


# --- by place: .weights.h5, .keras ------------------------------------------------------------------------------------


def _by_place(file: Hdf5Content) -> tuple[list[KerasLayer], bool]:
    """The layers of a file whose weights stand under …/vars/0, …/vars/1; and does it tell their names (Keras 3)?"""
    layers: dict[str, KerasLayer] = {}
    named = True
    for path in sorted(file.arrays, key=_naturally):
        parts = path.split("/")
        depth = 0 if parts[0] == "vars" else 2 if parts[0] in _CONTAINERS else 1
        own = "/".join(["layers", *parts[1:depth]] if depth == 2 else parts[:depth])
        name = _text(file.attributes.get("/".join([*parts[:depth], "vars"]), {}), "name")
        named = named and name is not None
        layer = layers.setdefault(own, KerasLayer(name or own.rpartition("/")[2] or "model", {}, path=own))
        layer.weights["/".join(parts[depth:])] = file.arrays[path]
    return list(layers.values()), named


def _naturally(path: str) -> list[tuple[str, int]]:
    """lstm_2 before lstm_10."""
    return [(text, int(number or -1)) for text, number in re.findall(r"(\D+)(\d*)", path)]


def _described(layers: Iterable[KerasLayer], listed: list[KerasLayer]) -> tuple[KerasLayer, ...]:
    """The layers of the weights' file with the names and arguments of those in the configuration, in its order."""
    by_path = {layer.path: layer for layer in layers}
    found = []
    for place, description in by_class(listed, lambda layer: str(layer.class_name)).items():
        own = by_path.pop(f"layers/{place}", None)
        found.append(description if own is None else description._replace(weights=own.weights, path=own.path))
    return (*found, *by_path.values())


def by_class(layers: Iterable[T], class_name: Callable[[T], str]) -> dict[str, T]:
    """Returns the layers by class and number, as Keras tells those of a list apart: lstm, lstm_1, dense …"""
    counts: dict[str, int] = {}
    found = {}
    for layer in layers:
        key = snake_case(class_name(layer))
        counts[key] = counts.get(key, -1) + 1
        found[f"{key}_{counts[key]}" if counts[key] else key] = layer
    return found


# --- configurations ---------------------------------------------------------------------------------------------------


def _parsed(name: str, text: bytes) -> dict[str, Any]:
    """The JSON object in a text."""
    try:
        found = parse_json(text)
    except ValueError as error:
        raise ForeignFileError(f"{name}: its configuration cannot be read ({error}).") from None
    if not isinstance(found, dict):
        raise ForeignFileError(f"{name}: its configuration cannot be read (it is no object).")
    return found


def _listed(name: str, config: dict[str, Any]) -> list[KerasLayer]:
    """The layers in a model's configuration; none for a model that is a class of its own."""
    try:
        inner = config["config"]
        return [_description(entry) for entry in (inner if isinstance(inner, list) else inner.get("layers", []))]
    except _MISTYPED as error:
        raise ForeignFileError(f"{name}: its configuration cannot be read ({type(error).__name__}: {error}).") from None


def _description(entry: dict[str, Any]) -> KerasLayer:
    config, class_name = entry["config"], entry["class_name"]
    name = config.get("name", entry.get("name"))
    if not isinstance(class_name, str) or not isinstance(name, str) or not isinstance(config, dict):
        raise TypeError(f"a layer named {name!r:.80} of class {class_name!r:.80}")
    return KerasLayer(name, {}, class_name, config)
