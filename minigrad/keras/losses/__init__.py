"""Losses: functions that return one number for each example, and classes that reduce them to one. `tf.keras.losses`."""

from minigrad.keras.losses.catalogue import deserialize, get, serialize
from minigrad.keras.losses.classes import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    FunctionLoss,
    Hinge,
    Huber,
    KLDivergence,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    Poisson,
    Reduction,
    SparseCategoricalCrossentropy,
)
from minigrad.keras.losses.functions import (
    KLD,
    MAE,
    MSE,
    alike,
    binary_crossentropy,
    categorical_crossentropy,
    hinge,
    huber,
    in_float32,
    kl_divergence,
    kld,
    mae,
    mean_absolute_error,
    mean_squared_error,
    mse,
    poisson,
    same_dtype_and_shape,
    sparse_categorical_crossentropy,
    squeezed,
)

__all__ = [
    "KLD", "MAE", "MSE", "BinaryCrossentropy", "CategoricalCrossentropy", "FunctionLoss", "Hinge", "Huber",
    "KLDivergence", "Loss", "MeanAbsoluteError", "MeanSquaredError", "Poisson", "Reduction",
    "SparseCategoricalCrossentropy", "alike", "binary_crossentropy", "categorical_crossentropy", "deserialize", "get",
    "hinge", "huber", "in_float32", "kl_divergence", "kld", "mae", "mean_absolute_error", "mean_squared_error", "mse",
    "poisson", "same_dtype_and_shape", "serialize", "sparse_categorical_crossentropy", "squeezed",
]  # fmt: skip
