"""Experiment 1: the embedded Reber grammar, whose last symbol but one repeats the second."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from minigrad.papers.batch import Batch, Ints

SYMBOLS = "BTPSXVE"
GRAPH = (
    {"T": 1, "P": 2}, {"S": 1, "X": 3}, {"T": 2, "V": 4}, {"X": 2, "S": 5}, {"P": 3, "V": 5}, {"E": 6},
)  # fmt: skip
"""For each state, the symbols that may follow, and the states that they lead to; 6 is the end."""


def reber(random: np.random.Generator) -> tuple[str, list[str]]:
    """Return a Reber string, and for each of its symbols the symbols that may follow it inside the string.

    >>> reber(np.random.default_rng(0))[0][0]
    'B'
    """
    text, follow, state = "B", [], 0
    while state < 6:
        legal = "".join(GRAPH[state])
        follow.append(legal)
        text += legal[int(random.integers(len(legal)))]
        state = GRAPH[state][text[-1]]
    return text, [*follow, ""]


def embedded(random: np.random.Generator) -> tuple[str, list[str]]:
    """Return an embedded Reber string, and for each symbol but the last the symbols that may follow it."""
    outer = "TP"[int(random.integers(2))]
    inner, follow = reber(random)
    return f"B{outer}{inner}{outer}E", ["TP", "B", *follow[:-1], outer, "E"]


def as_batch(strings: list[tuple[str, list[str]]]) -> Batch:
    """Return strings as a batch, in which the target of a step is the next symbol."""
    longest = max(len(text) for text, _ in strings) - 1
    x, targets, legal = np.zeros((3, len(strings), longest), np.int64)
    for k, (text, follow) in enumerate(strings):
        symbols = [SYMBOLS.index(s) for s in text]
        steps = len(symbols) - 1
        x[k, :steps], targets[k, :steps] = symbols[:-1], symbols[1:]
        legal[k, :steps] = [sum(1 << SYMBOLS.index(s) for s in allowed) for allowed in follow]
    return Batch(x, np.array([len(text) - 1 for text, _ in strings]), targets, legal)


@dataclass(frozen=True)
class EmbeddedReber:
    """Prediction of the next symbol, on strings drawn from a fixed training set.

    Attributes:
        strings: the size of the training set, and of the test set, which has none of its strings.
        distinct: whether the strings of the training set differ.
        successors: whether the targets are all symbols that may follow rather than the one that does.
        sets: all strings, those for training first; drawn by `prepared`.
    """

    strings: int = 256
    distinct: bool = False
    successors: bool = False
    sets: Batch | None = field(default=None, repr=False, compare=False)

    def prepared(self, random: np.random.Generator) -> Any:
        """Return the task with a training set and a test set."""
        first: list[tuple[str, list[str]]] = []
        known: set[str] = set()
        while len(first) < self.strings:
            drawn = embedded(random)
            if not (self.distinct and drawn[0] in known):
                first.append(drawn)
                known.add(drawn[0])
        second: list[tuple[str, list[str]]] = []
        while len(second) < self.strings:
            drawn = embedded(random)
            if drawn[0] not in known:
                second.append(drawn)
        return replace(self, sets=as_batch(first + second))

    def train(self, random: np.random.Generator, count: int) -> Batch:
        """Return strings of the training set, drawn at random."""
        return self._taken(random.integers(self.strings, size=count))

    def test(self, random: np.random.Generator, count: int) -> Batch:
        """Return all strings, those for training first."""
        return self._taken(np.arange(2 * self.strings))

    def _taken(self, which: Ints) -> Batch:
        if self.sets is None:
            raise ValueError("EmbeddedReber: call `prepared` first.")
        s = self.sets
        targets = ~s.legal[which] if self.successors else s.targets[which]
        return Batch(s.x[which], s.lengths[which], targets, s.legal[which])
