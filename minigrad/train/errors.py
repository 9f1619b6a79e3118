"""What can go wrong around a training run, so that a program can tell the cases apart.

The command line prints these as one or two sentences and ends with code 2; everything else is a
fault of minigrad's and keeps its traceback.
"""

from __future__ import annotations

from minigrad.engine.errors import DataError as DataError  # found here too
from minigrad.engine.errors import MinigradError
from minigrad.engine.errors import OptionError as OptionError


class RunError(MinigradError, RuntimeError):
    """A run folder cannot be used: it is in the way, is not a run, or holds another state."""


class CheckpointError(MinigradError, ValueError):
    """A checkpoint is damaged, or was not written by this program."""
