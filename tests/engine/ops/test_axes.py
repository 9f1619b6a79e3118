"""Axes by number."""

from __future__ import annotations

import numpy as np
import pytest

from engine_errors import DIFFERENT_AXES
from minigrad.engine.errors import ShapeError
from minigrad.engine.ops.axes import axes_of, axis_of


@pytest.mark.parametrize(
    ("axis", "expected"),
    [(None, (0, 1, 2)), (1, (1,)), (-1, (2,)), ((0, -1), (0, 2)), ([2, 0], (2, 0)), (np.int64(-2), (1,)), ((), ())],
)
def test_are_counted_from_zero(axis: object, expected: tuple[int, ...]) -> None:
    assert axes_of(axis, 3, "sum") == expected


@pytest.mark.parametrize("axis", [3, -4, (0, 3), (1, 1), (1, -2)])
def test_that_are_not_there_or_there_twice(axis: object) -> None:
    with pytest.raises(ShapeError, match=f"sum: expected `axis`{DIFFERENT_AXES}3"):
        axes_of(axis, 3, "sum")


def test_one() -> None:
    assert axis_of(-1, 2, "take") == 1
    with pytest.raises(ShapeError, match="take: "):
        axis_of(0, 0, "take")
