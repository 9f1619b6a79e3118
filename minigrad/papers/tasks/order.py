"""Experiments 6a and 6b: the order of two or three symbols, among many others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigrad.papers.batch import NO_SETS, Batch, Drawn, lengths_between

SYMBOLS = "abcdXYEB"


@dataclass(frozen=True)
class TemporalOrder(Drawn):
    """E, then a, b, c and d at random with an X or Y at each given place, then B; the class is the order of X and Y.

    Attributes:
        places: for each X or Y, its first and last possible place, counted from 1.
        shortest: the shortest length.
        longest: the longest length.
    """

    places: tuple[tuple[int, int], ...]
    shortest: int = 100
    longest: int = 110

    def draw(self, random: np.random.Generator, count: int) -> Batch:
        """Return sequences with a target at the last step, one output for each class."""
        rows = np.arange(count)
        lengths = lengths_between(random, self.shortest, self.longest, count)
        symbols = random.integers(4, size=(count, self.longest))
        symbols[:, 0], symbols[rows, lengths - 1] = SYMBOLS.index("E"), SYMBOLS.index("B")
        of_class = np.zeros(count, np.int64)
        for low, high in self.places:
            which = random.integers(2, size=count)
            symbols[rows, random.integers(low, high, count, endpoint=True) - 1] = SYMBOLS.index("X") + which
            of_class = 2 * of_class + which
        return Batch(symbols, lengths, np.eye(2 ** len(self.places))[of_class], NO_SETS)
