"""Sequences that a task has drawn, in the layout that the trainers read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from minigrad.papers.net import Array

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Sequences, padded to one length.

    Attributes:
        x: (sequences, time) of symbols, which are one-hot inputs; or (sequences, time, inputs).
        lengths: (sequences,), the number of steps of each.
        targets: (sequences, outputs), for the last step; or (sequences, time) of symbols, one for each step, or of sets
            of symbols, as the complements of their bits, which are negative.
        legal: (sequences, time), the symbols that may follow as bits; empty where a task has no such sets.
    """

    x: Array | Ints
    lengths: Ints
    targets: Array | Ints
    legal: Ints

    @property
    def every_step(self) -> bool:
        """Whether each step has a target."""
        return self.targets.dtype == np.int64

    def __len__(self) -> int:
        return len(self.lengths)

    def sequence(self, k: int, inputs: int, outputs: int) -> tuple[Array, Array, Array]:
        """Return the inputs (time, inputs), the targets (time, outputs) of one sequence, and which steps count."""
        steps = int(self.lengths[k])
        x: Any = np.eye(inputs)[self.x[k, :steps]] if self.x.ndim == 2 else self.x[k, :steps]
        if self.every_step:
            found: Any = self.targets[k, :steps, None]
            symbols = np.arange(outputs)
            chosen = np.where(found < 0, ~found >> np.minimum(symbols, 62) & 1, found == symbols)
            return x, chosen.astype(float), np.ones(steps)
        targets, counted = np.zeros((steps, outputs)), np.zeros(steps)
        targets[-1], counted[-1] = self.targets[k], 1.0
        return x, targets, counted


NO_SETS: Ints = np.zeros((0, 0), np.int64)


class Task(Protocol):
    """A task: it draws sequences for training and for tests.

    A trial has one generator of random numbers for training and one for tests, and draws batches of a fixed size from
    them, so its sequences do not depend on other trials.
    """

    def prepared(self, random: np.random.Generator) -> Any:
        """Return the task with what a group of trials shares, such as a training set; most tasks return themselves."""

    def train(self, random: np.random.Generator, count: int) -> Batch:
        """Return sequences to learn from."""

    def test(self, random: np.random.Generator, count: int) -> Batch:
        """Return sequences for a test, with targets without noise."""


class Drawn:
    """The base of tasks whose sequences are all drawn from one distribution."""

    def prepared(self, random: np.random.Generator) -> Any:
        """Return the task itself."""
        return self

    def train(self, random: np.random.Generator, count: int) -> Batch:
        """Return sequences to learn from."""
        return self.draw(random, count)

    def test(self, random: np.random.Generator, count: int) -> Batch:
        """Return sequences for a test."""
        return self.draw(random, count)

    def draw(self, random: np.random.Generator, count: int) -> Batch:
        """Return sequences."""
        raise NotImplementedError


def lengths_between(random: np.random.Generator, shortest: int, longest: int, count: int) -> Ints:
    """Return uniform lengths, both ends included."""
    return random.integers(shortest, longest, count, endpoint=True)
