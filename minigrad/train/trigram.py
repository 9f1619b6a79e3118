"""A character model of counts: the frequency of each character after the two before it.

It is the baseline of a recurrent network. Counts of order 2, 1 and 0 are combined by add-δ
smoothing in which the lower order is added instead of a constant:

    p(c | ab) = (n(abc) + δ₂ p(c | b)) / (n(ab) + δ₂)
    p(c | b)  = (n(bc)  + δ₁ p(c))     / (n(b)  + δ₁)
    p(c)      = (n(c)   + δ₀ / V)      / (N     + δ₀)

A context has the weight n / (n + δ): a frequent context determines p, a rare one leaves it to the
shorter context. The three δ are chosen on the training text alone, from counts of its first nine
tenths and bits per character on the last tenth. Each δ in turn is searched over powers of two.

Source: D. MacKay and L. Peto, A hierarchical Dirichlet language model, 1995.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigrad.engine.protocol import Array

GRID = [2.0**k for k in range(-6, 13)]


class Trigram:
    """A counted order-2 character model.

    Args:
        text: (characters,) numbers of the characters of the training text.
        vocabulary: the number of different characters, V.
        deltas: (δ₀, δ₁, δ₂), or None to choose them on the text.
    """

    def __init__(self, text: Array, vocabulary: int, deltas: Sequence[float] | None = None) -> None:
        self.vocabulary = vocabulary
        self.total = len(text)
        codes = self._codes(text, np.arange(2, len(text)))
        self._tables = [
            np.unique(text, return_counts=True),
            np.unique(text[:-1] * np.int64(vocabulary) + text[1:], return_counts=True),
            np.unique(codes, return_counts=True),
        ]
        self.deltas = deltas if deltas is not None else _choose_deltas(text, vocabulary)

    def bits(self, text: Array, positions: Array) -> float:
        """Return the mean of −log₂ p(c | ab) over the characters at `positions` of a text."""
        return float(self.bits_each(text, positions).mean())

    def bits_each(self, text: Array, positions: Array) -> Array:
        """Return −log₂ p(c | ab) of the characters at `positions` of a text."""
        return -np.log2(self._probabilities(self._counts(text, positions), self.deltas))

    def _codes(self, text: Array, positions: Array) -> Array:
        """Return one number for the three characters that end at each position."""
        v = np.int64(self.vocabulary)
        return (text[positions - 2] * v + text[positions - 1]) * v + text[positions]

    def _counts(self, text: Array, positions: Array) -> list[tuple[Array, Array]]:
        """Return, for orders 0, 1, 2, the count of the character after its context, and of the context."""
        v = self.vocabulary
        abc = self._codes(text, positions)
        n_c, n_b = self._look_up(0, abc % v), self._look_up(0, abc // v % v)
        n_bc, n_ab = self._look_up(1, abc % (v * v)), self._look_up(1, abc // v)
        n_abc = self._look_up(2, abc)
        return [(n_c, np.full(len(abc), self.total)), (n_bc, n_b), (n_abc, n_ab)]

    def _look_up(self, order: int, codes: Array) -> Array:
        known, counts = self._tables[order]
        places = np.minimum(np.searchsorted(known, codes), len(known) - 1)
        return np.where(known[places] == codes, counts[places], 0)

    def _probabilities(self, counts: list[tuple[Array, Array]], deltas: Sequence[float]) -> Array:
        p: Array = 1 / self.vocabulary
        for (together, context), delta in zip(counts, deltas, strict=True):
            p = (together + delta * p) / (context + delta)
        return p


def _choose_deltas(text: Array, vocabulary: int) -> list[float]:
    """Return the three δ that predict the last tenth of a text best from its first nine tenths."""
    deltas = [1.0, 1.0, 1.0]
    split = max(3, len(text) * 9 // 10)
    if split >= len(text):
        return deltas
    model = Trigram(text[:split], vocabulary, deltas)
    counts = model._counts(text, np.arange(split, len(text)))

    def loss(order: int, delta: float) -> float:
        tried = [delta if k == order else before for k, before in enumerate(deltas)]
        return float(-np.log2(model._probabilities(counts, tried)).mean())

    for _ in range(2):
        for order in (2, 1, 0):
            losses = [loss(order, delta) for delta in GRID]
            deltas[order] = GRID[int(np.argmin(losses))]
    return deltas
