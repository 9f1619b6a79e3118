"""What tasks have in common."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.train.task import Batch, bits, ends, log_softmax


def test_log_softmax_survives_large_scores():
    p = np.exp(log_softmax(np.array([[1e4, 1e4, -1e4]], np.float32)))
    np.testing.assert_allclose(p, [[0.5, 0.5, 0]])


def test_bits_count_only_where_the_weights_are_1():
    logits = np.log(np.array([[[0.5, 0.5], [0.25, 0.75], [1e-9, 1]]]))
    batch = Batch(None, np.array([[0, 0, 0]]), np.array([[1.0, 1.0, 0.0]]))
    assert bits(logits, batch) == pytest.approx(1.5)


def test_ends_are_the_last_steps_that_count():
    weights = np.array([[0, 1, 0], [1, 0, 1]])
    assert ends(np.array([[1, 2, 3], [4, 5, 6]]), weights).tolist() == [2, 6]
