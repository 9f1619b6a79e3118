"""The temporal order problem: classification by the order of two symbols in noise.

A sequence starts with E, ends with B, and is otherwise drawn from a, b, c, d, except at two positions:
one in steps 10–20, one in steps 50–60, each with X or Y. Its length is drawn from 100 to
110. After B the model outputs the class of the sequence: Q for X, X; R for X, Y; S for Y, X; U for
Y, Y.

Source: S. Hochreiter and J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997,
§5.6, task 6a (there the positions are t₁ and t₂ and the four rules the same). `--length` scales
the three ranges together.

Baseline: the four classes are equally likely, so a guess without memory is right with probability
1/4, at a loss of log₂ 4 = 2 bits. With a memory of one of the two symbols the probability is 1/2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigrad.engine.protocol import Array
from minigrad.train.batch import Batch
from minigrad.train.measures import bits, ends, standard_error
from minigrad.train.options import adapted, option
from minigrad.train.task import LARGEST_SIZE, GeneratedTask, ModelShape, RunOptions, Score

ALPHABET = "EBabcdXY"
CLASSES = "QRSU"  # (X, X), (X, Y), (Y, X), (Y, Y): the class is 2 [first is Y] + [second is Y]


@dataclass(frozen=True, kw_only=True)
class TemporalOrderOptions(RunOptions):
    """Options of the temporal order problem."""

    steps: int = adapted(RunOptions, "steps", 600)
    learning_rate: float = adapted(RunOptions, "learning_rate", 0.005)
    memory: float | None = adapted(RunOptions, "memory", 100.0)
    length: int = option(
        100, "length of the shortest sequence; the longest is a tenth more", minimum=10, ceiling=LARGEST_SIZE
    )


class TemporalOrder(GeneratedTask):
    """Two symbols far apart in noise; their order, one of four, is the output at the end."""

    name = "temporal-order"
    options_type = TemporalOrderOptions
    alphabet = ALPHABET
    items = "symbols"
    unit = "bits"
    metric = "accuracy"
    higher_is_better = True

    def shape(self) -> ModelShape:
        """Return eight input symbols, four output classes."""
        return ModelShape(inputs=len(ALPHABET), outputs=len(CLASSES))

    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return `count` sequences, padded after B with B to the largest possible length."""
        shortest = self.options.length
        longest = shortest + shortest // 10
        tenth, rows = shortest / 10, np.arange(count)
        lengths = generator.integers(shortest, longest + 1, count)
        symbols = generator.integers(ALPHABET.index("a"), ALPHABET.index("d") + 1, (count, longest))
        first = generator.integers(round(tenth), round(2 * tenth) + 1, count)
        second = generator.integers(round(5 * tenth), round(6 * tenth) + 1, count)
        is_y = generator.integers(0, 2, (count, 2))
        symbols[rows, first] = ALPHABET.index("X") + is_y[:, 0]
        symbols[rows, second] = ALPHABET.index("X") + is_y[:, 1]
        symbols[:, 0] = ALPHABET.index("E")
        symbols[np.arange(longest) >= lengths[:, None] - 1] = ALPHABET.index("B")
        targets = np.zeros((count, longest), np.int64)
        weights = np.zeros((count, longest), np.float32)
        targets[rows, lengths - 1] = 2 * is_y[:, 0] + is_y[:, 1]
        weights[rows, lengths - 1] = 1
        return Batch(symbols, targets, weights)

    def measure(self, outputs: Array, batch: Batch) -> dict[str, float]:
        """Return the fraction of sequences classified correctly, and the loss in bits."""
        answers = ends(outputs, batch.weights).argmax(axis=-1)
        right = answers == ends(batch.targets, batch.weights)
        return {
            "accuracy": float(right.mean()),
            "loss": bits(outputs, batch),
            "standard_error": standard_error(right),
        }

    def baseline(self) -> Score:
        """Return the accuracy of a guess among four classes."""
        return Score("guessing", 1 / len(CLASSES))

    def example(self, outputs: Array, batch: Batch) -> str:
        """Return, for example, ``X at step 13, Y at step 57, of 104: R; the model outputs R (0.98)``."""
        row = batch.inputs[0]
        first, second = np.flatnonzero(row >= ALPHABET.index("X"))
        scores = ends(outputs, batch.weights)[0].astype(np.float64)
        p = np.exp(scores - scores.max())
        p /= p.sum()
        right, answer = int(ends(batch.targets, batch.weights)[0]), int(p.argmax())
        return (
            f"{ALPHABET[row[first]]} at step {first + 1}, {ALPHABET[row[second]]} at step "
            f"{second + 1}, of {int(batch.weights[0].argmax()) + 1}: {CLASSES[right]}; "
            f"the model outputs {CLASSES[answer]} (p = {p[answer]:.2f})"
        )
