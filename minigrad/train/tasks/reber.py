"""The embedded Reber grammar: prediction of the possible next symbols.

A Reber string is a path through a small automaton, from B to E; at a state with two arrows, either
is taken with probability 1/2. The embedded grammar puts one such string between a pair: B, then T
or P, then the Reber string, then *the same* T or P, and E. All but that pair can be predicted from
the state of the automaton; the second of the pair requires a memory of the first.

    B T [B P V V E] T E      B P [B T S X X V V E] P E

Source: A. S. Reber, Implicit learning of artificial grammars, 1967; the embedded form as in
S. Hochreiter and J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997, §5.1.

The model is trained by cross-entropy on the next symbol. A string counts as right if at every
position the symbols that may follow (one or two) have the highest scores.

Baseline: a model of the inner grammar that forgets the outer symbol guesses at one position of
each string, so 1/2 of its strings are right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigrad.engine.protocol import Array
from minigrad.train.batch import Batch
from minigrad.train.measures import bits, standard_error
from minigrad.train.options import adapted
from minigrad.train.task import GeneratedTask, ModelShape, RunOptions, Score

ALPHABET = "BTPSXVE"

# state → symbol on each outgoing arrow → next state; 7 is the end
AUTOMATON: dict[int, dict[str, int]] = {
    0: {"B": 1},
    1: {"T": 2, "P": 3},
    2: {"S": 2, "X": 4},
    3: {"T": 3, "V": 5},
    4: {"X": 3, "S": 6},
    5: {"P": 4, "V": 6},
    6: {"E": 7},
}
END = 7


def inner_string(generator: np.random.Generator) -> str:
    """Return a string of the Reber grammar."""
    state, string = 0, ""
    while state != END:
        arrows = list(AUTOMATON[state].items())
        symbol, state = arrows[generator.integers(len(arrows))]
        string += symbol
    return string


def embedded_string(generator: np.random.Generator) -> str:
    """Return a string of the embedded Reber grammar."""
    outer = "TP"[generator.integers(2)]
    return f"B{outer}{inner_string(generator)}{outer}E"


def successors(string: str) -> list[str]:
    """Return the possible successors of each symbol of an embedded string but the last.

    >>> successors("BTBPVVETE")
    ['TP', 'B', 'TP', 'TV', 'PV', 'E', 'T', 'E']
    """
    legal, state = ["TP"], 0
    for symbol in string[2:-2]:
        legal.append("".join(AUTOMATON[state]))
        state = AUTOMATON[state][symbol]
    return [*legal, string[1], "E"]


@dataclass(frozen=True, kw_only=True)
class ReberOptions(RunOptions):
    """Options of the embedded Reber grammar."""

    steps: int = adapted(RunOptions, "steps", 1000)
    units: int = adapted(RunOptions, "units", 32)


class Reber(GeneratedTask):
    """Next-symbol prediction in strings with one long dependency."""

    name = "reber"
    options_type = ReberOptions
    alphabet = ALPHABET
    items = "symbols"
    metric = "whole_string_accuracy"
    higher_is_better = True

    def shape(self) -> ModelShape:
        """Return seven input symbols, seven outputs."""
        return ModelShape(inputs=len(ALPHABET), outputs=len(ALPHABET))

    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return `count` strings, padded at the end with E to the longest of them."""
        strings = [embedded_string(generator) for _ in range(count)]
        longest = max(map(len, strings))
        symbols = np.full((count, longest), ALPHABET.index("E"))
        weights = np.zeros((count, longest - 1), np.float32)
        for row, string in enumerate(strings):
            symbols[row, : len(string)] = [ALPHABET.index(symbol) for symbol in string]
            weights[row, : len(string) - 1] = 1
        return Batch(symbols[:, :-1], symbols[:, 1:], weights)

    def measure(self, outputs: Array, batch: Batch) -> dict[str, float]:
        """Return the fraction of strings predicted correctly at every position, and the loss."""
        right = [all(self._legal(string, row)) for string, row in zip(strings_of(batch), outputs, strict=True)]
        return {
            "whole_string_accuracy": float(np.mean(right)),
            "bits_per_symbol": bits(outputs, batch),
            "standard_error": standard_error(np.array(right)),
        }

    @staticmethod
    def _legal(string: str, scores: Array) -> list[bool]:
        """Return, for each position, whether the legal symbols have the highest scores."""
        verdicts = []
        for legal, row in zip(successors(string), scores, strict=False):  # further scores are padding
            likeliest = np.argsort(-row)[: len(legal)]
            verdicts.append({ALPHABET[i] for i in likeliest} == set(legal))
        return verdicts

    def baseline(self) -> Score:
        """Return the accuracy of a guess at the one position that requires memory."""
        return Score("inner grammar known, outer symbol guessed", 0.5)

    def example(self, outputs: Array, batch: Batch) -> str:
        """Return the string above a line that marks the wrong positions."""
        (string,) = strings_of(batch)
        marks = "".join(" " if right else "^" for right in self._legal(string, outputs[0])).rstrip()
        verdict = "every successor right" if not marks else "wrong successors at ^"
        return f"{string}  {verdict}" + ("" if not marks else f"\n {marks}")


def strings_of(batch: Batch) -> list[str]:
    """Return the strings of a batch."""
    symbols = np.concatenate([batch.inputs, batch.targets[:, -1:]], axis=1)
    lengths = batch.weights.sum(axis=1).astype(int) + 1
    return ["".join(ALPHABET[i] for i in row[:length]) for row, length in zip(symbols, lengths, strict=True)]
