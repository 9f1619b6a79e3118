"""Errors around a training run, one class for each kind that a program may handle.

The command line prints these in one or two sentences and exits with code 2. Every other error is a fault of minigrad
and keeps its traceback.
"""

from __future__ import annotations

from minigrad.engine.errors import DataError as DataError  # of the whole package; importable here too
from minigrad.engine.errors import MinigradError
from minigrad.engine.errors import OptionError as OptionError
from minigrad.engine.errors import shown as shortened  # noqa: F401 (its earlier name)


class RunError(MinigradError, RuntimeError):
    """Raised for a run folder that cannot be used: it is a file, is not a run, or holds another state."""


class CheckpointError(MinigradError, ValueError):
    """Raised for a checkpoint that is damaged, or that another program wrote."""
