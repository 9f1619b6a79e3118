"""Files named by the caller: what is no name, and what cannot be read or written, says so."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from minigrad.convert.errors import ForeignFileError
from minigrad.engine.errors import DTypeError, shown
from minigrad.engine.files import FileError, write_atomically


def file_name(where: str, path: Any, order: str = "") -> str:
    """Returns a path as a string.

    Args:
        where: the function, for the message.
        path: the path.
        order: says which argument comes first, for those who exchanged two.

    Raises:
        DTypeError: it is no path.
    """
    if not isinstance(path, (str, os.PathLike)):
        came = type(path).__name__ if hasattr(path, "__dict__") or isinstance(path, dict) else shown(path)
        raise DTypeError(f"{where}: expected `path`, the name of a file, got {came}.{order and ' ' + order}")
    return str(os.fspath(path))


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Makes of what the system says to writing a file a ForeignFileError that names it."""
    try:
        yield
    except OSError as error:
        raise ForeignFileError(f"{name}: cannot be written: {error.strerror or error}.") from None


def write_whole(name: str, write: Callable[[BinaryIO], Any]) -> None:
    """Write a file as `write_atomically` does, in a folder that is there.

    Raises:
        ForeignFileError: it cannot be written.
    """
    with writing(name):
        os.stat(os.path.dirname(os.path.abspath(name)))
        try:
            write_atomically(name, write)
        except FileError as error:  # says so in a sentence already
            raise ForeignFileError(str(error)) from None
