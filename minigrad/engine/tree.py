"""Nested structures of tensors: lists, tuples, named tuples and dictionaries, with anything else as leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine.errors import ShapeError


class Leaf(tuple[Any, ...]):
    """A tuple that is one leaf of a structure."""

    __slots__ = ()


def leaves(structure: Any, where: str = "") -> list[Any]:
    """Return the leaves from left to right: 1, 2 and 3 for ``[1, (2, [3])]``; messages begin with `where`."""
    if isinstance(structure, dict):
        structure = structure.values()
    elif not isinstance(structure, (list, tuple)) or isinstance(structure, Leaf):
        return [structure]
    try:
        return [
            leaf
            for part in structure
            for leaf in (leaves(part, where) if isinstance(part, (list, tuple, dict)) else (part,))
        ]
    except RecursionError:
        before = f"{where}: " if where else ""
        raise ShapeError(
            f"{before}expected nested lists or dictionaries, got one that contains itself, or too many levels."
        ) from None


def leaves_like(structure: Any, other: Any) -> list[Any]:
    """Return the leaves of another structure in the order of this one: those of dictionaries by their keys.

    Where the keys differ, those leaves are missing.

    >>> leaves_like({"a": 0, "b": [0, 0]}, {"b": [2, 3], "a": 1})
    [1, 2, 3]
    """
    if isinstance(structure, dict):
        fits = isinstance(other, dict) and structure.keys() == other.keys()
        return [leaf for key in structure for leaf in leaves_like(structure[key], other[key])] if fits else []
    both = isinstance(structure, (list, tuple)) and isinstance(other, (list, tuple)) and len(structure) == len(other)
    if not both or isinstance(structure, Leaf):
        return leaves(other)
    return [leaf for part, others in zip(structure, other, strict=True) for leaf in leaves_like(part, others)]


def named_alike(structure: Any, other: Any, exact: bool = False) -> bool:
    """Return whether `other` has named tuples at the same places. Unless `exact`, plain tuples count; lists never."""
    fields = getattr(structure, "_fields", None)
    if getattr(other, "_fields", None) != fields and (exact or type(other) is not tuple):
        return False
    parts = structure if isinstance(structure, (list, tuple)) and not isinstance(structure, Leaf) else ()
    others = other if isinstance(other, (list, tuple)) and len(other) == len(parts) else [None] * len(parts)
    return all(named_alike(*both, exact) for both in zip(parts, others, strict=True))


def alike(structure: Any, other: Any) -> bool:
    """Return whether `map` can go through both: lists and tuples of equal length, dictionaries of equal keys."""
    if isinstance(structure, dict):
        return (
            isinstance(other, dict)
            and structure.keys() == other.keys()
            and all(alike(part, other[key]) for key, part in structure.items())
        )
    if not isinstance(structure, (list, tuple)) or isinstance(structure, Leaf):
        return not isinstance(other, (list, tuple, dict)) or isinstance(other, Leaf)
    several = isinstance(other, (list, tuple)) and len(other) == len(structure)
    return several and all(alike(*parts) for parts in zip(structure, other, strict=True))


def first(structure: Any, where: str = "") -> Any:
    """Return the leftmost leaf, or None where there is none; messages begin with `where`."""
    several = isinstance(structure, (list, tuple, dict)) and not isinstance(structure, Leaf)
    return next(iter(leaves(structure, where)), None) if several else structure


def map(function: Callable[..., Any], structure: Any, *others: Any) -> Any:  # noqa: A001  (callers write tree.map)
    """Return the structure with function(leaf, …) in place of each leaf.

    >>> map(lambda a, b: a + b, [1, (2, 3)], [10, (20, 30)])
    [11, (22, 33)]
    """
    try:
        if isinstance(structure, dict):
            return {key: map(function, part, *(o[key] for o in others)) for key, part in structure.items()}
        if isinstance(structure, (list, tuple)) and not isinstance(structure, Leaf):
            parts = [map(function, *together) for together in zip(structure, *others, strict=True)]
            return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    except RecursionError:
        leaves(structure)  # raises for a structure that contains itself; else the function is at fault
        raise
    return function(structure, *others)


def unflatten(structure: Any, flat: list[Any]) -> Any:
    """Return the structure with the leaves replaced, from left to right.

    >>> unflatten([0, (0, 0)], ["a", "b", "c"])
    ['a', ('b', 'c')]
    """
    remaining = iter(flat)
    return map(lambda _: next(remaining), structure)
