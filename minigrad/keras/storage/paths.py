"""File names from the user, and the errors for those that cannot be used or written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from minigrad.engine.errors import DTypeError, shown
from minigrad.engine.files import FileError, is_path, write_atomically
from minigrad.keras.storage.errors import ForeignFileError


def file_name(where: str, path: Any, order: str = "") -> str:
    """Return a path as a string.

    Args:
        where: the function, for the message.
        path: the path.
        order: a hint at the order of the arguments, for the message.

    Raises:
        DTypeError: `path` is not a path.
    """
    if not is_path(path):
        given = type(path).__name__ if hasattr(path, "__dict__") or isinstance(path, dict) else shown(path)
        raise DTypeError(f"{where}: expected `path`, the name of a file, got {given}.{order and ' ' + order}")
    return str(os.fspath(path))


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Turn an OSError raised in the block into a ForeignFileError that names the file."""
    try:
        yield
    except OSError as error:
        raise ForeignFileError(f"{name}: cannot be written: {error.strerror or error}.") from None


def write_file(name: str, write: Callable[[BinaryIO], Any]) -> None:
    """Write a file with `write_atomically`, in an existing folder.

    Raises:
        ForeignFileError: it cannot be written.
    """
    with writing(name):
        os.stat(os.path.dirname(os.path.abspath(name)))
        try:
            write_atomically(name, write)
        except FileError as error:  # its message is complete
            raise ForeignFileError(str(error)) from None
