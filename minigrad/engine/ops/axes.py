"""Axes by number, counted from 0."""

from __future__ import annotations

from operator import index

from minigrad.engine.errors import DTypeError, ShapeError, shown
from minigrad.engine.foreign import attempted
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
        raise ShapeError(f"{what}: expected `{name}` to name different axes of {ndim}, which x has, got {shown(axis)}.")
    return counted


def whole(axis: int, what: str, name: str = "axis") -> int:
    """Return an axis as Python's int."""
    found = None if isinstance(axis, bool) or getattr(axis, "shape", False) else attempted(index, axis)
    if found is not None:
        return int(found)
    raise DTypeError(f"{what}: expected `{name}` to be a whole number, got {shown(axis)}.")


def read_axis(axis: Axis, what: str) -> Axis:
    """Return one axis or several as Python's ints; None stays None."""
    if axis is None or type(axis) is int:
        return axis
    return tuple([whole(a, what) for a in axis]) if isinstance(axis, (tuple, list)) else whole(axis, what)


def axis_of(axis: int, ndim: int, what: str, name: str = "axis") -> int:
    """Return one axis, counted from 0."""
    if type(axis) is int and 0 <= axis < ndim:
        return axis
    return axes_of((axis,), ndim, what, name)[0]
