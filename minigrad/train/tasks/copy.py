"""The copy memory problem: store ten symbols over a long delay, then output them.

The input is ten symbols drawn from eight, then T − 1 blanks, a delimiter that asks for the output, and ten
blanks: T + 20 steps. The output is T + 10 blanks, then the ten symbols in their order.

Source: M. Arjovsky, A. Shah and Y. Bengio, Unitary Evolution Recurrent Neural Networks, 2016, §5.1,
after S. Hochreiter and J. Schmidhuber, Long Short-Term Memory, 1997. It is hard for an LSTM, which must
store ten symbols at once, so the default delay is short. An LSTM with the usual initial gates does
not learn it (try it without the default `--memory`: `--memory 3`).

Baseline: a memoryless model outputs blank T + 10 times at no loss, and for the last ten symbols
the uniform distribution over the eight: 10 log₂ 8 / (T + 20) = 30 / (T + 20) bits a step (10 ln 8 / (T +
20) nats).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigrad.engine.protocol import Array
from minigrad.train.batch import Batch
from minigrad.train.measures import bits_each, standard_error
from minigrad.train.options import adapted, option
from minigrad.train.task import LARGEST_SIZE, GeneratedTask, ModelShape, RunOptions, Score

SYMBOLS = 8
BLANK, DELIMITER = SYMBOLS, SYMBOLS + 1
CHARACTERS = "abcdefgh_|"


@dataclass(frozen=True, kw_only=True)
class CopyOptions(RunOptions):
    """Options of the copy memory problem."""

    steps: int = adapted(RunOptions, "steps", 3000)
    units: int = adapted(RunOptions, "units", 128)
    learning_rate: float = adapted(RunOptions, "learning_rate", 0.01)
    memory: float | None = adapted(RunOptions, "memory", 40.0)
    delay: int = option(
        20, "steps between the last symbol and the output of the first, T", minimum=1, ceiling=LARGEST_SIZE
    )
    symbols: int = option(10, "number of symbols to remember", minimum=1, ceiling=LARGEST_SIZE)


class Copy(GeneratedTask):
    """A few symbols, a long delay, then the same symbols from memory."""

    name = "copy"
    options_type = CopyOptions
    alphabet = CHARACTERS
    items = "symbols"
    metric = "bits_per_symbol"

    def shape(self) -> ModelShape:
        """Return ten input symbols; eight and the blank as output."""
        return ModelShape(inputs=SYMBOLS + 2, outputs=SYMBOLS + 1)

    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return `count` sequences of T + 2n steps; every step has weight 1."""
        n, delay = self.options.symbols, self.options.delay
        content = generator.integers(0, SYMBOLS, (count, n))
        inputs = np.full((count, delay + 2 * n), BLANK)
        inputs[:, :n] = content
        inputs[:, n + delay - 1] = DELIMITER
        targets = np.full_like(inputs, BLANK)
        targets[:, -n:] = content
        return Batch(inputs, targets, np.ones(inputs.shape, np.float32))

    def measure(self, outputs: Array, batch: Batch) -> dict[str, float]:
        """Return the loss, and the fractions of recalled symbols and of sequences recalled entirely."""
        n = self.options.symbols
        right = outputs[:, -n:].argmax(axis=-1) == batch.targets[:, -n:]
        each = bits_each(outputs, batch.targets)  # all have weight 1
        return {
            "bits_per_symbol": float(each.mean()),
            "recalled": float(right.mean()),
            "whole_sequences": float(right.all(axis=1).mean()),
            "standard_error": standard_error(each.mean(axis=1)),
        }

    def baseline(self) -> Score:
        """Return the bits per step of blanks and uniform guesses."""
        n = self.options.symbols
        return Score("no memory", n * float(np.log2(SYMBOLS)) / (self.options.delay + 2 * n))

    def example(self, outputs: Array, batch: Batch) -> str:
        """Return, for example, ``hcadgbfaec, 20 steps later: hcadgbfaec (10 of 10)``."""
        n = self.options.symbols
        content, answer = batch.inputs[0, :n], outputs[0, -n:].argmax(axis=-1)
        shown, recalled = ("".join(CHARACTERS[i] for i in row) for row in (content, answer))
        right = int((content == answer).sum())
        return f"{shown}, {self.options.delay} steps later: {recalled} ({right} of {n})"
