"""Nested structures: lists, tuples, named tuples and dictionaries, whose keys are sorted. `tf.nest`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine import tree
from minigrad.engine.errors import ShapeError, shown


def _sorted(structure: Any) -> Any:
    if isinstance(structure, dict):
        return {key: _sorted(structure[key]) for key in sorted(structure)}
    if isinstance(structure, (list, tuple)) and not isinstance(structure, tree.Leaf):
        parts = [_sorted(part) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    return structure


def is_nested(structure: Any) -> bool:
    """Return whether a value is a list, a tuple or a dictionary."""
    return isinstance(structure, (list, tuple, dict)) and not isinstance(structure, tree.Leaf)


def flatten(structure: Any) -> list[Any]:
    """Return the leaves, those of dictionaries by their sorted keys."""
    return tree.leaves(_sorted(structure))


def map_structure(func: Callable[..., Any], *structure: Any, **without_effect: Any) -> Any:
    """Return the structure with func(leaf, …) in place of each leaf.

    Raises:
        ShapeError: the structures differ.
    """
    assert_same_structure(structure[0], structure[-1])
    return tree.map(func, *structure)


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """Return the structure with its leaves replaced by those of a list.

    Raises:
        ShapeError: there are more or fewer of them.
    """
    whole, flat = _sorted(structure), list(flat_sequence)
    if len(tree.leaves(whole)) != len(flat):
        raise ShapeError(
            f"nest.pack_sequence_as: expected {len(tree.leaves(whole))} leaves, those of {shown(structure)}, got "
            f"{len(flat)}."
        )
    return tree.unflatten(whole, flat)


def assert_same_structure(nest1: Any, nest2: Any, **without_effect: Any) -> None:
    """Raise unless both have the same structure.

    Raises:
        ShapeError: they differ.
    """
    if not tree.alike(nest1, nest2):
        raise ShapeError(f"nest: expected one structure, got {shown(nest1)} and {shown(nest2)}.")
