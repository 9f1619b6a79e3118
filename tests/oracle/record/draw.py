"""Draw configurations and numbers at random, from seeds that depend on nothing but a name."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MASKS = ("none", "right", "left", "holes", "dead_row")

# Names that Keras resolves. The second group is not bounded: weights are drawn smaller for those.
BOUNDED = ("tanh", "sigmoid", "hard_sigmoid", "softsign")
UNBOUNDED = ("relu", "elu", "selu", "softplus", "linear", None, "exponential", "gelu", "swish")


def generator(name: str) -> np.random.Generator:
    """A generator whose seed is the name's checksum, so that adding a case moves no other."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def normal(rng: np.random.Generator, shape: Sequence[int], scale: float = 1.0) -> np.ndarray:
    """Normal numbers, rounded to multiples of 1/1024: exact, and small in a compressed file."""
    return np.round(rng.standard_normal(tuple(shape)) * scale * 1024) / 1024


def balanced(rng: np.random.Generator, n: int, grid: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """`n` draws from a grid of options, in which every value of an option comes up equally often.

    Each option's values are repeated to `n` and shuffled on their own, so pairs meet at random and
    no value is left out.
    """
    columns = {}
    for key, values in grid.items():
        repeated = [values[i % len(values)] for i in range(n)]
        columns[key] = [repeated[i] for i in rng.permutation(n)]
    return [{key: column[i] for key, column in columns.items()} for i in range(n)]


def mask(rng: np.random.Generator, kind: str, batch: int, time: int) -> np.ndarray | None:
    """A mask of shape (batch, time), True where a step counts; None for the kind "none"."""
    if kind == "none":
        return None
    lengths = rng.integers(1, time + 1, size=batch)
    steps = np.arange(time)
    if kind == "right":
        return steps < lengths[:, None]
    if kind == "left":
        return steps >= time - lengths[:, None]
    made = rng.random((batch, time)) < 0.6
    if time > 2:
        made[0, :3] = True, False, True  # at least one hole that is not padding
    if kind == "dead_row":
        made[rng.integers(batch)] = False
    return made


def scale_for(*activations: str | None) -> float:
    """Return the largest weights and inputs for which these activations stay bounded."""
    return 0.25 if any(name in UNBOUNDED for name in activations) else 0.5


def given(options: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """The options that differ from the defaults: what a user would write."""
    return {key: value for key, value in options.items() if key not in defaults or value != defaults[key]}
