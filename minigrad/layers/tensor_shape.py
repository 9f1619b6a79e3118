"""TensorFlow's TensorShape, as the size of a state that is not a vector: ``state_size = TensorShape([2, 3])``."""

from __future__ import annotations

from math import prod
from operator import index
from typing import Any, Self, SupportsIndex, overload

from minigrad.engine import tree
from minigrad.engine.arguments import is_iterable
from minigrad.engine.errors import DTypeError, ShapeError, shown


class TensorShape(tree.Leaf):
    """The sizes of a tensor's axes: a tuple of whole numbers, with None for a size that is not known.

    As the size of a state or an output it stands for one tensor (batch, *sizes); a plain tuple stands for several.

    Args:
        dims: the sizes, or a single one. A shape with an unknown number of axes, TensorFlow's ``TensorShape(None)``, is
            not supported.

    Raises:
        DTypeError: (a TypeError) a size is neither a whole number nor None.
        ShapeError: a size is negative.

    >>> shape = TensorShape([2, None])
    >>> shape, shape + [4], shape.is_fully_defined(), shape == (2, None)
    (TensorShape([2, None]), TensorShape([2, None, 4]), False, True)
    """

    __slots__ = ()

    def __new__(cls, dims: Any = ()) -> Self:  # noqa: D102  (the class says it)
        sizes = dims if is_iterable(dims) else (dims,)
        return super().__new__(cls, [_read_size(size, dims) for size in sizes])

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self)

    ndims = rank

    def as_list(self) -> list[int | None]:
        """Return the sizes as a list."""
        return list(self)

    def is_fully_defined(self) -> bool:
        """Return whether all sizes are known."""
        return None not in self

    def num_elements(self) -> int | None:
        """Return the number of elements, or None if a size is not known."""
        return prod(self) if self.is_fully_defined() else None

    def is_compatible_with(self, other: Any) -> bool:
        """Return whether both have the same sizes wherever both are known."""
        theirs = TensorShape(other)
        pairs = zip(self, theirs, strict=False)
        return len(self) == len(theirs) and all(a is None or b is None or a == b for a, b in pairs)

    def concatenate(self, other: Any) -> TensorShape:
        """Return the axes of this shape followed by those of another."""
        return TensorShape([*self, *TensorShape(other)])

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape(other).concatenate(self)

    @overload
    def __getitem__(self, key: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> TensorShape: ...
    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return TensorShape(found) if isinstance(key, slice) else found

    def __eq__(self, other: object) -> bool:
        return super().__eq__(tuple(other) if isinstance(other, list) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tree.Leaf.__hash__

    def __repr__(self) -> str:
        return f"TensorShape({list(self)})"

    def __str__(self) -> str:
        return str(tuple(self))


def _read_size(size: Any, dims: Any) -> int | None:
    if size is None and dims is not None:
        return None
    try:
        found = index(size)
    except TypeError:
        raise DTypeError(
            f"TensorShape: expected `dims`, whole numbers, with None for a size that is not known, got {shown(dims)}."
        ) from None
    if found < 0:
        raise ShapeError(f"TensorShape: expected `dims` of 0 or more, got {shown(dims)}.")
    return found


def axes_of(size: Any) -> tuple[Any, ...]:
    """Return the axes after the batch axis of a state or an output: those of a TensorShape, or the one of a number.

    Raises:
        ShapeError: a size of the TensorShape is not known.
    """
    if not isinstance(size, TensorShape):
        return (size,)
    if None in size:
        raise ShapeError(
            f"expected `state_size` and `output_size` of known sizes, got {size!r}. Write numbers for None."
        )
    return tuple(size)
