"""Writer of the files that Keras reads: models and weights in HDF5, and `.keras` archives.

    .keras         a zip archive: config.json, metadata.json, and model.weights.h5 as below
    .weights.h5    the weights by their place in the model: layers/lstm/cell/vars/0
    .h5            the weights layer by layer and each by name; of a whole model its configuration too

A weight's place differs between Keras 2 and Keras 3 in some models; then the file has both, as two links to one array.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any, BinaryIO

from minigrad.keras.storage.errors import ConversionError, missing_library
from minigrad.keras.storage.keras_weights import weight_places
from minigrad.keras.storage.paths import write_file

VERSIONS = {2: "2.15.0", 3: "3.0.0"}
HDF5 = (".weights.h5", ".h5", ".hdf5")
MOST_NAMES = 1000  # in one attribute


def ending_of(path: str) -> str:
    """Return the ending of a file that Keras reads, ``".keras"``, ``".weights.h5"`` or ``".h5"``; else an empty one."""
    return next((ending for ending in (".keras", ".weights.h5", ".h5", ".hdf5") if path.endswith(ending)), "")


def write_model(path: str, model: Any, description: dict[str, Any], version: int) -> None:
    """Write a model, ``.keras`` or ``.h5``.

    Args:
        path: the file.
        model: the model, for its weights.
        description: its configuration.
        version: of Keras' form of configurations, 2 or 3.

    Raises:
        ConversionError: Keras 2 and 3 expect different weights at one place.
        ForeignFileError: the file cannot be written.
        MissingLibraryError: h5py is not installed.
    """
    compiled = _compiled(model)
    if ending_of(path) == ".keras":
        whole = {**description, **({"compile_config": compiled} if compiled else {})}
        parts = {
            "metadata.json": json.dumps({"keras_version": VERSIONS[version], "date_saved": "-"}).encode(),
            "config.json": json.dumps(whole).encode("utf-8"),
            "model.weights.h5": _hdf5(lambda file: _write_by_place(file, model)),
        }
        write_file(path, lambda file: _pack(file, parts))
        return

    def write(file: Any) -> None:
        file.attrs["backend"], file.attrs["keras_version"] = "tensorflow", VERSIONS[version]
        file.attrs["model_config"] = json.dumps(description)
        _write_by_name(file.create_group("model_weights"), model, version)

    content = _hdf5(write)
    write_file(path, lambda file: file.write(content))


def write_weights(path: str, model: Any) -> None:
    """Write the weights of a model, ``.weights.h5`` or ``.h5``.

    Raises:
        ForeignFileError: the file cannot be written.
        MissingLibraryError: h5py is not installed.
    """
    by_place = ending_of(path) == ".weights.h5"
    content = _hdf5(lambda file: _write_by_place(file, model) if by_place else _write_by_name(file, model, 2))
    write_file(path, lambda file: file.write(content))


def _pack(file: BinaryIO, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _hdf5(write: Callable[[Any], None]) -> bytes:
    if find_spec("h5py") is None:
        raise missing_library("save", "h5py", "keras-files")
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        write(file)
    return buffer.getvalue()


def _write_by_place(file: Any, model: Any) -> None:
    taken: dict[str, Any] = {}
    links: dict[int, str] = {}
    for place, weight in _places(model):
        if taken.setdefault(place, weight) is not weight:
            raise ConversionError(
                f"{model.name}: Keras 2 and Keras 3 expect different weights at {place!r}. Save a .npz file, or "
                "weights by name, .h5."
            )
        if place in file:
            continue
        if id(weight) in links:
            file[place] = file[links[id(weight)]]
        else:
            links[id(weight)] = place
            file[place] = weight.numpy()
    _add_empty_groups(file)


def _add_empty_groups(group: Any) -> None:
    """Give each group a group `vars`, which Keras expects of a layer without weights too."""
    for inner in list(group.values()):
        if hasattr(inner, "keys") and not inner.name.endswith("/vars"):
            _add_empty_groups(inner)
    group.require_group("vars")


def _places(model: Any) -> Iterator[tuple[str, Any]]:
    for keras3 in (False, True):
        yield from weight_places(model, keras3)


def _write_by_name(group: Any, model: Any, version: int) -> None:
    layers = list(model.layers)
    group.attrs["backend"], group.attrs["keras_version"] = "tensorflow", VERSIONS[version]
    _write_names(group, "layer_names", [layer.name for layer in layers])
    for layer in layers:
        inside = group.create_group(layer.name)
        weights = [*layer.trainable_weights, *layer.non_trainable_weights]
        names = _unique(weight.name for weight in weights)
        _write_names(inside, "weight_names", names)
        for name, weight in zip(names, weights, strict=True):
            inside[name] = weight.numpy()


def _unique(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        k, given = 0, name
        while name in found:
            k += 1
            name = f"{given.removesuffix(':0')}_{k}:0"
        found.append(name)
    return found


def _write_names(group: Any, attribute: str, names: list[str]) -> None:
    """Write a list of names, a long one in pieces: layer_names0, layer_names1 …"""
    import h5py

    text = h5py.string_dtype()
    if len(names) <= MOST_NAMES:
        group.attrs.create(attribute, names, shape=(len(names),), dtype=text)
        return
    for k, start in enumerate(range(0, len(names), MOST_NAMES)):
        piece = names[start : start + MOST_NAMES]
        group.attrs.create(f"{attribute}{k}", piece, shape=(len(piece),), dtype=text)


def _compiled(model: Any) -> dict[str, Any] | None:
    """Return the arguments of `compile`; None if the model was not compiled, or its loss is not a name."""
    loss = model.loss
    if model.optimizer is None or not isinstance(loss, str):
        return None
    optimizer = {
        "module": "keras.optimizers", "class_name": type(model.optimizer).__name__,
        "config": {"learning_rate": float(model.optimizer.learning_rate)}, "registered_name": None,
    }  # fmt: skip
    return {"optimizer": optimizer, "loss": loss}
