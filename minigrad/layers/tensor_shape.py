"""TensorFlow's TensorShape, as the size of a state that is not a vector: ``state_size = TensorShape([2, 3])``."""

from __future__ import annotations

from math import prod
from operator import index
from typing import Any, Self, SupportsIndex, overload

from minigrad.engine import tree
from minigrad.engine.arguments import entries, is_iterable
from minigrad.engine.errors import DTypeError, ShapeError, shown
from minigrad.engine.foreign import attempted


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
        sizes = entries(dims) if is_iterable(dims) else (dims,)
        if sizes is None:
            raise DTypeError(f"TensorShape: expected `dims`, whole numbers, got {shown(dims)}.")
        return super().__new__(cls, [_read_size(size, dims) for size in sizes])

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self)

    ndims = rank

    @property
    def dims(self) -> list[Dimension]:
        """The sizes as TensorFlow 1 had them, each a `Dimension` with its `value`."""
        return [Dimension(size) for size in self]

    def as_list(self) -> list[int | None]:
        """Return the sizes as a list."""
        return list(self)

    def is_fully_defined(self) -> bool:
        """Return whether all sizes are known."""
        return None not in tuple(self)

    def num_elements(self) -> int | None:
        """Return the number of elements, or None if a size is not known."""
        return prod(self) if self.is_fully_defined() else None

    # --- two shapes, or a shape and a rank ----------------------------------------------------------------------------

    def is_compatible_with(self, other: Any) -> bool:
        """Return whether both have the same sizes wherever both are known; any shape is compatible with None."""
        theirs = self if other is None else TensorShape(other)
        pairs = zip(self, theirs, strict=False)
        return len(self) == len(theirs) and all(a is None or b is None or a == b for a, b in pairs)

    def merge_with(self, other: Any) -> TensorShape:
        """Return the shape with the sizes that at least one of the two knows; this one if `other` is None.

        >>> TensorShape([2, None, None]).merge_with([None, 3, None])
        TensorShape([2, 3, None])

        Raises:
            ShapeError: the shapes are not compatible.
        """
        self.assert_is_compatible_with(other)
        theirs = self if other is None else TensorShape(other)
        return TensorShape([b if a is None else a for a, b in zip(self, theirs, strict=True)])

    def with_rank(self, rank: int) -> TensorShape:
        """Return this shape; a ShapeError unless it has that number of axes."""
        return self._checked(len(self) == _known_size(rank), f"a shape of rank {rank}")

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """Return this shape; a ShapeError if it has fewer axes."""
        return self._checked(len(self) >= _known_size(rank), f"a shape of rank {rank} or more")

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """Return this shape; a ShapeError if it has more axes."""
        return self._checked(len(self) <= _known_size(rank), f"a shape of rank {rank} or less")

    def assert_has_rank(self, rank: int) -> None:
        """Raise a ShapeError unless the shape has that number of axes."""
        self.with_rank(rank)

    def assert_same_rank(self, other: Any) -> None:
        """Raise a ShapeError unless both shapes have the same number of axes; None has any."""
        theirs = self if other is None else TensorShape(other)
        self._checked(len(self) == len(theirs), f"a shape of the rank of {theirs}")

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise a ShapeError unless both shapes are the same wherever both are known."""
        self._checked(self.is_compatible_with(other), f"a shape compatible with {other}")

    def assert_is_fully_defined(self) -> None:
        """Raise a ShapeError if a size is not known."""
        self._checked(self.is_fully_defined(), "a shape of known sizes")

    def _checked(self, fits: bool, expected: str) -> TensorShape:
        if not fits:
            raise ShapeError(f"TensorShape: expected {expected}, got {self}.")
        return self

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

    def __bool__(self) -> bool:
        return True  # as in TensorFlow, where only a shape of unknown rank is False

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int):
            other = (other,)
        return super().__eq__(tuple(other) if isinstance(other, list) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tree.Leaf.__hash__

    def __repr__(self) -> str:
        return f"TensorShape({list(self)})"

    def __str__(self) -> str:
        return str(tuple(self))


class Dimension:
    """A size of a TensorShape as TensorFlow 1 had it: ``shape.dims[1].value``.

    Attributes:
        value: the size, or None if it is not known.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = _read_size(value, [value])

    def __index__(self) -> int:
        if self.value is None:
            raise DTypeError("Dimension: expected a known size, got None. Check `value` first.")
        return self.value

    __int__ = __index__

    def __eq__(self, other: object) -> bool:
        return bool(self.value == getattr(other, "value", other))

    __hash__ = None  # type: ignore[assignment]  # it equals a number or None

    def __repr__(self) -> str:
        return f"Dimension({self.value})"


def _read_size(size: Any, dims: Any) -> int | None:
    size = size.value if isinstance(size, Dimension) else size
    if size is None and dims is not None:
        return None
    found: int | None = None if isinstance(size, bool) else attempted(index, size)
    if found is None:
        raise DTypeError(
            f"TensorShape: expected `dims`, whole numbers, with None for a size that is not known, got {shown(dims)}."
        )
    if found < 0:
        raise ShapeError(f"TensorShape: expected `dims` of 0 or more, got {shown(dims)}.")
    return found


def _known_size(size: Any) -> int:
    return _read_size(size, size) or 0  # without a size it raises


def axes_of(size: Any) -> tuple[Any, ...]:
    """Return the axes after the batch axis of a state or an output: those of a TensorShape, or the one of a number.

    Raises:
        ShapeError: a size of the TensorShape is not known.
    """
    if not isinstance(size, TensorShape):
        return (size,)
    if None in size:
        raise ShapeError(
            f"expected `state_size` and `output_size` of known sizes, got {shown(size)}. Write numbers for None."
        )
    return tuple(size)
