"""Signatures of calls: inputs that a layer has checked and need not check again.

A check of a layer's inputs depends on their shape and dtype and on attributes of layers. A signature holds all of
these, the attributes by a version: an object that `renew` replaces whenever an attribute of any layer changes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

version = object()  # replaced, never changed: threads read it without a lock


class Signature(NamedTuple):
    """Inputs that a layer has checked, and the state of all layers at that time."""

    version: object
    shape: tuple[int, ...]
    dtype: Any


def renew() -> None:
    """Make all signatures so far invalid."""
    global version
    version = object()
