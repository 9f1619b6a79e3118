"""Experiments 2a, 2b and 2c: the first symbol decides about the last one, over long time lags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigrad.papers.batch import NO_SETS, Batch, Drawn


@dataclass(frozen=True)
class NoiseFree(Drawn):
    """Prediction of the next symbol of (y, a_1 … a_{p−1}, y) or (x, a_1 … a_{p−1}, x), each with probability ½.

    Symbols 0 to p − 2 are a_1 to a_{p−1}, p − 1 is x and p is y.

    Attributes:
        p: the lag.
        random_middle: whether the symbols between the first and the last are random ones of a_1 to a_{p−1}.
    """

    p: int
    random_middle: bool = False

    def draw(self, random: np.random.Generator, count: int) -> Batch:
        """Return sequences of p steps, each with the next symbol as its target."""
        p = self.p
        ends = p - 1 + random.integers(2, size=(count, 1))
        middle = random.integers(p - 1, size=(count, p - 1)) if self.random_middle else np.arange(p - 1)
        text = np.concatenate([ends, np.broadcast_to(middle, (count, p - 1)), ends], 1)
        return Batch(np.ascontiguousarray(text[:, :-1]), np.full(count, p), np.ascontiguousarray(text[:, 1:]), NO_SETS)


@dataclass(frozen=True)
class Distractors(Drawn):
    """b, x or y, at least q distractors, the trigger e; then the net says which of x and y there was.

    After q distractors a further one follows with probability 9/10, or e. Symbols 0 to p − 1 are the distractors, then
    b, e, x and y.

    Attributes:
        q: the least number of distractors.
        p: the number of different distractors.
    """

    q: int
    p: int

    def draw(self, random: np.random.Generator, count: int) -> Batch:
        """Return sequences of q + 12 steps on average, with a target at the last."""
        b, e, x = self.p, self.p + 1, self.p + 2
        which = random.integers(2, size=count)
        distractors = self.q + random.geometric(0.1, count) - 1
        lengths = distractors + 3
        symbols = random.integers(self.p, size=(count, int(lengths.max())))
        symbols[:, 0], symbols[:, 1] = b, x + which
        symbols[np.arange(count), lengths - 1] = e
        return Batch(symbols, lengths, np.eye(2)[which], NO_SETS)
