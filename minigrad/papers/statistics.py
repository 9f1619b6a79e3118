"""The statistics of trials: bootstrap intervals, survival, and the verdict on a row."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Literal, NamedTuple

import numpy as np

Verdict = Literal["match", "order", "no", "undecided"]

RESAMPLES = 10_000
WIDTH = 0.2  # a match needs an interval within ±20 % of its mean
FACTOR = 2.0  # the same order: between half and twice the published mean


class Summary(NamedTuple):
    """The numbers of a row's trials.

    Attributes:
        mean: the mean number of sequences of the successful trials; NaN without any.
        low: the lower end of its 95 % interval.
        high: the upper end.
        successes: the number of trials that reached the milestone.
        trials: the number of all trials.
    """

    mean: float
    low: float
    high: float
    successes: int
    trials: int


def bootstrap(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the mean, by the percentiles of the means of resampled values.

    >>> bootstrap([5.0, 5.0, 5.0])
    (5.0, 5.0)
    """
    sample = np.asarray(values, float)
    which = np.random.default_rng(seed).integers(len(sample), size=(RESAMPLES, len(sample)))
    low, high = np.percentile(sample[which].mean(1), [2.5, 97.5])
    return float(low), float(high)


def proportion(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a probability by Wilson's score, which holds for few trials and for 0 of them too.

    >>> [round(end, 3) for end in proportion(0, 10)]
    [0.0, 0.278]
    """
    z, p = 1.959964, successes / trials
    middle, half = p + z * z / (2 * trials), z * sqrt(p * (1 - p) / trials + (z / (2 * trials)) ** 2)
    return max(0.0, (middle - half) / (1 + z * z / trials)), min(1.0, (middle + half) / (1 + z * z / trials))


def summary(steps: Sequence[int | None]) -> Summary:
    """Return the numbers of trials, whose `steps` are None where a trial reached its cap or failed.

    >>> summary([10, 10, None])
    Summary(mean=10.0, low=10.0, high=10.0, successes=2, trials=3)
    """
    done = [float(n) for n in steps if n is not None]
    if not done:
        return Summary(float("nan"), float("nan"), float("nan"), 0, len(steps))
    return Summary(float(np.mean(done)), *bootstrap(done), len(done), len(steps))


def verdict(published: float, trials: int, found: Summary) -> Verdict:
    """Return the verdict on a row. The rule is fixed before any run.

    undecided: fewer trials than the paper's. match: all trials successful, an interval no wider than ±20 %, with the
    published mean inside it. order: all successful, a mean between half and twice the published one. no: the rest.

    Args:
        published: the published mean.
        trials: the paper's number of trials.
        found: our numbers.
    """
    if found.trials < trials:
        return "undecided"
    if found.successes < found.trials:
        return "no"
    narrow = found.high - found.low <= 2 * WIDTH * found.mean
    if narrow and found.low <= published <= found.high:
        return "match"
    return "order" if published / FACTOR <= found.mean <= FACTOR * published else "no"


def survival(steps: Sequence[int | None]) -> tuple[list[int], list[float]]:
    """Return the numbers of sequences at which trials succeeded, and the part of all trials still unsuccessful then.

    All trials of a row have one cap, so this is the Kaplan-Meier estimate.

    >>> survival([20, None, 10, 20])
    ([10, 20], [0.75, 0.25])
    """
    done = sorted(n for n in steps if n is not None)
    times = sorted(set(done))
    return times, [1.0 - sum(n <= time for n in done) / len(steps) for time in times]
