"""Numbers within bounds, and texts, as constructors' arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minigrad.layers.options import Kind, OptionError


def real(expected: str, allowed: Callable[[float], bool]) -> Kind:
    """A finite number that must pass a test; `expected` says in words which do."""

    def read(where: str, value: Any) -> float:
        try:
            x = math.nan if isinstance(value, (bool, str, bytes)) else float(value)
        except (TypeError, ValueError):  # None, a list, an array of several numbers
            x = math.nan
        if not (math.isfinite(x) and allowed(x)):
            raise OptionError(f"{where}: expected {expected}, got {value!r}.")
        return value if type(value) is int else x

    return Kind(read)


def whole(expected: str, allowed: Callable[[int], bool]) -> Kind:
    """A whole number that must pass a test; `expected` says in words which do."""

    def read(where: str, value: Any) -> int:
        plain = hasattr(value, "__index__") and not getattr(value, "shape", ()) and not isinstance(value, bool)
        if not plain or not allowed(int(value)):
            raise OptionError(f"{where}: expected {expected}, got {value!r}.")
        return int(value)

    return Kind(read)


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise OptionError(f"{where}: expected a text, got {value!r}.")
    return value


text = Kind(_text)
at_least_0 = real("a number of 0 or more", lambda x: x >= 0)
at_least_1 = real("a number of 1 or more", lambda x: x >= 1)
positive = real("a number above 0", lambda x: x > 0)
unit = real("a number from 0 to 1", lambda x: 0 <= x <= 1)
below_1 = real("a number from 0 to below 1", lambda x: 0 <= x < 1)
count = whole("a whole number of 0 or more", lambda n: n >= 0)
integer = whole("a whole number", lambda n: True)
