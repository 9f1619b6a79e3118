"""Files that are either whole or not there: what a power cut leaves behind can be read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from minigrad.train.errors import RunError


def write_atomically(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Writes a file so that at every moment the old one or the new one is there in full.

    The new content goes to a temporary file in the same folder, to the disk (fsync), and then takes
    the old one's name, which the file system does in one move.

    Args:
        path: the file to make or to replace.
        write: writes the content to an open binary file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """The new name is safe once the folder is on the disk too; Windows has no such call."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Writes values as JSON that a person can read, atomically."""
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, lambda file: _write_text(file, text))


def _write_text(file: BinaryIO, text: str) -> None:
    file.write(text.encode("utf-8"))


def read_json(path: Path) -> dict[str, Any]:
    """Returns the object in a JSON file.

    Raises:
        RunError: the file is missing, or is not a JSON object.
    """
    try:
        values = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except ValueError as error:  # not UTF-8, not JSON
        raise RunError(f"{path}: expected JSON, but: {error}.") from None
    if not isinstance(values, dict):
        raise RunError(f"{path}: expected a JSON object, got {type(values).__name__}.")
    return values
