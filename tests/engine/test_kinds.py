"""Numbers within bounds."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import OptionError, shown
from minigrad.engine.kinds import (
    at_least_0,
    below_1,
    choice,
    count,
    finite,
    integer,
    number,
    positive,
    positive_int,
    real,
    seed,
    text,
    unit,
    whole,
)


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
        (at_least_0, float("inf"), "a finite number of 0 or more"),
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
        (integer, 2**31, "a whole number within ±2³¹ − 1"),
        (integer, -(2**31), "a whole number within ±2³¹ − 1"),
        (count, 2**31, "a whole number of 0 or more, up to 2³¹ − 1"),
        (positive_int, 0, "a positive integer"),
        pytest.param(positive_int, 10**5000, "a positive integer, up to 2³¹ − 1", id="many digits"),
        (whole(2, 9), 10, "a whole number from 2 to 9"),
        (whole(maximum=9), 10, "a whole number of 9 or less"),
        (real(above=0, maximum=9), 10, "a number above 0 and up to 9"),
        (real(above=0, below=9), 9, "a number above 0 and below 9"),
        (real(below=9), 9, "a number below 9"),
        (real(3, ceiling=10**6), 10**7, "a number of 3 or more, up to 1,000,000"),
        (finite, float("nan"), "a finite number"),
        (number, np.True_, "a number"),
        (number, mg.tensor(1.0, requires_grad=True), "a number"),
        (seed, 1.5, "a whole number or None"),
        (text, 3, "a string"),
    ],
)
def test_what_is_not_is_named(kind, value, expected):
    with pytest.raises(OptionError) as caught:
        kind.read("SGD: `x`", value)
    assert str(caught.value) == f"SGD: `x`: expected {expected}, got {shown(value)}."


@pytest.mark.parametrize("value", [0, -1, 2**64, -(2**128), np.int64(-3), None])
def test_what_a_seed_may_be(value):
    assert seed.read("SGD: `seed`", value) == value


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (choice("north", "south"), "nort", "one of 'north', 'south', got 'nort'. Did you mean 'north'?"),
        (choice("north", "south"), 3, "one of 'north', 'south', got 3."),
        (choice(0, 1, "auto"), 7, "one of 0, 1, 'auto', got 7."),
        (choice("a", other="module:Name"), "b:c", "one of 'a', or module:Name, got 'b:c'."),
    ],
)
def test_what_is_no_choice_is_named_with_the_nearest(kind, value, message):
    with pytest.raises(OptionError) as caught:
        kind.read("SGD: `x`", value)
    assert str(caught.value) == f"SGD: `x`: expected {message}"
    assert choice("a", other="a name with a colon", is_other=lambda text: ":" in text).read("", "b:c") == "b:c"
