"""Weights in a file: named arrays in one ``.npz``, whole or not there at all.

Anything that reads NumPy's format can read it: ``np.load("model.npz")["000/lstm/lstm_cell/kernel:0"]``. The entry
``sha256`` is the checksum of the others; see `minigrad.keras.files.checksum`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, TypeVar

from minigrad.backend.protocol import Array
from minigrad.errors import MinigradError
from minigrad.keras.files import Declared, read_arrays, write_arrays

T = TypeVar("T")

MARK, VERSION = "minigrad weights", 1
READERS = {
    **dict.fromkeys((".h5", ".hdf5", ".keras"), "load_keras(path, model)"),
    **dict.fromkeys((".pt", ".pth"), "from_torch_state_dict"),
    ".safetensors": "read_safetensors(path)",
}
"""What in `minigrad.convert` reads the files of others."""


class WeightsFileError(MinigradError, ValueError):
    """A file of weights is missing, damaged, another program's, or of another model."""


def file_name(path: Any) -> str:
    """Returns the path with ``.npz`` at its end.

    Raises:
        WeightsFileError: it is no path, or ends as other programs' files do.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise WeightsFileError(f"weights: expected the path of a file, got {path!r}.")
    name = str(os.fspath(path))
    ending = os.path.splitext(name)[1]
    if ending in READERS:
        raise WeightsFileError(
            f"{name}: weights are saved as .npz, NumPy's own format; change {ending} to .npz. What another program "
            f"wrote is read by minigrad.convert.{READERS[ending]}."
        )
    return name if ending == ".npz" else f"{name}.npz"


def save(path: str, weights: Sequence[tuple[str, Array]]) -> None:
    """Writes names and NumPy arrays; names may repeat."""
    arrays = {f"{k:03d}/{weight}": array for k, (weight, array) in enumerate(weights)}
    write_arrays(path, {MARK: VERSION, **arrays})


def load(path: str, own: Sequence[tuple[str, tuple[int, ...]]] | None = None) -> list[tuple[str, Array]]:
    """Reads what `save` wrote.

    Args:
        path: as `file_name` returns it. Where there is no such file, but one without the ``.npz``, it is that one.
        own: the names and shapes of a model's weights, with which those in the file are compared before they are read.

    Raises:
        WeightsFileError: there is no such file, or it is damaged, or not one of ours, or of another model.
    """
    bare = str(path).removesuffix(".npz")
    if not os.path.exists(path) and os.path.isfile(bare):
        path = bare

    advice = " Expected a file that save_weights wrote."
    mark = read_arrays(path, WeightsFileError, advice, check=lambda entries: _check_mark(path, entries), names=(MARK,))
    if str(mark[MARK]) != str(VERSION):
        raise WeightsFileError(
            f"{path}: is of another version of minigrad; expected version {VERSION} of such files, got {mark[MARK]}."
        )

    def compare(entries: Mapping[str, Declared]) -> None:
        if own is not None:
            check(path, own, _in_order({name: entry for name, entry in entries.items() if name != MARK}))

    wanted = sum(8 * prod(shape) for _, shape in own or ())
    arrays = read_arrays(path, WeightsFileError, advice, wanted, compare)
    del arrays[MARK]
    return _in_order(arrays)


def _check_mark(path: str, entries: Mapping[str, Declared]) -> None:
    if MARK not in entries or entries[MARK].shape != ():
        held = ", ".join(sorted(entries)[:4]) or "nothing"
        raise WeightsFileError(f"{path}: was not written by save_weights: it holds {held}, and not {MARK!r}.")


def _in_order(arrays: Mapping[str, T]) -> list[tuple[str, T]]:
    """The weights' own names, in the order of the numbers before them."""
    return [(key.partition("/")[2], arrays[key]) for key in sorted(arrays)]


def check(
    path: str, own: Sequence[tuple[str, tuple[int, ...]]], loaded: Sequence[tuple[str, Array | Declared]]
) -> None:
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
