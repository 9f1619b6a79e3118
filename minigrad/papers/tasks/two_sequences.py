"""Experiments 3a, 3b and 3c: the class of a sequence is in its first elements, the rest is noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigrad.papers.batch import NO_SETS, Batch, lengths_between


@dataclass(frozen=True)
class TwoSequences:
    """Sequences of noise, whose first N elements are 1 (class 1) or −1 (class 2); the target is at the last step.

    Attributes:
        T: the shortest length; the longest is T + T/10.
        N: the number of elements that carry information.
        noisy: whether these have noise too.
        deviation: the standard deviation of the noise; its variance is 0.2.
        targets: the targets of class 1 and class 2.
        target_deviation: the standard deviation of the targets' noise in training.
    """

    T: int
    N: int
    noisy: bool = False
    deviation: float = 0.2**0.5
    targets: tuple[float, float] = (1.0, 0.0)
    target_deviation: float = 0.0

    def prepared(self, random: np.random.Generator) -> TwoSequences:
        """Return the task itself."""
        return self

    def train(self, random: np.random.Generator, count: int) -> Batch:
        """Return sequences with noisy targets, where targets have noise."""
        drawn = self.test(random, count)
        if not self.target_deviation:
            return drawn
        noise = self.target_deviation * random.standard_normal((count, 1))
        return Batch(drawn.x, drawn.lengths, drawn.targets + noise, NO_SETS)

    def test(self, random: np.random.Generator, count: int) -> Batch:
        """Return sequences with the targets of their classes."""
        which = random.integers(2, size=count)
        lengths = lengths_between(random, self.T, self.T + self.T // 10, count)
        x = self.deviation * random.standard_normal((count, self.T + self.T // 10, 1))
        sign = (1.0 - 2.0 * which)[:, None, None]
        x[:, : self.N] = x[:, : self.N] * self.noisy + sign
        return Batch(x, lengths, np.array(self.targets)[which][:, None], NO_SETS)
