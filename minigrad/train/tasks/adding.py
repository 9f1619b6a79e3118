"""The adding problem: the sum of two marked numbers among many.

Each time step has a value drawn uniformly from [0, 1) and a marker. The marker is 1 at two time
steps, one in each half of the sequence, and 0 elsewhere. After the last step the
model outputs the sum of the two marked values.

Source: S. Hochreiter and J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997,
§5.4, which draws from [−1, 1] and scales the sum; the form here, with one marker in each half, is
that of M. Arjovsky, A. Shah and Y. Bengio, Unitary Evolution Recurrent Neural Networks, 2016, §5.2.

Baseline: the best constant. E[(u₁ + u₂ − m)²] is smallest at m = E[u₁ + u₂] = 1, and there it is
the variance. A uniform value on [0, 1) has E[u] = 1/2 and E[u²] = 1/3, so Var u = 1/3 − 1/4 = 1/12;
the two are independent, so their variances add: 1/12 + 1/12 = 1/6 ≈ 0.1667.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigrad.engine.protocol import Array
from minigrad.train.batch import Batch
from minigrad.train.measures import ends, standard_error
from minigrad.train.options import adapted, option
from minigrad.train.task import LARGEST_SIZE, GeneratedTask, ModelShape, RunOptions, Score


@dataclass(frozen=True, kw_only=True)
class AddingOptions(RunOptions):
    """Options of the adding problem."""

    steps: int = adapted(RunOptions, "steps", 1200)
    learning_rate: float = adapted(RunOptions, "learning_rate", 0.01)
    memory: float | None = adapted(RunOptions, "memory", 100.0)
    batch: int = adapted(RunOptions, "batch", 64)
    length: int = option(100, "time steps of a sequence", minimum=2, ceiling=LARGEST_SIZE)


class Adding(GeneratedTask):
    """Sum of two marked numbers in a long sequence, output at its end."""

    name = "adding"
    options_type = AddingOptions
    unit = "mean squared error"
    per_unit = 1.0
    metric = "mean_squared_error"

    def shape(self) -> ModelShape:
        """Return two input numbers (value, marker), one output, squared error."""
        return ModelShape(inputs=2, outputs=1, symbols=False, head="values")

    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return `count` sequences (count, length, 2); only the last output counts."""
        length, half = self.options.length, self.options.length // 2
        values = generator.random((count, length), dtype=np.float32)
        marker = np.zeros_like(values)
        rows = np.arange(count)
        marker[rows, generator.integers(0, half, count)] = 1
        marker[rows, generator.integers(half, length, count)] = 1
        targets = np.zeros((count, length, 1), np.float32)
        targets[:, -1, 0] = (values * marker).sum(axis=1)
        weights = np.zeros((count, length), np.float32)
        weights[:, -1] = 1
        return Batch(np.stack([values, marker], axis=-1), targets, weights)

    def measure(self, outputs: Array, batch: Batch) -> dict[str, float]:
        """Return the mean squared error, and the fraction of sums with an error below 0.04."""
        error = ends(outputs, batch.weights)[:, 0] - ends(batch.targets, batch.weights)[:, 0]
        squared = np.square(error, dtype=np.float64)
        return {
            "mean_squared_error": float(squared.mean()),
            "accuracy": float(np.mean(np.abs(error) < 0.04)),
            "standard_error": standard_error(squared),
        }

    def baseline(self) -> Score:
        """Return the variance of the sum of two uniform numbers."""
        return Score("always saying 1", 1 / 6)

    def example(self, outputs: Array, batch: Batch) -> str:
        """Return, for example, ``0.31 (step 12) + 0.84 (step 77) = 1.15; the model outputs 1.17``."""
        first, second = np.flatnonzero(batch.inputs[0, :, 1])
        a, b = batch.inputs[0, first, 0], batch.inputs[0, second, 0]
        answer = outputs[0, -1, 0]
        return f"{a:.2f} (step {first + 1}) + {b:.2f} (step {second + 1}) = {a + b:.2f}; the model outputs {answer:.2f}"
