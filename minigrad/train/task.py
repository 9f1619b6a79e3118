"""Tasks: endless data, the inputs and outputs of a model, and a measure of success with a baseline.

A task uses no tensors. It draws batches as NumPy arrays, describes the inputs and outputs of its
model (`ModelShape`), and measures predictions that are NumPy arrays. To add a task, write a
subclass of `Task` (or of `GeneratedTask`, if it draws its own data) and enter it in
`minigrad.train.tasks.TASKS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self

import numpy as np

from minigrad.engine import random
from minigrad.engine.errors import OptionError, shown
from minigrad.engine.protocol import Array
from minigrad.train.batch import Batch as Batch
from minigrad.train.measures import bits, bits_each, ends, log_softmax, standard_error  # noqa: F401 (found here too)
from minigrad.train.options import Options, option

BUILT_IN_CELLS = ("lstm", "gru", "simple_rnn")
LARGEST_SIZE = 10**6  # of an axis: NumPy can represent the size of any product of them


@dataclass(frozen=True, kw_only=True)
class RunOptions(Options):
    """Options of every run, for any task."""

    seed: int = option(0, "seed of the weights, the data and all random numbers")
    steps: int = option(1000, "training steps: one batch and one update each", minimum=1, ceiling=2**53)
    minutes: float | None = option(
        None, "train for about this many minutes: time a few steps first, then set --steps", above=0, ceiling=10**6
    )
    batch: int = option(32, "sequences in a batch", minimum=1, ceiling=LARGEST_SIZE)
    cell: str = option(
        "lstm", "the recurrent layer, or module:Name, a custom cell", choices=BUILT_IN_CELLS, or_like="module:Name"
    )
    units: int = option(64, "units of each recurrent layer", minimum=1, ceiling=LARGEST_SIZE)
    layers: int = option(1, "number of stacked recurrent layers", minimum=1, ceiling=1000)
    memory: float | None = option(
        None, "initialize the gates of lstm and gru so that states last 1 to this many steps, 3 or more", minimum=3
    )
    dropout: float = option(0.0, "fraction of each layer's inputs to drop", minimum=0, maximum=0.9)
    learning_rate: float = option(0.002, "step size of Adam after the warm-up", above=0)
    warmup: int = option(50, "steps over which the learning rate grows from 0", minimum=0)
    final_rate: float = option(
        0.05, "end of the cosine decay, as a fraction of the learning rate", minimum=0, maximum=1
    )
    clip_norm: float = option(1.0, "largest norm of the gradient; larger gradients are scaled down", above=0)
    evaluate_every: int = option(200, "steps between two evaluations", minimum=1)
    save_every: int = option(200, "steps between two checkpoints", minimum=1)
    on_nan: str = option("stop", "reaction to a loss that is not finite", choices=("stop", "continue"))
    backend: str = option("numpy", "the array library for all arithmetic")


class ModelShape(NamedTuple):
    """Inputs and outputs of a task's model at each time step."""

    inputs: int  # size of the alphabet, or numbers per time step
    outputs: int
    symbols: bool = True  # the inputs are symbols, not numbers
    embedding: int = 0  # size of the learnt vector of a symbol; 0 for one-hot vectors
    head: Literal["classes", "values"] = "classes"  # cross-entropy or squared error


Shape = ModelShape  # earlier name


class Score(NamedTuple):
    """A value of the metric to reach, with its name."""

    name: str  # e.g. "trigram model"
    value: float


class Predict(Protocol):
    """A model as a function of arrays, without recording for a gradient."""

    def __call__(self, inputs: Array, states: Any = None) -> tuple[Array, Any]:
        """Return outputs (batch, time, outputs) and the states after the last step."""


class Task(ABC):
    """Data, the inputs and outputs of a model for them, and a measure of success with a baseline.

    Attributes:
        name: the task's name on the command line.
        options_type: the dataclass of its options.
        items: the name of time steps in the displayed speed.
        unit: the unit in which the loss is displayed.
        per_unit: the loss in nats (or squared error) times this is the loss in `unit`.
        metric: the key of `evaluate` that is compared with the baseline.
        higher_is_better: whether larger values of that metric are better.
        alphabet: the characters of the input symbols, in order; empty if the inputs are numbers.
    """

    name: ClassVar[str]
    options_type: ClassVar[type[RunOptions]]
    items: ClassVar[str] = "time steps"
    unit: ClassVar[str] = "bits per symbol"
    per_unit: ClassVar[float] = 1 / np.log(2)
    metric: ClassVar[str]
    higher_is_better: ClassVar[bool] = False
    alphabet: str = ""

    def __init__(self, options: Any) -> None:
        self.options = options

    @classmethod
    def restore(cls, options: Any, facts: Mapping[str, Any]) -> Self:
        """Return the task without its data, sufficient to use a trained model.

        Args:
            options: the options of the run.
            facts: the values that `facts` returned.
        """
        return cls(options)

    def facts(self) -> dict[str, Any]:
        """Return plain values about the data that a checkpoint stores for `restore`."""
        return {}

    def notes(self) -> list[str]:
        """Return lines that describe the data to the user."""
        return []

    @abstractmethod
    def shape(self) -> ModelShape:
        """Return the inputs and outputs of a model."""

    @abstractmethod
    def batch(self, generator: np.random.Generator, position: int) -> Batch:
        """Return the batch that follows `position` others.

        All random numbers come from the generator, so generator and position together determine the batch.
        """

    @abstractmethod
    def evaluate(self, predict: Predict) -> dict[str, float]:
        """Return numbers on the validation data, among them `metric` and ``standard_error``.

        The latter is that of the difference between `metric` and the baseline. A difference not well above it may
        be due to the choice of the data held out. See `standard_error`.
        """

    @abstractmethod
    def baseline(self) -> Score:
        """Return the `metric` of a baseline, such as a memoryless one."""

    @abstractmethod
    def sample(self, predict: Predict, generator: np.random.Generator, settings: Sampling) -> str:
        """Return generated text, or solved examples, to read."""

    @abstractmethod
    def probe(self, generator: np.random.Generator, text: str) -> tuple[Batch, list[str] | None]:
        """Return one sequence to inspect, and the characters of its symbols, or None for numbers.

        Args:
            generator: the source of random numbers.
            text: the text to read; for the text task only.
        """

    def better(self, new: float, old: float) -> bool:
        """Return whether `new` is a better value of the metric than `old`; False for NaN."""
        return new > old if self.higher_is_better else new < old

    def beats(self, value: float, baseline: float, error: float) -> bool:
        """Return whether `value` is better than the baseline by more than two standard errors; False for NaN."""
        return self.better(value, baseline) and abs(value - baseline) > 2 * error


@dataclass(frozen=True, kw_only=True)
class Sampling(Options):
    """Options of `Task.sample`."""

    length: int | None = option(
        None, "characters to generate (text: 500), or examples to show (other tasks: 3)", minimum=1
    )
    temperature: float = option(0.7, "text: below 1 likely characters get likelier; 0 takes the likeliest", minimum=0)
    prompt: str = option("", "text: the text to continue")
    seed: int = option(0, "seed of the random numbers")


class GeneratedTask(Task):
    """A task that draws any number of sequences, each from a zero state.

    The validation sequences are drawn once, from a separate generator.
    """

    validation_count: ClassVar[int] = 500

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        if not isinstance(options, RunOptions):
            raise OptionError(f"{type(self).__name__}: expected `options`, RunOptions, got {shown(options)}.")
        validation = random.generator_for(options.seed, 0x7E57)
        self.validation = self.draw(validation, self.validation_count)

    @abstractmethod
    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return `count` new sequences."""

    @abstractmethod
    def measure(self, outputs: Array, batch: Batch) -> dict[str, float]:
        """Return numbers for a model's outputs on a batch, as `evaluate` does."""

    @abstractmethod
    def example(self, outputs: Array, batch: Batch) -> str:
        """Return a line with the only sequence of a batch and the model's answer."""

    def batch(self, generator: np.random.Generator, position: int) -> Batch:
        """Return new sequences; `position` is ignored, the generator alone determines them."""
        return self.draw(generator, self.options.batch)

    def evaluate(self, predict: Predict) -> dict[str, float]:
        """Return the result of `measure` on the validation sequences."""
        outputs, _ = predict(self.validation.inputs)
        return self.measure(outputs, self.validation)

    def probe(self, generator: np.random.Generator, text: str) -> tuple[Batch, list[str] | None]:
        """Return a new sequence."""
        drawn = self.draw(generator, 1)
        return drawn, [self.alphabet[symbol] for symbol in drawn.inputs[0]] if self.alphabet else None

    def sample(self, predict: Predict, generator: np.random.Generator, settings: Sampling) -> str:
        """Return examples, one per line, each with the model's answer."""
        lines = []
        for _ in range(settings.length or 3):
            drawn = self.draw(generator, 1)
            lines.append(self.example(predict(drawn.inputs)[0], drawn))
        return "\n".join(lines)
