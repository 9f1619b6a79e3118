"""Metrics: means over all batches of an epoch. `tf.keras.metrics`."""

from minigrad.keras.metrics.classes import (
    BinaryAccuracy,
    CategoricalAccuracy,
    LogCoshError,
    Mean,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanMetricWrapper,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Metric,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    check,
    copied,
    deserialize,
    for_output,
    get,
    reset_copy,
    serialize,
    sparse_categorical_accuracy,
)

__all__ = [
    "BinaryAccuracy", "CategoricalAccuracy", "LogCoshError", "Mean", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanMetricWrapper", "MeanSquaredError", "MeanSquaredLogarithmicError", "Metric",
    "RootMeanSquaredError", "SparseCategoricalAccuracy", "binary_accuracy", "categorical_accuracy", "check", "copied",
    "deserialize", "for_output", "get", "reset_copy", "serialize", "sparse_categorical_accuracy",
]  # fmt: skip
