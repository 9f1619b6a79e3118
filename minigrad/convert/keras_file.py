"""Files of weights and models that Keras wrote, read without Keras and without running anything in them.

    .h5 of model.save            the weights, layer by layer and each by name; the model's configuration
    .h5 of model.save_weights    the same without the configuration
    .weights.h5                  the weights by their place in the model: layers/lstm/cell/vars/0
    .keras                       a zip archive: config.json, metadata.json, and model.weights.h5 as above

The last two are written by Keras 2.12 and later, Keras 3 among them. h5py reads them: the extra ``keras-files``.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from minigrad.backend.protocol import Array
from minigrad.convert.errors import ForeignFileError, missing_library
from minigrad.convert.paths import content, file_name
from minigrad.layers.catalogue import snake_case

T = TypeVar("T")

# What stands beside the layers in model.weights.h5, of a compiled model; and what Keras 2.12 to 2.14 called `layers`.
_NOT_LAYERS = ("optimizer", "metrics", "compile_metrics", "loss_tracker", "_metrics", "_loss_tracker")
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")

# Whatever the bytes of a damaged file make of HDF5, zip, JSON and the numbers in them.
_DAMAGE = (
    OSError, EOFError, RuntimeError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, MemoryError,
    zlib.error,
)  # fmt: skip


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

    HDF5's own library can end the whole process over a file that was damaged on purpose: read a stranger's file in a
    process of its own.

    Returns:
        The weights of each layer as NumPy arrays, and the configurations where the file has them.

    Raises:
        ForeignFileError: there is no such file, it is cut short or damaged, or Keras did not write it.
        DTypeError: `path` is none.
        MissingLibraryError: h5py is not installed.
    """
    name = file_name("read_keras", path)
    found = content(name)
    return _read_archive(name, found) if found[:2] == b"PK" else _read_hdf5(name, found)


def _read_archive(name: str, packed: bytes) -> KerasFile:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            found = {part: archive.read(part) for part in archive.namelist() if part.endswith((".json", ".weights.h5"))}
        config = json.loads(found["config.json"])
        version = json.loads(found.get("metadata.json", b"{}")).get("keras_version")
        weights = found["model.weights.h5"]
        listed = [_description(entry) for entry in _layers_of(config)]
    except zipfile.BadZipFile as error:
        raise ForeignFileError(f"{name}: is cut short, or is no .keras file ({error}).") from None
    except KeyError as error:
        raise ForeignFileError(f"{name}: is no .keras file of Keras 2.12 or later: it has no {error}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError, AttributeError) as error:
        raise ForeignFileError(f"{name}: is no .keras file: its configuration cannot be read ({error}).") from None
    except _DAMAGE as error:
        raise ForeignFileError(f"{name}: is damaged ({error}).") from None
    file = _read_hdf5(name, weights)
    layers = _described(file.layers, listed)
    return file._replace(layers=layers, config=config, keras_version=version, named=file.named or bool(listed))


def _read_hdf5(name: str, stored: bytes) -> KerasFile:
    try:
        import h5py
    except ImportError:
        raise missing_library("read_keras", "h5py", "keras-files") from None
    try:
        with h5py.File(io.BytesIO(stored), "r") as file:
            root = file.get("model_weights", file)
            if "layer_names" in root.attrs or "layer_names0" in root.attrs:
                return _read_by_name(name, file, root)
            layers, named = _by_place(file, h5py.Dataset)
    except ForeignFileError:
        raise
    except _DAMAGE as error:
        raise ForeignFileError(f"{name}: is cut short, damaged, or was not written by Keras ({error}).") from None
    if not layers:
        raise ForeignFileError(f"{name}: is an HDF5 file, but not Keras': it has neither layer names nor `vars`.")
    return KerasFile(name, tuple(layers), None, None, named, by_place=True)


# --- by name: .h5 -----------------------------------------------------------------------------------------------------


def _read_by_name(name: str, file: Any, root: Any) -> KerasFile:
    version = _text(root.attrs.get("keras_version"))
    if version is None or version.startswith("1."):
        raise ForeignFileError(f"{name}: was written by Keras {version or 1}, whose weights are laid out otherwise.")
    config = _text(file.attrs.get("model_config"))
    model = None if config is None else json.loads(config)
    known = {} if model is None else {d.name: d for d in map(_description, _layers_of(model))}
    layers = {layer: _weights_by_name(root[layer]) for layer in _texts(root.attrs, "layer_names")}
    if "top_level_model_weights" in root:  # of the model itself, not of a layer
        own = _weights_by_name(root["top_level_model_weights"])
        layers |= {"top_level_model_weights": own} if own else {}
    found = {
        layer: known.get(layer, KerasLayer(layer, {}))._replace(weights=w, path=layer) for layer, w in layers.items()
    }
    order = [*known, *(layer for layer in found if layer not in known)]
    return KerasFile(name, tuple(found.get(n) or known[n] for n in order), model, version, named=True, by_place=False)


def _weights_by_name(group: Any) -> dict[str, Array]:
    return {name: _array(group[name]) for name in _texts(group.attrs, "weight_names")}


def _texts(attributes: Any, name: str) -> list[str]:
    """A list of strings; a long one stands in pieces, name0, name1 …"""
    if name in attributes:
        return [str(_text(value)) for value in attributes[name]]
    found: list[str] = []
    while f"{name}{len(found)}" in attributes:
        found.append(f"{name}{len(found)}")
    return [str(_text(value)) for piece in found for value in attributes[piece]]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _array(dataset: Any) -> Array:
    array = np.asarray(dataset[()])
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{dataset.name} holds {array.dtype}, not numbers")
    return array


# --- by place: .weights.h5, .keras ------------------------------------------------------------------------------------


def _by_place(file: Any, dataset: type) -> tuple[list[KerasLayer], bool]:
    """The layers of a file whose weights stand under …/vars/0, …/vars/1; and does it tell their names (Keras 3)?"""
    found: dict[str, Any] = {}
    file.visititems(lambda path, node: found.update({path: node}))
    layers: dict[str, KerasLayer] = {}
    named = True
    for path in sorted(found, key=_naturally):
        parts = path.split("/")
        if not isinstance(found[path], dataset) or parts[-2:-1] != ["vars"] or parts[0] in _NOT_LAYERS:
            continue
        depth = 0 if parts[0] == "vars" else 2 if parts[0] in _CONTAINERS else 1
        own = "/".join(["layers", *parts[1:depth]] if depth == 2 else parts[:depth])
        group = found.get("/".join([*parts[:depth], "vars"]))
        name = None if group is None else _text(group.attrs.get("name"))
        named = named and name is not None
        layer = layers.setdefault(own, KerasLayer(name or own.rpartition("/")[2] or "model", {}, path=own))
        layer.weights["/".join(parts[depth:])] = _array(found[path])
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


def _layers_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The layers' entries in a model's configuration; none for a model that is a class of its own."""
    inner = config["config"]
    return list(inner) if isinstance(inner, list) else list(inner.get("layers", []))


def _description(entry: dict[str, Any]) -> KerasLayer:
    config = entry["config"]
    return KerasLayer(str(config.get("name", entry.get("name"))), {}, entry["class_name"], config)
