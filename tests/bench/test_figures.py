"""Ratios of rounds, exponents, digits."""

from __future__ import annotations

import random

import pytest

from minigrad.bench.figures import Ratio, exponent, ratio, significant


def test_what_disturbs_a_whole_round_leaves_its_ratio():
    quiet = [1.0, 1.0, 1.0, 1.0, 1.0]
    load = [1.0, 30.0, 2.0, 7.0, 1.0]
    ours, theirs = (
        [2 * q * k for q, k in zip(quiet, load, strict=True)],
        [q * k for q, k in zip(quiet, load, strict=True)],
    )
    assert ratio(ours, theirs) == Ratio(2.0, 2.0, 2.0)


def test_it_is_the_median_of_ratios_not_the_ratio_of_medians():
    ours, theirs = [1.0, 20.0, 9.0], [1.0, 10.0, 30.0]
    assert ratio(ours, theirs).median == 1.0  # of 1, 2 and 0.3; the medians are 9 and 10


def test_the_middle_half():
    found = ratio([float(k) for k in range(1, 6)], [1.0] * 5)
    assert found == Ratio(low=2.0, median=3.0, high=4.0)


def test_one_round_is_its_own_middle():
    assert ratio([3.0], [2.0]) == Ratio(1.5, 1.5, 1.5)


def test_rounds_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0], [1.0, 2.0])


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 1.9, 3.0])
def test_an_exponent_is_found_again(p):
    sizes = [50, 100, 200, 400, 800]
    assert exponent(sizes, [7e-4 * n**p for n in sizes]) == pytest.approx(p, abs=1e-12)


def test_an_exponent_under_noise():
    source = random.Random(0)
    sizes = [2**k for k in range(4, 12)]
    values = [n**1.5 * source.uniform(0.9, 1.1) for n in sizes]
    assert exponent(sizes, values) == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize(
    ("x", "text"),
    [(0.0123456, "0.0123"), (1.0, "1.00"), (12.34, "12.3"), (99999.0, "99999"), (0.0, "0"), (-0.5, "-0.500")],
)
def test_three_digits(x, text):
    assert significant(x) == text
