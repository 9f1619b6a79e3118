"""Kinds of values of an option: how a value is read and checked, and how `get_config` shows it.

Plain values are here: flags, numbers within bounds, texts, choices. Layers, initializers, activations … define further
kinds in the modules of their classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from operator import index
from typing import Any, NamedTuple

from minigrad.engine import arguments
from minigrad.engine.errors import OptionError, shown

PLAIN = (str, Real, type(None))  # the types of choices; arrays compare element by element
LARGEST = 2**31  # a whole number of an option counts units, steps, epochs


class Kind(NamedTuple):
    """Conversion of an option's values: read and checked, and shown by `get_config`.

    Attributes:
        read: returns the value that the object stores, or raises; its first argument, ``"Class: argument"``, begins the
            message.
        plain: returns the value that `get_config` shows.
    """

    read: Callable[[str, Any], Any]
    plain: Callable[[Any], Any] = lambda value: value


def real(expected: str, allowed: Callable[[float], bool] = lambda x: True, infinite: bool = False) -> Kind:
    """Return the kind of numbers that pass a test.

    Args:
        expected: the numbers allowed, in words.
        allowed: the test.
        infinite: whether an infinite number may pass; NaN never does.
    """

    def read(where: str, value: Any) -> float:
        try:
            x = math.nan if isinstance(value, (bool, str, bytes)) or getattr(value, "shape", False) else float(value)
        except (TypeError, ValueError, OverflowError):  # None, a list, 10**400
            x = math.nan
        if math.isnan(x) or not (infinite or math.isfinite(x)) or not allowed(x):
            raise OptionError(f"{where}: expected {expected}, got {shown(value)}.")
        return value if type(value) is int else x

    return Kind(read)


def whole(expected: str, allowed: Callable[[int], bool] = lambda n: True) -> Kind:
    """Return the kind of whole numbers that pass a test; `expected` names them in words."""

    def read(where: str, value: Any) -> int:
        try:
            n = None if isinstance(value, bool) or getattr(value, "shape", False) else index(value)
        except TypeError:  # a float, a class
            n = None
        if n is None or not allowed(n):
            raise OptionError(f"{where}: expected {expected}, got {shown(value)}.")
        if abs(n) >= LARGEST:
            raise OptionError(f"{where}: expected {expected} below 2³¹, got {shown(value)}.")
        return n

    return Kind(read)


def choice(*allowed: Any) -> Kind:
    """Return the kind of values that are one of a few."""

    def read(where: str, value: Any) -> Any:
        if not isinstance(value, PLAIN) or value not in allowed:
            raise OptionError(f"{where}: expected one of {', '.join(map(repr, allowed))}, got {shown(value)}.")
        return value

    return Kind(read)


def optional(kind: Kind) -> Kind:
    """Return the same kind with None allowed."""
    return Kind(
        lambda where, value: None if value is None else kind.read(where, value),
        lambda value: None if value is None else kind.plain(value),
    )


def _axes(where: str, value: Any) -> Any:
    named = value if isinstance(value, (list, tuple)) else [value]
    if value is not None and not all(type(a) is int or _is_index(a) for a in named):
        raise OptionError(f"{where}: expected an axis, a whole number or a list of them, got {shown(value)}.")
    return value


def _is_index(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, (bool, type)) and not getattr(value, "shape", False)


anything = Kind(lambda where, value: value)
flag = Kind(arguments.flag)
text = Kind(arguments.text)
axes = Kind(_axes)

number = real("a number", infinite=True)
finite = real("a finite number")
non_negative = real("a number of 0 or more", lambda x: x >= 0, infinite=True)
at_least_0 = real("a number of 0 or more", lambda x: x >= 0)
at_least_1 = real("a number of 1 or more", lambda x: x >= 1)
positive = real("a number above 0", lambda x: x > 0)
unit = real("a number from 0 to 1", lambda x: 0 <= x <= 1)
below_1 = real("a number from 0 to below 1", lambda x: 0 <= x < 1)
fraction = real("a number from 0 to 1, the fraction to drop", lambda x: 0 <= x <= 1)

integer = whole("a whole number")
count = whole("a whole number of 0 or more", lambda n: n >= 0)
positive_int = whole("a positive integer", lambda n: n > 0)
