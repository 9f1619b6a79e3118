"""The adding problem."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.train.tasks.adding import Adding, AddingOptions


@pytest.fixture(scope="module")
def task():
    return Adding(AddingOptions(length=11, batch=4))


def test_one_marker_in_each_half_and_the_sum_at_the_end(task):
    inputs, targets, weights, fresh = task.draw(np.random.default_rng(0), 2000)
    assert inputs.shape == (2000, 11, 2)
    assert fresh
    assert (inputs[:, :5, 1].sum(1) == 1).all()
    assert (inputs[:, 5:, 1].sum(1) == 1).all()
    assert (inputs[:, :, 1].sum(0) > 0).all()  # each place is drawn
    assert inputs[..., 0].min() >= 0
    assert inputs[..., 0].max() < 1
    np.testing.assert_allclose(targets[:, -1, 0], (inputs[..., 0] * inputs[..., 1]).sum(1))
    assert (weights.sum(1) == 1).all()
    assert (weights[:, -1] == 1).all()


def test_the_baseline_is_what_the_mean_gets(task):
    drawn = task.draw(np.random.default_rng(0), 50_000)
    mse = task.measure(np.ones_like(drawn.targets), drawn)["mean_squared_error"]
    assert mse == pytest.approx(task.baseline().value, rel=0.02)
    assert task.baseline().value == pytest.approx(1 / 6)


def test_who_knows_the_answer_has_no_error(task):
    drawn = task.validation
    assert task.measure(drawn.targets, drawn) == {"mean_squared_error": 0.0, "accuracy": 1.0, "standard_error": 0.0}


def test_an_example_names_the_steps(task):
    drawn = task.draw(np.random.default_rng(0), 1)
    first, second = np.flatnonzero(drawn.inputs[0, :, 1]) + 1
    text = task.example(drawn.targets, drawn)
    assert f"(step {first})" in text
    assert f"(step {second})" in text
    assert text.endswith(f"the model outputs {drawn.targets[0, -1, 0]:.2f}")
