"""What can go wrong when weights move, so that a program can tell the cases apart."""

from __future__ import annotations

import os
from typing import Any

from minigrad.errors import DTypeError, MinigradError, shown


class ConversionError(MinigradError, ValueError):
    """Something cannot be moved without changing the numbers; the message says what, and why."""


class ForeignFileError(MinigradError, ValueError):
    """A file is missing, cut short, damaged, or of another kind."""


class MissingLibraryError(MinigradError, ImportError):
    """A file format needs a library that is not installed."""


def missing_library(where: str, library: str, extra: str) -> MissingLibraryError:
    """Returns the error for an optional library that is not there, with the command that mends it."""
    return MissingLibraryError(
        f"{where}: needs {library}, which is not installed. Run: python -m pip install 'minigrad-bptt[{extra}]'"
    )


def file_name(where: str, path: Any, order: str = "") -> str:
    """Returns a path as a string.

    Raises:
        DTypeError: it is none; `order` says which argument comes first, for those who exchanged two.
    """
    if not isinstance(path, (str, os.PathLike)):
        came = type(path).__name__ if hasattr(path, "__dict__") or isinstance(path, dict) else shown(path)
        raise DTypeError(f"{where}: expected `path`, the name of a file, got {came}.{order and ' ' + order}")
    return str(os.fspath(path))
