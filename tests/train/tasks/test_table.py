"""Properties of all tasks, and the table of them."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from minigrad.train.batch import Batch
from minigrad.train.errors import OptionError
from minigrad.train.task import GeneratedTask
from minigrad.train.tasks import TASKS, find

GENERATED = [name for name, task in TASKS.items() if issubclass(task, GeneratedTask)]


def test_the_tasks():
    assert list(TASKS) == ["text", "reber", "adding", "temporal-order", "copy", "series"]


def test_an_unknown_task_is_answered_with_the_nearest():
    with pytest.raises(OptionError, match=r"unknown name 'ading'\. Did you mean 'adding'\? Known are: adding, copy"):
        find("ading")


@pytest.mark.parametrize("name", TASKS)
def test_what_the_speed_counts_is_no_training_step(name):
    assert TASKS[name].items in ("characters", "symbols", "time steps", "values")


@pytest.mark.parametrize("name", TASKS)
def test_each_tells_its_definition_source_and_baseline(name):
    text = importlib.import_module(TASKS[name].__module__).__doc__
    assert "Source:" in text
    assert "Baseline:" in text


@pytest.mark.parametrize("name", GENERATED)
def test_the_same_generator_gives_the_same_data_and_the_seed_the_validation(name):
    kind = TASKS[name]
    task, same, other = (kind(kind.options_type(seed=seed)) for seed in (1, 1, 2))
    a, b = (t.batch(np.random.default_rng(7), 0) for t in (task, same))
    for left, right in zip(a, b, strict=True):
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(task.validation.inputs, same.validation.inputs)
    assert not np.array_equal(task.validation.inputs, other.validation.inputs)


@pytest.mark.parametrize("name", GENERATED)
def test_shapes_fit_together(name):
    kind = TASKS[name]
    task = kind(kind.options_type(batch=3))
    shape, drawn = task.shape(), task.batch(np.random.default_rng(0), 0)
    assert drawn.weights.shape == drawn.inputs.shape[:2]
    assert drawn.weights.dtype == np.float32
    if shape.symbols:
        assert drawn.inputs.max() < shape.inputs
    else:
        assert drawn.inputs.shape[2] == shape.inputs
    if shape.head == "classes":
        assert drawn.targets.shape == drawn.weights.shape
        assert drawn.targets.max() < shape.outputs
    else:
        assert drawn.targets.shape == (*drawn.weights.shape, shape.outputs)
    outputs = np.random.default_rng(0).normal(size=(*drawn.weights.shape, shape.outputs))
    measured = task.measure(outputs, drawn)
    assert all(type(value) is float for value in measured.values())
    assert task.metric in measured
    again = [task.measure(outputs[[k]], Batch(*(a[[k]] for a in drawn[:3])))[task.metric] for k in range(3)]
    assert np.mean(again) == pytest.approx(measured[task.metric])
    assert measured["standard_error"] == pytest.approx(np.std(again, ddof=1) / 3**0.5)
    assert task.better(task.baseline().value + 0.1, task.baseline().value) == kind.higher_is_better
