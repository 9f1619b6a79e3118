"""Reader of weights and models saved by Keras, without Keras and without running code in them.

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

from minigrad.engine.archives import Archive, DamagedError, archive
from minigrad.engine.foreign import naming
from minigrad.engine.protocol import Array
from minigrad.engine.untrusted import JSON_BYTES, opened, parse_json, room, size_of
from minigrad.keras.storage.errors import ForeignFileError
from minigrad.keras.storage.hdf5_content import Hdf5Content, read_hdf5
from minigrad.keras.storage.hdf5_worker import join_path
from minigrad.keras.storage.paths import file_name
from minigrad.layers.catalogue import snake_case

T = TypeVar("T")

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # the second in Keras 2.12 to 2.14
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_PIECE = 2**20  # bytes unpacked at once

# Errors on descriptions of the wrong types.
_MISTYPED = (TypeError, ValueError, LookupError, AttributeError)


class KerasLayer(NamedTuple):
    """One layer in a file.

    Attributes:
        name: the layer's name; if the file has none, its place, e.g. ``"lstm_1"`` for the second LSTM.
        weights: arrays by their names in the file: ``"lstm/lstm_cell/kernel:0"``, in the layer's order; or
            ``"cell/vars/0"``, in alphabetical order.
        class_name: the name of the layer's class, if the file has it.
        config: the layer's arguments, if the file has them.
        path: the layer's path in the file.
    """

    name: str
    weights: dict[str, Array]
    class_name: str | None = None
    config: dict[str, Any] | None = None
    path: str = ""


class KerasFile(NamedTuple):
    """Content of a file.

    Attributes:
        path: the file.
        layers: the layers, in the model's order if the file has it. Layers without weights are included only if the
            file has a configuration.
        config: the model's configuration, as Keras wrote it, or None.
        keras_version: the version of Keras that wrote it, if the file has it.
        named: True if the file has the layers' names.
        by_place: True if the weights are identified by their place in the model, as in ``.weights.h5`` and
            ``.keras``, rather than by name.
        training: the arguments of `compile` in an ``.h5`` file, or None; in a ``.keras`` file they are in `config`.
    """

    path: str
    layers: tuple[KerasLayer, ...]
    config: dict[str, Any] | None
    keras_version: str | None
    named: bool
    by_place: bool
    training: dict[str, Any] | None = None

    @property
    def arrays(self) -> dict[str, Array]:
        """All weights by name: the layer's path and the weight's name in it."""
        return {f"{layer.path}/{name}".lstrip("/"): a for layer in self.layers for name, a in layer.weights.items()}


def read_keras(path: Any) -> KerasFile:
    """Read a file of weights or a model saved by Keras.

    An untrusted file is safe to read. No code in it is run, no other file is opened, and declared sizes are compared
    with the file's size before memory is allocated. HDF5's library runs in a separate process: a damaged file can
    crash it.

    Args:
        path: a file that ends in ``.keras``, ``.weights.h5``, ``.h5`` or ``.hdf5``; its content decides.

    Returns:
        The weights of each layer as NumPy arrays, and the configurations if the file has them.

    Raises:
        ForeignFileError: the file is missing, cut short or damaged, or was not written by Keras; or it holds external
            or virtual datasets, external links, or other content that Keras does not write.
        DTypeError: `path` is not a path.
        MissingLibraryError: h5py is not installed.
    """
    with naming("read_keras: `path`"):
        name = file_name("read_keras", path)
    return read_for(name)


def read_for(name: str, needed: int = 0) -> KerasFile:
    """Read a file as `read_keras` does, for a model whose weights need `needed` bytes."""
    with opened(name, ForeignFileError) as file:
        if file.read(2) != b"PK":
            return _read_hdf5(name, file, size_of(file), room(file, needed))
    try:
        with archive(name, ForeignFileError, wanted=needed) as found:
            return _read_archive(name, found)
    except DamagedError as error:
        raise ForeignFileError(f"{name}: is cut short, damaged, or is not a .keras file ({error}).") from None


def _read_archive(name: str, found: Archive) -> KerasFile:
    missing = [part for part in (_CONFIG, _WEIGHTS) if part not in found.sizes]
    if missing:
        raise ForeignFileError(f"{name}: is not a .keras file of Keras 2.12 or later: it has no {missing[0]!r}.")
    found.check_room([_WEIGHTS])
    config = _parsed(name, found.read(_CONFIG, JSON_BYTES))
    about = _parsed(name, found.read(_METADATA, JSON_BYTES)) if _METADATA in found.sizes else {}
    version = about.get("keras_version")
    listed = _listed(name, config)
    if not isinstance(version, (str, type(None))):
        raise ForeignFileError(f"{name}: is not a .keras file: its keras_version is {version!r:.80}, not a string.")
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
        raise ForeignFileError(f"{name}: was written by Keras {version or 1}, whose weights have another layout.")
    config = _text(file.attributes[""], "model_config")
    model = None if config is None else _parsed(name, config.encode("utf-8"))
    known = {} if model is None else {d.name: d for d in _listed(name, model)}
    layers = {
        layer: _weights_by_name(name, file, join_path(root, layer))
        for layer in _texts(file.attributes[root], "layer_names")
    }
    top = join_path(root, "top_level_model_weights")
    if top in file.attributes:  # weights of the model, not of a layer
        weights = _weights_by_name(name, file, top)
        layers |= {"top_level_model_weights": weights} if weights else {}
    found = {
        layer: known.get(layer, KerasLayer(layer, {}))._replace(weights=w, path=layer) for layer, w in layers.items()
    }
    order = [*known, *(layer for layer in found if layer not in known)]
    stored = _text(file.attributes[""], "training_config")
    training = None if stored is None else _parsed(name, stored.encode("utf-8"))
    listed = tuple(found.get(n) or known[n] for n in order)
    return KerasFile(name, listed, model, version, named=True, by_place=False, training=training)


def _weights_by_name(name: str, file: Hdf5Content, group: str) -> dict[str, Array]:
    if group not in file.attributes:
        raise ForeignFileError(f"{name}: is damaged: it lists a layer {group!r}, which does not exist.")
    weights = _texts(file.attributes[group], "weight_names")
    missing = [weight for weight in weights if join_path(group, weight) not in file.arrays]
    if missing:
        raise ForeignFileError(f"{name}: is damaged: {group!r} lists a weight {missing[0]!r}, which does not exist.")
    return {weight: file.arrays[join_path(group, weight)] for weight in weights}


def _texts(attributes: dict[str, list[str]], name: str) -> list[str]:
    """An attribute as a list of strings; a long list is stored in pieces, name0, name1 …"""
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


# --- by position: .weights.h5, .keras ---------------------------------------------------------------------------------


def _by_place(file: Hdf5Content) -> tuple[list[KerasLayer], bool]:
    """The layers of a file with weights under …/vars/0, …/vars/1; and True if it has their names (Keras 3)."""
    layers: dict[str, KerasLayer] = {}
    named = True
    for path in sorted(file.arrays, key=_natural_key):
        parts = path.split("/")
        depth = 0 if parts[0] == "vars" else 2 if parts[0] in _CONTAINERS else 1
        place = "/".join(["layers", *parts[1:depth]] if depth == 2 else parts[:depth])
        name = _text(file.attributes.get("/".join([*parts[:depth], "vars"]), {}), "name")
        named = named and name is not None
        layer = layers.setdefault(place, KerasLayer(name or place.rpartition("/")[2] or "model", {}, path=place))
        layer.weights["/".join(parts[depth:])] = file.arrays[path]
    return list(layers.values()), named


def _natural_key(path: str) -> list[tuple[str, int]]:
    """A sort key that puts lstm_2 before lstm_10."""
    return [(text, int(number or -1)) for text, number in re.findall(r"(\D+)(\d*)", path)]


def _described(layers: Iterable[KerasLayer], listed: list[KerasLayer]) -> tuple[KerasLayer, ...]:
    """The layers of the weights' file with names and arguments from the configuration, in its order."""
    by_path = {layer.path: layer for layer in layers}
    found = []
    for place, description in numbered_by_class(listed, _stored_class).items():
        stored = by_path.pop(f"layers/{place}", None)
        found.append(description if stored is None else description._replace(weights=stored.weights, path=stored.path))
    return (*found, *by_path.values())


def _stored_class(layer: KerasLayer) -> str:
    """Return the name of the class under which Keras stores a layer: a model made from symbols is a Functional."""
    return "Functional" if layer.class_name == "Model" else str(layer.class_name)


def numbered_by_class(layers: Iterable[T], class_name: Callable[[T], str]) -> dict[str, T]:
    """Return layers by class and number, as Keras numbers the layers of a list: lstm, lstm_1, dense …"""
    counts: dict[str, int] = {}
    found = {}
    for layer in layers:
        key = snake_case(class_name(layer))
        counts[key] = counts.get(key, -1) + 1
        found[f"{key}_{counts[key]}" if counts[key] else key] = layer
    return found


# --- configurations ---------------------------------------------------------------------------------------------------


def _parsed(name: str, text: bytes) -> dict[str, Any]:
    """The JSON object in a string."""
    try:
        found = parse_json(text)
    except ValueError as error:
        raise ForeignFileError(f"{name}: its configuration cannot be read ({error}).") from None
    if not isinstance(found, dict):
        raise ForeignFileError(f"{name}: its configuration cannot be read (it is not an object).")
    return found


def _listed(name: str, config: dict[str, Any]) -> list[KerasLayer]:
    """The layers in a model's configuration; none for a subclassed model."""
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
