"""The copy memory problem."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.train.tasks.copy import BLANK, DELIMITER, Copy, CopyOptions


@pytest.fixture(scope="module")
def task():
    return Copy(CopyOptions(delay=7))


def test_sequences_are_as_defined(task):
    inputs, targets, weights, _ = task.draw(np.random.default_rng(0), 500)
    assert inputs.shape == targets.shape == (500, 27)  # T + 20
    assert (inputs[:, :10] < 8).all()
    assert (inputs[:, 10:16] == BLANK).all()  # T − 1 blanks
    assert (inputs[:, 16] == DELIMITER).all()
    assert (inputs[:, 17:] == BLANK).all()
    assert (targets[:, :17] == BLANK).all()  # T + 10 blanks
    np.testing.assert_array_equal(targets[:, 17:], inputs[:, :10])
    assert (weights == 1).all()
    assert set(np.unique(inputs[:, :10])) == set(range(8))


def test_the_baseline_is_what_blind_guesses_get(task):
    logits = np.full((*task.validation.inputs.shape, 9), -60.0)
    logits[:, :17, BLANK] = 60
    logits[:, 17:, :8] = 60
    measured = task.measure(logits, task.validation)
    assert measured["bits_per_symbol"] == pytest.approx(task.baseline().value)
    assert task.baseline().value == pytest.approx(10 * np.log2(8) / 27)


def test_who_remembers_has_no_loss(task):
    measured = task.measure(np.eye(9)[task.validation.targets] * 99, task.validation)
    nothing = pytest.approx(0)
    assert measured == {
        "bits_per_symbol": nothing, "recalled": 1, "whole_sequences": 1, "standard_error": nothing
    }  # fmt: skip


def test_an_example(task):
    drawn = task.draw(np.random.default_rng(0), 1)
    text = task.example(np.eye(9)[drawn.targets], drawn)
    assert text.endswith("(10 of 10)")
    assert "7 steps later" in text
