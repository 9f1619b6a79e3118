"""Metrics as means over all batches; the shapes decide the kind of accuracy, as in Keras."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ShapeError, UnknownNameError
from minigrad.keras import metrics


def test_a_mean_over_batches_is_the_mean_over_everything(backend):
    rng = np.random.default_rng(0)
    y, p, w = rng.normal(size=(3, 10, 4))
    metric = metrics.MeanSquaredError()
    for rows in (slice(0, 3), slice(3, 4), slice(4, 10)):
        metric.update_state(y[rows], p[rows], sample_weight=w[rows, 0] ** 2)
    expected = np.average(((y - p) ** 2).mean(-1), weights=w[:, 0] ** 2)
    assert float(metric.result()) == pytest.approx(expected)
    metric.reset_state()
    assert float(metric.result()) == 0.0
    assert float(metric(y, p)) == pytest.approx(((y - p) ** 2).mean())


def test_nothing_is_recorded():
    x = mg.tensor([[1.0]], requires_grad=True)
    mean = metrics.Mean()
    mean.update_state(x * 2.0)
    assert not mean.result().requires_grad


@pytest.mark.parametrize(
    ("metric", "y", "p", "expected"),
    [
        (metrics.BinaryAccuracy(), [[0.0], [1.0], [1.0]], [[0.4], [0.6], [0.5]], 2 / 3),
        (metrics.BinaryAccuracy(threshold=0.3), [[0.0], [1.0]], [[0.4], [0.6]], 1 / 2),
        (metrics.CategoricalAccuracy(), [[0, 1.0], [1.0, 0]], [[0.2, 0.8], [0.3, 0.7]], 1 / 2),
        (metrics.SparseCategoricalAccuracy(), [1, 0], [[0.2, 0.8], [0.3, 0.7]], 1 / 2),
        (metrics.SparseCategoricalAccuracy(), [[1], [0]], [[0.2, 0.8], [0.3, 0.7]], 1 / 2),
        (metrics.RootMeanSquaredError(), [[0.0], [0.0]], [[3.0], [4.0]], np.sqrt(12.5)),
        (metrics.MeanAbsoluteError(), [[0.0], [0.0]], [[3.0], [-4.0]], 3.5),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, metrics.Metric) else "",
)
def test_values(metric, y, p, expected):
    assert float(metric(y, p)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("y_shape", "p_shape", "accuracy", "crossentropy"),
    [
        ((4, 1), (4, 1), "binary_accuracy", "binary_crossentropy"),
        ((4, 3), (4, 3), "categorical_accuracy", "categorical_crossentropy"),
        ((4, 1), (4, 3), "sparse_categorical_accuracy", "sparse_categorical_crossentropy"),
        ((4, 5), (4, 5, 3), "sparse_categorical_accuracy", "sparse_categorical_crossentropy"),
    ],
)
def test_accuracy_is_told_from_the_shapes(y_shape, p_shape, accuracy, crossentropy):
    y, p = mg.zeros(y_shape), mg.zeros(p_shape)
    for word, expected in (("accuracy", accuracy), ("acc", accuracy), ("crossentropy", crossentropy)):
        metric = metrics.for_output(word, y, p)
        assert metric.name == word
        assert metric._fn is metrics.get(expected)


def test_names_and_configurations():
    assert metrics.get("mse") is mg.keras.losses.mean_squared_error
    assert isinstance(metrics.get("MeanSquaredError"), metrics.MeanSquaredError)
    assert isinstance(metrics.get("mean"), metrics.Mean)
    metric = metrics.BinaryAccuracy(threshold=0.3, name="close")
    again = metrics.deserialize(metrics.serialize(metric))
    assert (again.threshold, again.name) == (0.3, "close")


def test_bad_input_is_named():
    with pytest.raises(UnknownNameError, match="Did you mean 'accuracy'"):
        metrics.get("acuracy")
    with pytest.raises(
        ShapeError, match=r"expected `y_true` of shape \(4,\) for `y_pred` of shape \(4, 2\), got \(3,\)"
    ):
        metrics.sparse_categorical_accuracy(np.zeros(3, int), np.zeros((4, 2)))
    with pytest.raises(NotImplementedError, match="must define update_state"):
        metrics.Metric().update_state([1.0], [1.0])
