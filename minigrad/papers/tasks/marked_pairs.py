"""Experiments 4 and 5: the sum, or the product, of two marked numbers among many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigrad.papers.batch import NO_SETS, Batch, Drawn, lengths_between


@dataclass(frozen=True)
class MarkedPairs(Drawn):
    """Pairs of a number and a marker: 1 for the two that count, −1 at both ends, else 0.

    One of the first ten pairs is marked, and one of the first T/2 − 1 that are still unmarked.

    Attributes:
        T: the shortest length; the longest is T + T/10.
        product: multiply numbers in [0, 1] rather than add numbers in [−1, 1].
        first_marker: the marker of the first pair where it is one of the two; its number does not count then.
    """

    T: int
    product: bool = False
    first_marker: float = 1.0

    def draw(self, random: np.random.Generator, count: int) -> Batch:
        """Return sequences with a target at the last step: ½ + (X₁ + X₂)/4, or X₁ X₂."""
        rows, longest = np.arange(count), self.T + self.T // 10
        lengths = lengths_between(random, self.T, longest, count)
        x = np.zeros((count, longest, 2))
        x[:, :, 0] = random.uniform(0.0 if self.product else -1.0, 1.0, (count, longest))
        first = random.integers(10, size=count)
        second = random.integers(self.T // 2 - 1, size=count)
        second += second >= first
        x[:, 0, 1] = x[rows, lengths - 1, 1] = -1.0
        x[rows, first, 1] = x[rows, second, 1] = 1.0
        at_start = (first == 0) | (second == 0)
        x[at_start, 0, 0] = 1.0 if self.product else 0.0  # a marked first pair does not count
        x[at_start, 0, 1] = self.first_marker
        one, two = x[rows, first, 0], x[rows, second, 0]
        target = one * two if self.product else 0.5 + (one + two) / 4.0
        return Batch(x, lengths, target[:, None], NO_SETS)
