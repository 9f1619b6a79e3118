"""Files that are whole or not there at all, and named arrays in such files.

Arrays go into NumPy's ``.npz``, without pickle, so that whatever reads NumPy's format can read them, and nothing that
is read can run anything.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from os import PathLike
from typing import Any, BinaryIO

import numpy as np  # noqa: TID251  (what goes into a file is host arrays)

from minigrad.backend.protocol import Array
from minigrad.errors import MinigradError

ZIP = b"PK"  # how an .npz begins


class FileError(MinigradError, OSError):
    """A file cannot be written."""


def cannot_write(path: Any, error: OSError) -> FileError:
    """Returns the error that says so in a sentence."""
    return FileError(
        f"{path}: cannot be written: {error.strerror or error}. Choose a place that can be written to, or make room "
        "there."
    )


def write_atomically(path: str | PathLike[str], write: Callable[[BinaryIO], Any]) -> None:
    """Writes a file so that at every moment the old one or the new one is there in full.

    The new content goes to a temporary file in the same folder, to the disk (fsync), and then takes the old one's name,
    which the file system does in one move. A folder that is not there is made.

    Args:
        path: the file to make or to replace.
        write: writes the content to an open binary file.

    Raises:
        FileError: it cannot be written. What was there before is unchanged.
    """
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    try:
        os.makedirs(folder, exist_ok=True)
        try:
            with open(temporary, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
        _sync_folder(folder)
    except OSError as error:
        raise cannot_write(path, error) from None


def _sync_folder(folder: str) -> None:
    """The new name is safe once the folder is on the disk too; Windows has no such call."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_arrays(path: str | PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Writes named NumPy arrays, atomically; the same arrays give the same bytes."""
    write_atomically(path, lambda file: np.savez(file, **arrays))


def read_arrays(path: str | PathLike[str], error: type[MinigradError], advice: str = "") -> dict[str, Array]:
    """Reads what `write_arrays` wrote.

    Args:
        path: the file.
        error: what to raise.
        advice: what to do about a file that is none, or damaged.

    Raises:
        MinigradError: the file cannot be read, is no ``.npz``, or is damaged; an `error`, in fact.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()  # from memory, for NumPy leaves a damaged file open
    except OSError as failure:
        raise error(f"{path}: cannot be read: {failure.strerror or failure}.") from None
    if not content.startswith(ZIP):
        raise error(f"{path}: is no .npz file: expected {ZIP!r} at its beginning, got {content[:8]!r}.{advice}")
    try:
        archive = np.load(io.BytesIO(content), allow_pickle=False)
        arrays = {name: archive[name] for name in archive.files}
    except Exception as failure:  # what a broken archive raises is nowhere said
        raise error(f"{path}: is damaged, or holds more than plain arrays.{advice}") from failure
    foreign = [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]
    if foreign:
        raise error(f"{path}: is an archive of another program: it holds {foreign[0]!r}, which is no array.{advice}")
    return arrays
