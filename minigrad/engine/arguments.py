"""Checks of plain values: flags, numbers, names, texts. Each returns the value or raises an OptionError.

They are the checks of every function's arguments, of every constructor's options (`minigrad.engine.kinds`) and of the
options of the command line and of ``config.json`` (`minigrad.train.options`), so that one mistake has one message.
The first argument, `where`, begins the message: ``"random.bernoulli: `p`"``.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Container, Iterable
from numbers import Real
from operator import index
from typing import Any, cast

from minigrad.engine.errors import OptionError, axes_given, shown, unknown_name
from minigrad.engine.foreign import attempted

TEXTS = (str, bytes, bytearray, memoryview)
PLAIN = (str, Real, type(None))  # the types of choices; arrays compare element by element
POWERS = {2**31 - 1: "2³¹ − 1", 2**53: "2⁵³", 2**63 - 1: "2⁶³ − 1", 2**128: "2¹²⁸"}  # as messages show them


def _is_number(value: Any) -> bool:
    """Return whether the dtype of a value, if it has one, is of real numbers: no time, no complex number."""
    dtype = str(getattr(value, "dtype", "int"))
    return not isinstance(value, complex) and ("int" in dtype or "float" in dtype)


def flag(where: str, value: Any) -> bool:
    """Return True or False, for these or for 0 and 1, of Python or NumPy."""
    if value is True or value is False:
        return value
    known = hasattr(value, "__bool__") and attempted(lambda v: v in (True, False), value, False)
    if axes_given(value) or not known or not (_is_number(value) or str(value.dtype) == "bool"):
        raise OptionError(f"{where}: expected True or False, got {shown(value)}.")
    return bool(value)


def real(
    where: str,
    value: Any,
    minimum: float | None = None,
    maximum: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
    ceiling: float | None = None,
    infinite: bool = False,
    note: str = "",
) -> float:
    """Return a number within limits as Python's float.

    Args:
        where: the argument, for the message.
        value: a number of Python, NumPy or an array of shape ().
        minimum: the smallest number allowed.
        maximum: the largest number allowed.
        above: a limit that the number must exceed.
        below: a limit that the number must not reach.
        ceiling: a bound far above useful numbers; only the error for a larger number names it.
        infinite: whether an infinite number may pass; NaN never does.
        note: the end of the expected values in words.
    """
    x = _as_float(value)
    allowed = (
        not math.isnan(x)
        and (infinite or not math.isinf(x))
        and (minimum is None or x >= minimum)
        and (maximum is None or x <= maximum)
        and (above is None or x > above)
        and (below is None or x < below)
    )
    if not allowed or (ceiling is not None and x > ceiling):
        limited = any(limit is not None for limit in (minimum, maximum, above, below))
        noun = "a number" if infinite or (limited and not math.isinf(x)) else "a finite number"
        expected = noun + _limits(minimum, maximum, above, below) + _beyond(x, minimum, ceiling if allowed else None)
        raise OptionError(f"{where}: expected {expected}{note}, got {shown(value)}.")
    return x


def _as_float(value: Any) -> float:
    """Return a number as a float; NaN for all else, and for a tensor whose gradient would be lost."""
    if (
        getattr(value, "shape", False)
        or not _is_number(value)
        or isinstance(value, (bool, str, bytes))
        or getattr(value, "requires_grad", False)
    ):
        return math.nan
    if hasattr(value, "filled"):  # a masked number
        return math.nan
    number: float = attempted(float, value, math.nan)  # NaN for None, a list, 10**400
    return number


def whole(
    where: str,
    value: Any,
    minimum: int | None = None,
    maximum: int | None = None,
    *,
    ceiling: int | None = None,
    note: str = "",
) -> int:
    """Return a whole number of any kind, within limits, as Python's int; the arguments are those of `real`."""
    n: int | None = None if isinstance(value, bool) or getattr(value, "shape", False) else attempted(index, value)
    allowed = n is not None and (minimum is None or n >= minimum) and (maximum is None or n <= maximum)
    if n is None or not allowed or (ceiling is not None and abs(n) > ceiling):
        positive = (minimum, maximum) == (1, None)
        expected = "a positive integer" if positive else "a whole number" + _limits(minimum, maximum, None, None)
        expected += _beyond(n or 0, minimum, ceiling if allowed else None)
        raise OptionError(f"{where}: expected {expected}{note}, got {shown(value)}.")
    return n


def _limits(minimum: float | None, maximum: float | None, above: float | None, below: float | None) -> str:
    """Return the limits in words: " of 0 or more", " from 0 to below 1", " above 0"."""
    upper = None if maximum is None else _figure(maximum)
    upper = upper if below is None else f"below {_figure(below)}"
    if minimum is not None:
        return f" of {_figure(minimum)} or more" if upper is None else f" from {_figure(minimum)} to {upper}"
    if above is not None:
        return f" above {_figure(above)}" + ("" if upper is None else f" and {'' if below else 'up to '}{upper}")
    if upper is None:
        return ""
    return f" {upper}" if maximum is None else f" of {upper} or less"


def _beyond(x: float, minimum: float | None, ceiling: float | None) -> str:
    if ceiling is None:
        return ""
    return f" within ±{_figure(ceiling)}" if minimum is None else f", up to {_figure(ceiling)}"


def _figure(x: float) -> str:
    return (POWERS.get(x) or f"{x:,}") if isinstance(x, int) else f"{x:g}"


def choice(where: str, value: Any, allowed: Collection[Any], other: str = "") -> Any:
    """Return a value that is one of a few; `other` names, in words, further values that the caller accepts."""
    if isinstance(value, PLAIN) and _is_number(value) and value in allowed:
        return value
    texts = [each for each in allowed if isinstance(each, str)]
    nearest = difflib.get_close_matches(value, texts, n=1, cutoff=0.5) if isinstance(value, str) else []
    guess = f" Did you mean {nearest[0]!r}?" if nearest else ""
    listed = ", ".join(map(repr, allowed)) + (f", or {other}" if other else "")
    raise OptionError(f"{where}: expected one of {listed}, got {shown(value)}.{guess}")


def number(where: str, value: Any) -> float:
    """Return a finite number as Python's."""
    return real(where, value)


def non_negative(where: str, value: Any) -> float:
    """Return a finite number of 0 or more."""
    return abs(real(where, value, 0))  # NumPy refuses −0.0


def fraction(where: str, value: Any) -> float:
    """Return a number from 0 to 1."""
    return real(where, value, 0, 1)


def integer(where: str, value: Any) -> int:
    """Return a whole number of any kind as Python's int."""
    return value if type(value) is int else whole(where, value)


def seed(where: str, value: Any) -> int | None:
    """Return the seed of a random generator: a whole number, negative ones included, or None."""
    return None if value is None else whole(where, value, ceiling=2**128, note=" or None")


def at_least(where: str, value: Any, least: int) -> int:
    """Return a whole number from `least` up to 2⁶³ − 1 as Python's int."""
    return whole(where, value, least, ceiling=2**63 - 1)


def among(value: Any, known: Container[str]) -> bool:
    """Return whether a value is one of these names; arrays and lists are not."""
    return isinstance(value, str) and value in known


def name(where: str, value: Any, known: Collection[str], hint: str = "") -> str:
    """Return a name that is among the known ones."""
    if not among(value, known):
        raise unknown_name(where, value, known, hint)
    return cast(str, value)


def is_index(value: Any) -> bool:
    """Return whether a value is a whole number of Python, NumPy or an array of shape (), and no bool."""
    if isinstance(value, (bool, type)) or getattr(value, "shape", False):
        return False
    return attempted(index, value) is not None


def is_iterable(value: Any) -> bool:
    """Return whether a loop over a value has entries: a text counts as one value, and an array of shape () has none."""
    return isinstance(value, Iterable) and not isinstance(value, TEXTS) and getattr(value, "shape", None) != ()


def entries(values: Any) -> list[Any] | None:
    """Return the entries of an iterable in their order; None for a text, a set, a dictionary or a loop that raises."""
    if not is_iterable(values) or isinstance(values, (set, frozenset, dict)):
        return None
    found: list[Any] | None = attempted(list, values)
    return found


def listed(where: str, values: Any) -> list[Any]:
    """Return the entries of an iterable as a list."""
    found = entries(values)
    if found is None:
        raise OptionError(f"{where}: expected a list, got {shown(values)}.")
    return found


def function(where: str, value: Any) -> Callable[..., Any]:
    """Return a callable."""
    if not callable(value):
        raise OptionError(f"{where}: expected a function, got {shown(value)}.")
    return cast(Callable[..., Any], value)


def text(where: str, value: Any) -> str:
    """Return a string of characters that a file can hold."""
    if not isinstance(value, str) or not (value.isascii() or attempted(str.encode, value)):
        raise OptionError(f"{where}: expected a string, got {shown(value)}.")
    return value


def dictionary(where: str, value: Any) -> dict[str, Any]:
    """Return a dictionary whose keys are strings."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise OptionError(f"{where}: expected a dictionary with names as keys, got {shown(value)}.")
    return value
