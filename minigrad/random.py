"""One generator of random numbers, on the host: the same seed gives the same weights on every backend.

Drawn by NumPy's PCG64 and then moved to the current backend.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.creation import tensor
from minigrad.tensor import Tensor

Shape = int | tuple[int, ...] | list[int]

_generator = np.random.default_rng()


def seed(n: int | None) -> None:
    """Starts the generator anew; None takes a seed from the operating system.

    >>> import minigrad as mg
    >>> mg.random.seed(1)
    >>> mg.random.normal((2,)).numpy().round(3).tolist()
    [0.3449999988079071, 0.8220000267028809]
    """
    global _generator
    _generator = np.random.default_rng(n)


set_seed = seed  # TensorFlow's name


def generator() -> np.random.Generator:
    """Returns NumPy's generator itself, for whoever draws on the host."""
    return _generator


def get_state() -> dict[str, Any]:
    """Returns the generator's state, plain numbers that JSON can hold."""
    return dict(_generator.bit_generator.state)


def set_state(state: dict[str, Any]) -> None:
    """Puts the generator back into a state that `get_state` returned."""
    _generator.bit_generator.state = state


def normal(shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32") -> Tensor:
    """Numbers from the normal distribution."""
    return tensor(_generator.normal(mean, stddev, _sizes(shape)), dtype)


def uniform(shape: Shape, minval: float = 0.0, maxval: float = 1.0, dtype: Any = "float32") -> Tensor:
    """Numbers evenly spread over [minval, maxval)."""
    return tensor(_generator.uniform(minval, maxval, _sizes(shape)), dtype)


def truncated_normal(shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32") -> Tensor:
    """Numbers from the normal distribution, those beyond two standard deviations drawn again."""
    return tensor(mean + stddev * draw_truncated_normal(_generator, _sizes(shape)), dtype)


def draw_truncated_normal(source: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """A host array from the standard normal distribution cut at ±2."""
    x = source.standard_normal(shape)
    while (outside := np.abs(x) > 2.0).any():
        x[outside] = source.standard_normal(int(outside.sum()))
    return x


def integers(low: int, high: int, shape: Shape = ()) -> Tensor:
    """Integers from low to high − 1."""
    return tensor(_generator.integers(low, high, _sizes(shape)))


def bernoulli(shape: Shape, p: float, dtype: Any = "float32") -> Tensor:
    """1 with probability p, else 0."""
    return tensor((_generator.random(_sizes(shape)) < p).astype(dtype))


def _sizes(shape: Shape) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)
