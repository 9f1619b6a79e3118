"""Bootstrap, verdict and survival on scripted trials."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.papers.statistics import Summary, bootstrap, summary, survival, verdict


def test_the_bootstrap_interval_of_a_known_distribution() -> None:
    """Mean ± 1.96 standard errors for 400 normal numbers, up to a few percent of the width."""
    sample = np.random.default_rng(1).normal(100.0, 10.0, 400)
    low, high = bootstrap(sample.tolist())
    error = 1.96 * sample.std() / 20
    assert low == pytest.approx(sample.mean() - error, abs=0.06 * error)
    assert high == pytest.approx(sample.mean() + error, abs=0.06 * error)


def test_the_interval_covers_the_true_mean_of_skewed_trials() -> None:
    """Exponential times of 20 trials: about 90 % of the intervals hold the mean; never fewer than 80 %."""
    random = np.random.default_rng(2)
    intervals = [bootstrap(random.exponential(1.0, 20).tolist(), seed) for seed in range(100)]
    assert sum(low <= 1.0 <= high for low, high in intervals) >= 80


def test_the_bootstrap_is_the_same_each_time() -> None:
    assert bootstrap([1.0, 2.0, 7.0]) == bootstrap([1.0, 2.0, 7.0])


NARROW = Summary(100.0, 90.0, 110.0, 10, 10)
VERDICTS = {
    "inside a narrow interval": (105.0, NARROW, "match"),
    "on its edge": (110.0, NARROW, "match"),
    "outside of it": (111.0, NARROW, "order"),
    "inside a wide interval": (105.0, NARROW._replace(low=75.0, high=120.0), "order"),
    "exactly as wide as allowed": (105.0, NARROW._replace(low=80.0, high=120.0), "match"),
    "twice as large": (200.0, NARROW, "order"),
    "more than twice": (201.0, NARROW, "no"),
    "half": (50.0, NARROW, "order"),
    "less than half": (49.0, NARROW, "no"),
    "one trial at the cap": (105.0, NARROW._replace(successes=9), "no"),
    "fewer trials": (105.0, NARROW._replace(successes=9, trials=9), "undecided"),
    "fewer trials, one at the cap": (105.0, NARROW._replace(successes=8, trials=9), "undecided"),
    "more trials": (105.0, NARROW._replace(successes=30, trials=30), "match"),
    "none successful": (105.0, summary([None] * 10), "no"),
}


@pytest.mark.parametrize(("published", "found", "expected"), VERDICTS.values(), ids=VERDICTS)
def test_verdicts(published: float, found: Summary, expected: str) -> None:
    assert verdict(published, 10, found) == expected


def test_a_summary() -> None:
    found = summary([10, 20, None, 30])
    assert (found.mean, found.successes, found.trials) == (20.0, 3, 4)
    assert 10.0 <= found.low < 20.0 < found.high <= 30.0
    assert np.isnan(summary([None, None]).mean)


def test_survival_counts_censored_trials_to_the_end() -> None:
    times, left = survival([30, 10, None, None, 10])
    assert times == [10, 30]
    assert left == pytest.approx([0.6, 0.4])
    assert survival([None]) == ([], [])
