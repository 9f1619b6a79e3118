"""Checks of plain arguments: flags, fractions, numbers. Each returns the value or raises an OptionError.

The first argument, `where`, begins the message: ``"random.bernoulli: `p`"``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Container, Iterable
from numbers import Real
from operator import index
from typing import Any, cast

from minigrad.engine.errors import OptionError, shown, unknown_name


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
    return abs(x)  # NumPy refuses −0.0


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


def at_least(where: str, value: Any, least: int) -> int:
    """Return a whole number from `least` up to 2⁶³ − 1 as Python's int."""
    n = integer(where, value)
    if not least <= n < 2**63:
        below = " and below 2⁶³" if n >= least else ""
        raise OptionError(f"{where}: expected a whole number of {least} or more{below}, got {shown(value)}.")
    return n


def among(value: Any, known: Container[str]) -> bool:
    """Return whether a value is one of these names; arrays and lists are not."""
    return isinstance(value, str) and value in known


def name(where: str, value: Any, known: Collection[str], hint: str = "") -> str:
    """Return a name that is among the known ones."""
    if not among(value, known):
        raise unknown_name(where, value, known, hint)
    return cast(str, value)


def listed(where: str, values: Any) -> list[Any]:
    """Return the entries of an iterable as a list; a text is none."""
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes)) or getattr(values, "shape", None) == ():
        raise OptionError(f"{where}: expected a list, got {shown(values)}.")
    return list(values)


def function(where: str, value: Any) -> Callable[..., Any]:
    """Return a callable."""
    if not callable(value):
        raise OptionError(f"{where}: expected a function, got {shown(value)}.")
    return cast(Callable[..., Any], value)


def text(where: str, value: Any) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise OptionError(f"{where}: expected a string, got {shown(value)}.")
    return value


def dictionary(where: str, value: Any) -> dict[str, Any]:
    """Return a dictionary whose keys are strings."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise OptionError(f"{where}: expected a dictionary with names as keys, got {shown(value)}.")
    return value
