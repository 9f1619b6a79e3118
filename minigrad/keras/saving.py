"""Weights in a file: named arrays in one ``.npz``, written whole or not at all.

Any reader of NumPy's format can load it: ``np.load("model.npz")["000/lstm/lstm_cell/kernel:0"]``. The entry
``sha256`` is the checksum of the others; see `minigrad.engine.npz.checksum`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, TypeVar

from minigrad.engine.errors import MinigradError, shown
from minigrad.engine.files import is_path
from minigrad.engine.npz import Declared, read_arrays, write_arrays
from minigrad.engine.protocol import Array

T = TypeVar("T")

MARK, VERSION = "minigrad weights", 2
READABLE = (1, 2)  # version 1 stores frozen weights last, the order of `weights` at that time
READERS = {
    **dict.fromkeys((".h5", ".hdf5", ".keras"), "load_keras(path, model)"),
    **dict.fromkeys((".pt", ".pth"), "from_torch_state_dict"),
    ".safetensors": "read_safetensors(path)",
}
"""Ending of another program's file → the function of `minigrad.convert` that reads it."""


class WeightsFileError(MinigradError, ValueError):
    """Raised for a file of weights that is missing, damaged, of another program, or of another model."""


def file_name(path: Any) -> str:
    """Return the path with ``.npz`` at its end.

    Raises:
        WeightsFileError: it is not a path, or has the ending of another program's files.
    """
    if not is_path(path):
        raise WeightsFileError(f"weights: `filepath`: expected the path of a file, got {shown(path)}.")
    name = str(os.fspath(path))
    ending = os.path.splitext(name)[1]
    if ending in READERS:
        raise WeightsFileError(
            f"{name}: weights are saved as .npz, NumPy's own format; change {ending} to .npz. Files of "
            f"another program are read by minigrad.convert.{READERS[ending]}."
        )
    return name if ending == ".npz" else f"{name}.npz"


def save(path: str, weights: Sequence[tuple[str, Array]]) -> None:
    """Write names and NumPy arrays; names may repeat."""
    width = max(3, len(str(len(weights) - 1)))  # so that their order as text is that of the numbers
    arrays = {f"{k:0{width}d}/{weight}": array for k, (weight, array) in enumerate(weights)}
    write_arrays(path, {MARK: VERSION, **arrays})


def load(path: str, model: Sequence[tuple[str, tuple[int, ...]]] | None = None) -> list[tuple[str, Array]]:
    """Return the names and arrays that `save` wrote.

    Args:
        path: as `file_name` returns it. If there is no such file, but one without the ``.npz``, that one is read.
        model: the names and shapes of a model's weights; those in the file are compared with them before they are read.

    Raises:
        WeightsFileError: the file is missing, damaged, of another program, or of another model.
    """
    bare = str(path).removesuffix(".npz")
    if not os.path.exists(path) and os.path.isfile(bare):
        path = bare
    advice = " Expected a file that save_weights wrote."
    mark = read_arrays(path, WeightsFileError, advice, check=lambda entries: _check_mark(path, entries), names=(MARK,))
    version = str(mark[MARK])
    if version not in map(str, READABLE):
        known = " or ".join(map(str, READABLE))
        raise WeightsFileError(
            f"{path}: another version of minigrad wrote this file; expected version {known}, got {version}."
        )

    def in_model_order(found: Mapping[str, T]) -> list[tuple[str, T]]:
        loaded = in_order(path, {name: part for name, part in found.items() if name != MARK})
        return by_name([name for name, _ in model], loaded) if model is not None and version == "1" else loaded

    def compare(entries: Mapping[str, Declared]) -> None:
        if model is not None:
            check(path, model, in_model_order(entries))

    wanted = sum(8 * prod(shape) for _, shape in model or ())
    return in_model_order(read_arrays(path, WeightsFileError, advice, wanted, compare))


def _check_mark(path: str, entries: Mapping[str, Declared]) -> None:
    if MARK not in entries or entries[MARK].shape != ():
        held = ", ".join(sorted(entries)[:4]) or "nothing"
        raise WeightsFileError(f"{path}: save_weights did not write this file: expected an entry {MARK!r}, got {held}.")


def in_order(path: str, arrays: Mapping[str, T]) -> list[tuple[str, T]]:
    """Return the weights in the order of the numbers before their names, 2 before 10 and 999 before 1000.

    Raises:
        WeightsFileError: a number is missing, or occurs twice.
    """
    parts = [(*key.partition("/"), key) for key in arrays]
    numbered = {
        int(number): (name, arrays[key]) for number, _, name, key in parts if re.fullmatch(r"[0-9]{1,9}", number)
    }
    if len(numbered) < len(arrays) or set(numbered) != set(range(len(numbered))):
        wrong = next((key for number, _, _, key in parts if not re.fullmatch(r"[0-9]{1,9}", number)), None)
        listed = repr(wrong) if wrong else ", ".join(sorted(arrays)[:4])
        raise WeightsFileError(
            f"{path}: the file is damaged: expected names numbered from 0 to {len(arrays) - 1}, such as "
            f"'000/dense/kernel:0', got {listed}."
        )
    return [numbered[k] for k in range(len(numbered))]


def by_name(own: Sequence[str], loaded: Sequence[tuple[str, T]]) -> list[tuple[str, T]]:
    """Return loaded weights in the order of a model's names, if each name has its counterpart; else unchanged.

    Only the order of layers' numbers counts: ``dense_7`` and ``dense_9`` of a file are ``dense`` and ``dense_1`` of the
    model.
    """
    theirs = [name for name, _ in loaded]
    for keys, others in ((list(own), theirs), (_ranked(own), _ranked(theirs))):
        if len(set(keys)) == len(keys) and sorted(keys) == sorted(others):
            found = dict(zip(others, loaded, strict=True))
            return [found[key] for key in keys]
    return list(loaded)


def _ranked(names: Sequence[str]) -> list[str]:
    """Return the names with each layer's number replaced by its rank among layers of the same name."""
    split = [[(_unnumbered(part), int(_number(part))) for part in name.split("/")] for name in names]
    known: dict[str, set[int]] = {}
    for parts in split:
        for base, number in parts:
            known.setdefault(base, set()).add(number)
    ranks = {base: {number: k for k, number in enumerate(sorted(numbers))} for base, numbers in known.items()}
    return ["/".join(f"{base}_{ranks[base][number]}" for base, number in parts) for parts in split]


def _number(part: str) -> str:
    found = re.search(r"_(\d+)$", part)
    return found[1] if found else "-1"


def check(
    path: str, own: Sequence[tuple[str, tuple[int, ...]]], loaded: Sequence[tuple[str, Array | Declared]]
) -> None:
    """Compare the weights of a file with those of a model: number, names and shapes.

    The numbers that make layers' names unique are ignored: ``dense_3/kernel:0`` fits ``dense/kernel:0``.

    Raises:
        WeightsFileError: the file is of another model.
    """
    if len(own) != len(loaded):
        hint = "" if own else " The model has not been built: call it on data first, or model.build(input_shape)."
        raise WeightsFileError(f"{path}: expected {len(own)} weights, got {len(loaded)}.{hint}")
    for (name, shape), (theirs, array) in zip(own, loaded, strict=True):
        if _unnumbered(name) != _unnumbered(theirs) or shape != array.shape:
            raise WeightsFileError(
                f"{path}: the file is of another model: expected {name} of shape {shape}, got {theirs} of shape "
                f"{array.shape}."
            )


def _unnumbered(name: str) -> str:
    return re.sub(r"_\d+(?=/|$)", "", name)
