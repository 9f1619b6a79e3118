"""A task's comparison of its metric with the baseline."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.train.tasks.adding import Adding
from minigrad.train.tasks.temporal_order import TemporalOrder


@pytest.mark.parametrize("kind", [Adding, TemporalOrder], ids=["lower is better", "higher is better"])
def test_to_beat_takes_two_standard_errors_in_the_right_sense(kind):
    task, sense = kind.__new__(kind), 1 if kind.higher_is_better else -1
    assert task.beats(5 + 0.21 * sense, 5.0, 0.1)
    assert not task.beats(5 + 0.19 * sense, 5.0, 0.1)
    assert not task.beats(5 - 0.21 * sense, 5.0, 0.1)
    assert not task.beats(5.0, 5.0, 0.0)
    assert not task.beats(5 + sense, 5.0, np.nan)
    assert not task.beats(np.nan, 5.0, 0.1)
