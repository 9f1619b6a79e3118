"""Weights in a file: named arrays in one ``.npz``, without pickle, whole or not there at all.

Anything that reads NumPy's format can read it: ``np.load("model.npz")["000/lstm/lstm_cell/kernel:0"]``.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np  # noqa: TID251  (a file of weights is host arrays)

from minigrad.backend.protocol import Array
from minigrad.errors import MinigradError

MARK, VERSION = "minigrad weights", 1


class WeightsFileError(MinigradError, ValueError):
    """A file of weights is missing, damaged, another program's, or of another model."""


def file_name(path: Any) -> str:
    """Returns the path with ``.npz`` at its end.

    Raises:
        WeightsFileError: it ends in something else.
    """
    name = os.fspath(path)
    ending = os.path.splitext(name)[1]
    if ending in (".h5", ".hdf5", ".keras", ".pkl", ".pt"):
        raise WeightsFileError(f"{name}: weights are saved as .npz, NumPy's own format; change {ending} to .npz.")
    return name if ending == ".npz" else f"{name}.npz"


def exists(path: str) -> bool:
    """Is there such a file?"""
    return os.path.exists(path)


def save(path: Any, weights: Sequence[tuple[str, Array]]) -> None:
    """Writes named arrays, so that at every moment the old file or the new one is there in full.

    Args:
        path: the file; an old one is replaced.
        weights: names and NumPy arrays; names may repeat.
    """
    name = file_name(path)
    arrays: dict[str, Any] = {f"{k:03d}/{weight}": array for k, (weight, array) in enumerate(weights)}
    temporary = f"{name}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            np.savez(file, **{MARK: np.array(VERSION), **arrays})
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, name)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def load(path: Any) -> list[tuple[str, Array]]:
    """Reads what `save` wrote.

    Raises:
        WeightsFileError: there is no such file, or it is damaged, or not one of ours.
    """
    name = file_name(path)
    try:
        with open(name, "rb") as file:
            content = io.BytesIO(file.read())  # NumPy leaves a damaged file open
    except OSError as error:
        raise WeightsFileError(f"{name}: cannot be read: {error.strerror or error}.") from None
    try:
        archive = np.load(content, allow_pickle=False)
        arrays = {key: archive[key] for key in archive.files}
    except Exception as error:  # what a broken archive raises is nowhere said, and NumPy lets it pass
        raise WeightsFileError(f"{name}: is damaged, or is no .npz file ({error}).") from error
    if MARK not in arrays:
        held = ", ".join(sorted(arrays)[:4]) or "nothing"
        raise WeightsFileError(f"{name}: was not written by save_weights: it holds {held}, and not {MARK!r}.")
    if int(arrays.pop(MARK)) != VERSION:
        raise WeightsFileError(f"{name}: is of another version of minigrad; expected version {VERSION}.")
    return [(key.partition("/")[2], arrays[key]) for key in sorted(arrays)]


def check(path: Any, own: Sequence[tuple[str, tuple[int, ...]]], loaded: Sequence[tuple[str, Array]]) -> None:
    """Compares the weights of a file with those of a model: number, names and shapes.

    The numbers that make layers' names unique do not count: ``dense_3/kernel:0`` fits ``dense/kernel:0``.

    Raises:
        WeightsFileError: they are of another model.
    """
    if len(own) != len(loaded):
        hint = "" if own else " The model has not been built: call it on data first, or model.build(input_shape)."
        raise WeightsFileError(f"{path}: expected {len(own)} weights, got {len(loaded)}.{hint}")
    for (name, shape), (theirs, array) in zip(own, loaded, strict=True):
        if _unnumbered(name) != _unnumbered(theirs) or shape != array.shape:
            raise WeightsFileError(
                f"{path}: is of another model: expected {name} of shape {shape}, got {theirs} of shape {array.shape}."
            )


def _unnumbered(name: str) -> str:
    return re.sub(r"_\d+(?=/|$)", "", name)
