"""Numbers within bounds."""

import numpy as np
import pytest

from minigrad.engine.errors import OptionError, shown
from minigrad.engine.kinds import at_least_0, below_1, count, integer, positive, text, unit


@pytest.mark.parametrize(
    ("kind", "value"), [(at_least_0, 0), (positive, 1e-9), (unit, 1.0), (below_1, 0.0), (count, 0), (integer, -1)]
)
def test_what_is_within_is_kept_as_it_is(kind, value):
    found = kind.read("SGD: `x`", value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("kind", "value"), [(at_least_0, np.float32(0.5)), (count, np.int64(3))])
def test_numbers_of_numpy_become_pythons(kind, value):
    assert type(kind.read("SGD: `x`", value)) in (int, float)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (at_least_0, -1, "a number of 0 or more"),
        (at_least_0, float("nan"), "a number of 0 or more"),
        (at_least_0, float("inf"), "a number of 0 or more"),
        (at_least_0, None, "a number of 0 or more"),
        (at_least_0, "1", "a number of 0 or more"),
        (at_least_0, True, "a number of 0 or more"),
        (at_least_0, np.ones(2), "a number of 0 or more"),
        (positive, 0, "a number above 0"),
        (unit, 1.1, "a number from 0 to 1"),
        (below_1, 1.0, "a number from 0 to below 1"),
        (count, -1, "a whole number of 0 or more"),
        (count, 1.5, "a whole number of 0 or more"),
        (integer, "a", "a whole number"),
        (text, 3, "a string"),
    ],
)
def test_what_is_not_is_named(kind, value, expected):
    with pytest.raises(OptionError) as caught:
        kind.read("SGD: `x`", value)
    assert str(caught.value) == f"SGD: `x`: expected {expected}, got {shown(value)}."
