"""Checks of plain arguments: flags, fractions, numbers. Each returns the value or raises an OptionError.

The first argument, `where`, begins the message: ``"random.bernoulli: `p`"``.
"""

from __future__ import annotations

import math
from numbers import Real
from operator import index
from typing import Any

from minigrad.engine.errors import OptionError, shown


def flag(where: str, value: Any) -> bool:
    """Return True or False, for these or for 0 and 1, of Python or NumPy."""
    if value is True or value is False:
        return value
    if getattr(value, "shape", ()) or not (hasattr(value, "__bool__") and value in (True, False)):
        raise OptionError(f"{where}: expected True or False, got {shown(value)}.")
    return bool(value)


def number(where: str, value: Any) -> float:
    """Return a finite number as Python's."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise OptionError(f"{where}: expected a finite number, got {shown(value)}.")
    return float(value)


def non_negative(where: str, value: Any) -> float:
    """Return a finite number from 0 on."""
    x = number(where, value)
    if x < 0:
        raise OptionError(f"{where}: expected a number from 0 on, got {shown(value)}.")
    return x


def fraction(where: str, value: Any) -> float:
    """Return a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0.0 <= float(value) <= 1.0:
        raise OptionError(f"{where}: expected a number from 0 to 1, got {shown(value)}.")
    return float(value)


def integer(where: str, value: Any) -> int:
    """Return a whole number of any kind as Python's int."""
    try:
        if not isinstance(value, bool) and not getattr(value, "shape", ()):
            return index(value)
    except TypeError:
        pass
    raise OptionError(f"{where}: expected a whole number, got {shown(value)}.")
