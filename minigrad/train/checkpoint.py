"""Checkpoints: named arrays and plain values in one ``.npz`` file, without pickle.

The values (options, generator states, position in the data …) are one JSON text, stored as an
array of bytes under the name ``about``. Any reader of NumPy's format can read a checkpoint:

    np.load("checkpoint.npz")["weights/0"]
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.errors import shown
from minigrad.engine.files import check_regular_file
from minigrad.engine.npz import read_arrays, write_arrays
from minigrad.engine.protocol import Array
from minigrad.train.errors import CheckpointError
from minigrad.train.json_files import parse

FORMAT, VERSION = "minigrad checkpoint", 1
ABOUT = "about"
MAX_BYTES = 1 << 32  # bytes
LAST, BEST = NAMES = ("checkpoint.npz", "best.npz")  # in the folder of a run


class Checkpoint(NamedTuple):
    """Content of a checkpoint.

    Attributes:
        about: plain values, as in JSON.
        arrays: NumPy arrays; names such as ``weights/0`` form groups.
    """

    about: dict[str, Any]
    arrays: dict[str, Array]

    def group(self, name: str) -> list[Array]:
        """Return the arrays ``name/0``, ``name/1``, … in order."""
        return [self.arrays[f"{name}/{k}"] for k in range(len(self.named(name)))]

    def named(self, name: str) -> dict[str, Array]:
        """Return the arrays ``name/…`` by the remainder of their names."""
        prefix = f"{name}/"
        return {key.removeprefix(prefix): array for key, array in self.arrays.items() if key.startswith(prefix)}


def grouped(**groups: list[Array]) -> dict[str, Array]:
    """Return the arrays of lists by name: ``weights=[a, b]`` gives ``weights/0`` and ``weights/1``."""
    return {f"{name}/{k}": array for name, arrays in groups.items() for k, array in enumerate(arrays)}


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically; equal content gives equal bytes."""
    about = {"format": FORMAT, "version": VERSION, **checkpoint.about}
    text = json.dumps(about, allow_nan=False).encode()
    write_arrays(path, {ABOUT: np.frombuffer(text, np.uint8), **checkpoint.arrays})


def load(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: the file is missing, is damaged, or comes from another program or a later version.
    """
    if not os.path.lexists(path):
        raise CheckpointError(f"{path}: there is no such checkpoint.{_advice(path)}")
    check_regular_file(path, CheckpointError, most=MAX_BYTES)
    arrays = read_arrays(path, CheckpointError, _advice(path))
    return Checkpoint(_about(path, arrays), arrays)


def _advice(path: Path) -> str:
    """Return advice, as the end of a message: use another checkpoint of the run, or start a new run."""
    others = [other for name in NAMES if (other := path.with_name(name)).exists() and other != path]
    return f" Name {others[0]} in its place, or start a new run." if others else " Start a new run."


def _about(path: Path, arrays: dict[str, Array]) -> dict[str, Any]:
    """Take the plain values out of the arrays, and check that minigrad wrote them."""
    foreign = CheckpointError(
        f"{path}: this NumPy archive was not written by minigrad: it holds "
        f"{', '.join(sorted(arrays)[:5]) or 'nothing'}, and no description that names the format "
        f"{FORMAT!r}.{_advice(path)}"
    )
    if ABOUT not in arrays or arrays[ABOUT].dtype != np.uint8:
        raise foreign
    try:
        about = parse(arrays.pop(ABOUT).tobytes())
    except ValueError:
        raise foreign from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise foreign
    if about.get("version") != VERSION:
        raise CheckpointError(
            f"{path}: expected a checkpoint of version {VERSION}, got {shown(about.get('version'))}. "
            "It was written by another version of minigrad; use that one."
        )
    return about
