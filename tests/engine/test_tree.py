"""Nested structures: what goes in comes out in the same places."""

from __future__ import annotations

from collections import namedtuple
from typing import Any, NamedTuple

import pytest

from minigrad.engine import tree


class Pair(NamedTuple):
    c: Any
    h: Any


STRUCTURES: list[Any] = [
    0,
    [0],
    (0, [1, (2,)], []),
    Pair(0, [1, 2]),
    {"b": 0, "a": 1, "c": (2, 3)},
    [{"b": Pair(0, 1), "a": 2}],
    {"a": 0, 1: 1},
]


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_there_and_back(structure: Any) -> None:
    flat = tree.leaves(structure)
    assert flat == list(range(len(flat)))
    again = tree.unflatten(structure, flat)
    assert again == structure
    assert type(again) is type(structure)
    assert tree.map(lambda a, b: a - b, structure, structure) == tree.unflatten(structure, [0] * len(flat))
    assert tree.first(structure) == 0


def test_dictionaries_meet_by_their_keys() -> None:
    assert tree.map(lambda a, b: (a, b), {"b": 1, "a": 0}, {"a": 10, "b": 11}) == {"b": (1, 11), "a": (0, 10)}
    assert tree.leaves_like({"b": 1, "a": 0}, {"a": 10, "b": 11}) == [11, 10]
    assert tree.leaves_like([{"b": 1, "a": (0, 0)}, 0], ({"a": [10, 12], "b": 11}, 13)) == [11, 10, 12, 13]
    for other in ({"a": 10}, {"a": 10, "c": 11}, [10, 11], 10):
        assert tree.leaves_like({"a": 0, "b": 1}, other) == []
    for other in ([10, 11, 12], (10, 11), Pair(10, 11), [10, [11]], 10):  # as they stand
        assert tree.leaves_like([0, 1], other) == tree.leaves(other)


def test_nothing_inside() -> None:
    assert tree.leaves([[], {}]) == []
    assert tree.first([[], ()]) is None


def test_structures_that_differ() -> None:
    with pytest.raises(ValueError, match="zip"):
        tree.map(lambda a, b: a, [1, 2], [1])
    with pytest.raises(KeyError):
        tree.map(lambda a, b: a, {"a": 1}, {"b": 1})


def test_named_tuples_are_told_from_others() -> None:
    pair, other = Pair, namedtuple("Other", "h c")  # noqa: PYI024
    for exact in (False, True):
        assert tree.named_alike(pair(1, 2), pair("c", "h"), exact)
        assert tree.named_alike((pair(1, 2), 3), [pair("c", "h"), "x"], exact)
        assert tree.named_alike((1, (2, 3)), ["a", ["b", "c"]], exact)
        for wrong in (["c", "h"], other("h", "c"), "c", [pair("c", "h")]):
            assert not tree.named_alike(pair(1, 2), wrong, exact)
        assert not tree.named_alike((pair(1, 2), 3), ["c", "h", "x"], exact)
        assert not tree.named_alike((1, 2), pair("c", "h"), exact)
    assert tree.named_alike(pair(1, 2), ("c", "h"))
    assert not tree.named_alike(pair(1, 2), ("c", "h"), exact=True)
    assert not tree.named_alike((pair(1, 2), 3), (("c", "h"), "x"), exact=True)
