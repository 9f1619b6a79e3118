"""Warm-up and cosine decay."""

from __future__ import annotations

import pytest

from minigrad.train.schedule import learning_rate


def test_up_then_down_to_the_final_share():
    rates = [learning_rate(t, 200, 0.01, 20, 0.1) for t in range(1, 201)]
    assert rates[0] == pytest.approx(0.01 / 20)
    assert max(rates) == rates[19] == 0.01
    assert rates[:20] == sorted(rates[:20])
    assert rates[19:] == sorted(rates[19:], reverse=True)
    assert rates[-1] == pytest.approx(0.001)


def test_a_short_run_warms_up_for_a_tenth_at_most():
    assert learning_rate(4, 40, 1.0, 50, 0.0) == 1.0


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_the_shortest_runs(steps):
    rates = [learning_rate(t, steps, 1.0, 50, 0.0) for t in range(1, steps + 1)]
    assert all(0 <= rate <= 1 for rate in rates)


def test_without_a_warmup():
    assert learning_rate(1, 10, 1.0, 0, 0.0) < 1.0
    assert learning_rate(11, 10, 1.0, 0, 0.5) == 0.5
