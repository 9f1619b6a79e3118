"""Kinds of values of an option: how a value is read and checked, and how `get_config` shows it.

Plain values are here: flags, numbers within bounds, texts, choices. Layers, initializers, activations … define further
kinds in the modules of their classes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from minigrad.engine import arguments
from minigrad.engine.errors import OptionError, shown

LARGEST = 2**31 - 1  # a whole number of an option counts units, steps, epochs


class Kind(NamedTuple):
    """Conversion of an option's values: read and checked, and shown by `get_config`.

    Attributes:
        read: returns the value that the object stores, or raises; its first argument, ``"Class: argument"``, begins the
            message.
        plain: returns the value that `get_config` shows.
    """

    read: Callable[[str, Any], Any]
    plain: Callable[[Any], Any] = lambda value: value


def real(minimum: float | None = None, maximum: float | None = None, **limits: Any) -> Kind:
    """Return the kind of numbers within limits, those of `arguments.real`; a whole number stays one."""

    def read(where: str, value: Any) -> float:
        x = arguments.real(where, value, minimum, maximum, **limits)
        return value if type(value) is int else x

    return Kind(read)


def whole(minimum: int | None = None, maximum: int | None = None, *, ceiling: int | None = LARGEST) -> Kind:
    """Return the kind of whole numbers within limits, those of `arguments.whole`."""
    return Kind(partial(arguments.whole, minimum=minimum, maximum=maximum, ceiling=ceiling))


def choice(*allowed: Any, other: str = "", is_other: Callable[[str], bool] = lambda text: False) -> Kind:
    """Return the kind of values that are one of a few.

    Args:
        allowed: the values.
        other: further texts allowed, in words.
        is_other: the test for those texts.
    """

    def read(where: str, value: Any) -> Any:
        return value if isinstance(value, str) and is_other(value) else arguments.choice(where, value, allowed, other)

    return Kind(read)


def optional(kind: Kind) -> Kind:
    """Return the same kind with None allowed."""
    return Kind(
        lambda where, value: None if value is None else kind.read(where, value),
        lambda value: None if value is None else kind.plain(value),
    )


def _axes(where: str, value: Any) -> Any:
    named = value if isinstance(value, (list, tuple)) else [value]
    if value is not None and not all(type(a) is int or arguments.is_index(a) for a in named):
        raise OptionError(f"{where}: expected an axis, a whole number or a list of them, got {shown(value)}.")
    return value


anything = Kind(lambda where, value: value)
flag = Kind(arguments.flag)
text = Kind(arguments.text)
seed = Kind(arguments.seed)
axes = Kind(_axes)

number = real(infinite=True)
finite = real()
non_negative = real(0, infinite=True)
at_least_0 = real(0)
at_least_1 = real(1)
positive = real(above=0)
unit = real(0, 1)
below_1 = real(0, below=1)
fraction = real(0, 1, note=", the fraction to drop")

integer = whole()
count = whole(0)
positive_int = whole(1)
