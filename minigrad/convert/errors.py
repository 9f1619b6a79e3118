"""What can go wrong when weights move, so that a program can tell the cases apart."""

from __future__ import annotations

from minigrad.engine.errors import MinigradError


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
