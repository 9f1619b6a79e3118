"""What tasks have in common."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.train.task import Batch, bits, ends, log_softmax, standard_error
from minigrad.train.tasks.adding import Adding
from minigrad.train.tasks.temporal_order import TemporalOrder


def test_log_softmax_survives_large_scores():
    p = np.exp(log_softmax(np.array([[1e4, 1e4, -1e4]], np.float32)))
    np.testing.assert_allclose(p, [[0.5, 0.5, 0]])


def test_bits_count_only_where_the_weights_are_1():
    logits = np.log(np.array([[[0.5, 0.5], [0.25, 0.75], [1e-9, 1]]]))
    batch = Batch(None, np.array([[0, 0, 0]]), np.array([[1.0, 1.0, 0.0]]))
    assert bits(logits, batch) == pytest.approx(1.5)


def test_a_standard_error_is_how_much_means_of_new_values_differ():
    generator = np.random.default_rng(0)
    drawn = generator.exponential(3.0, size=(2000, 50))
    assert np.mean([standard_error(row) for row in drawn]) == pytest.approx(drawn.mean(axis=1).std(), rel=0.05)
    assert np.isnan(standard_error(np.array([1.0])))
    assert standard_error(np.array([True, True])) == 0


@pytest.mark.parametrize("kind", [Adding, TemporalOrder], ids=["lower is better", "higher is better"])
def test_to_beat_takes_two_standard_errors_in_the_right_sense(kind):
    task, sense = kind.__new__(kind), 1 if kind.higher_is_better else -1
    assert task.beats(5 + 0.21 * sense, 5.0, 0.1)
    assert not task.beats(5 + 0.19 * sense, 5.0, 0.1)
    assert not task.beats(5 - 0.21 * sense, 5.0, 0.1)
    assert not task.beats(5.0, 5.0, 0.0)
    assert not task.beats(5 + sense, 5.0, np.nan)
    assert not task.beats(np.nan, 5.0, 0.1)


def test_ends_are_the_last_steps_that_count():
    weights = np.array([[0, 1, 0], [1, 0, 1]])
    assert ends(np.array([[1, 2, 3], [4, 5, 6]]), weights).tolist() == [2, 6]
