"""Initializers by the names of TensorFlow 1, with its defaults."""

from __future__ import annotations

from typing import Any

from minigrad.layers import initializers


def zeros_initializer(dtype: Any = None) -> Any:
    """Return the initializer of zeros."""
    return initializers.Zeros()


def ones_initializer(dtype: Any = None) -> Any:
    """Return the initializer of ones."""
    return initializers.Ones()


def constant_initializer(value: Any = 0, dtype: Any = None, verify_shape: bool = False) -> Any:
    """Return the initializer of one value, or of given numbers."""
    return initializers.Constant(value)


def random_uniform_initializer(
    minval: float = 0.0, maxval: float | None = None, seed: Any = None, dtype: Any = None
) -> Any:
    """Return the initializer of numbers evenly spread from 0 to 1 by default."""
    return initializers.RandomUniform(minval, 1.0 if maxval is None else maxval, seed)


def random_normal_initializer(mean: float = 0.0, stddev: float = 1.0, seed: Any = None, dtype: Any = None) -> Any:
    """Return the initializer of a normal distribution, of deviation 1 by default."""
    return initializers.RandomNormal(mean, stddev, seed)


def truncated_normal_initializer(mean: float = 0.0, stddev: float = 1.0, seed: Any = None, dtype: Any = None) -> Any:
    """Return the initializer of a normal distribution cut at two deviations, of deviation 1 by default."""
    return initializers.TruncatedNormal(mean, stddev, seed)


def glorot_uniform_initializer(seed: Any = None, dtype: Any = None) -> Any:
    """Return Glorot's uniform initializer."""
    return initializers.GlorotUniform(seed)


def glorot_normal_initializer(seed: Any = None, dtype: Any = None) -> Any:
    """Return Glorot's normal initializer."""
    return initializers.GlorotNormal(seed)


def orthogonal_initializer(gain: float = 1.0, seed: Any = None, dtype: Any = None) -> Any:
    """Return the initializer of orthogonal matrices."""
    return initializers.Orthogonal(gain, seed)
