"""What can go wrong around a training run, so that a program can tell the cases apart.

The command line prints these as one or two sentences and ends with code 2; everything else is a
fault of minigrad's and keeps its traceback.
"""

from __future__ import annotations

from minigrad.engine.errors import MinigradError


class OptionError(MinigradError, ValueError):
    """An option of a run has the wrong type, is out of range, or does not exist."""


class DataError(MinigradError, ValueError):
    """A file cannot be read, is not what it should be, or holds too little to train on."""


class RunError(MinigradError, RuntimeError):
    """A run folder cannot be used: it is in the way, is not a run, or holds another state."""


class CheckpointError(MinigradError, ValueError):
    """A checkpoint is damaged, or was not written by this program."""
