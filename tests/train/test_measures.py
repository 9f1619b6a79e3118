"""Measures that the tasks share."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.train.batch import Batch
from minigrad.train.measures import bits, ends, log_softmax, standard_error


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


def test_ends_are_the_last_steps_that_count():
    weights = np.array([[0, 1, 0], [1, 0, 1]])
    assert ends(np.array([[1, 2, 3], [4, 5, 6]]), weights).tolist() == [2, 6]
