"""Axes by number, counted from 0."""

from __future__ import annotations

from operator import index

from minigrad.engine.errors import DTypeError, ShapeError, shown
from minigrad.engine.protocol import Axis


def axes_of(axis: Axis, ndim: int, what: str, name: str = "axis") -> tuple[int, ...]:
    """Return the axes that an argument names: one, several, or for None all.

    Args:
        axis: an int or a tuple of ints, those below 0 counted from the end; or None.
        ndim: the number of axes of the array.
        what: the function's name, for messages.
        name: the argument's name.

    Raises:
        ShapeError: there is no such axis, or it is named twice.

    >>> axes_of((-1, 0), 3, "sum")
    (2, 0)
    """
    if axis is None:
        return tuple(range(ndim))
    named = [whole(a, what, name) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    counted = tuple([a + ndim if a < 0 else a for a in named])
    if any(not 0 <= a < ndim for a in counted) or len(set(counted)) != len(counted):
        raise ShapeError(f"{what}: expected `{name}` to name different axes of {ndim}, which x has, got {axis}.")
    return counted


def whole(axis: int, what: str, name: str = "axis") -> int:
    """Return an axis as Python's int."""
    try:
        if type(axis) is int or not (isinstance(axis, bool) or getattr(axis, "shape", False)):
            return index(axis)
    except TypeError:
        pass
    raise DTypeError(f"{what}: expected `{name}` to be a whole number, got {shown(axis)}.")


def axis_of(axis: int, ndim: int, what: str, name: str = "axis") -> int:
    """Return one axis, counted from 0."""
    if type(axis) is int and 0 <= axis < ndim:
        return axis
    return axes_of((axis,), ndim, what, name)[0]
