"""Statistics of times: medians, ratios, exponents."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Ratio(NamedTuple):
    """Median of the rounds' ratios, and their quartiles, a measure of its reliability."""

    low: float  # lower quartile
    median: float
    high: float  # upper quartile


def ratio(times: Sequence[float], others: Sequence[float]) -> Ratio:
    """Compare two contenders round by round.

    A disturbance of a round affects both, so the median of the ratios is steadier than the ratio of the medians.

    Args:
        times: times of one contender, round by round.
        others: times of the other, in the same rounds.

    >>> ratio([2.0, 4.0, 30.0], [1.0, 2.0, 10.0])
    Ratio(low=2.0, median=2.0, high=2.5)
    """
    ratios = [a / b for a, b in zip(times, others, strict=True)]
    if len(ratios) == 1:
        return Ratio(*ratios * 3)
    return Ratio(*statistics.quantiles(ratios, n=4, method="inclusive"))


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the p of value ≈ c · sizeᵖ: the slope of ln value over ln size, by least squares.

    Args:
        sizes: at least two that differ.
        values: above 0, one for each size.

    >>> exponent([1, 2, 4], [3.0, 12.0, 48.0])
    2.0
    """
    return statistics.linear_regression(list(map(math.log, sizes)), list(map(math.log, values))).slope


def significant(x: float, digits: int = 3) -> str:
    """Return a number with this many significant digits, never in powers of ten.

    >>> significant(0.012345), significant(1.5), significant(98765.4)
    ('0.0123', '1.50', '98765')
    """
    if x == 0 or not math.isfinite(x):
        return f"{x:g}"
    return f"{x:.{max(0, digits - 1 - math.floor(math.log10(abs(x))))}f}"
