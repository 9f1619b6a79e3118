"""Errors of conversions, one class for each kind that a program may handle."""

from __future__ import annotations

from minigrad.engine.errors import MinigradError


class ConversionError(MinigradError, ValueError):
    """Raised for a conversion that would change the outputs; the message names the option or array, and the reason."""


class ForeignFileError(MinigradError, ValueError):
    """Raised for a file that is missing, cut short, damaged, or of another kind."""


class MissingLibraryError(MinigradError, ImportError):
    """Raised if a file format needs a library that is not installed."""


def missing_library(where: str, library: str, extra: str) -> MissingLibraryError:
    """Return the error for an optional library that is not installed, with the command that installs it."""
    return MissingLibraryError(
        f"{where}: needs {library}, which is not installed. Run: python -m pip install 'minigrad-bptt[{extra}]'"
    )
