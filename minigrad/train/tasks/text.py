"""A character model of text: prediction of the next character.

The text is read in `batch` parallel streams, window after window. The final state of a window is the
initial state of the next, but no gradient flows back across the border (truncated backpropagation
through time). At the end of the streams, reading restarts from the beginning with a zero state.

The last tenth of the text, at most 200,000 characters, is held out. On it, bits per character are the
mean of −log₂ p(character). The model and the trigram baseline use the same characters and the same
vocabulary. Characters outside of the vocabulary count as one further symbol, for both.

Source: the streams as in T. Mikolov et al., Recurrent neural network based language model, 2010;
truncation after R. Williams and J. Peng, 1990.

Baseline: the counted order-2 model of `minigrad.train.trigram`, about 2.9 bits per character on
the library of Python 3.11; each run computes its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from minigrad.engine.errors import NaNLossError, shown
from minigrad.engine.protocol import Array
from minigrad.train.batch import Batch
from minigrad.train.corpus import UNKNOWN, Vocabulary, read_text, standard_library
from minigrad.train.errors import CheckpointError, DataError, OptionError
from minigrad.train.measures import bits_each, log_softmax, standard_error
from minigrad.train.options import adapted, option
from minigrad.train.task import LARGEST_SIZE, ModelShape, Predict, RunOptions, Sampling, Score, Task
from minigrad.train.trigram import Trigram

HELD_OUT = 200_000  # characters: enough for a bits-per-character to the second decimal place
LIBRARY = 2_000_000
MAX_TRACED = 1000  # characters


@dataclass(frozen=True, kw_only=True)
class TextOptions(RunOptions):
    """Options of the character model."""

    steps: int = adapted(RunOptions, "steps", 1600)
    units: int = adapted(RunOptions, "units", 256)
    learning_rate: float = adapted(RunOptions, "learning_rate", 0.015)
    evaluate_every: int = adapted(RunOptions, "evaluate_every", 400)
    file: str | None = option(
        None, "the UTF-8 text to train on (default: the standard library of Python on this machine)"
    )
    characters: int | None = option(
        None, "largest number of characters to read (default: all of a file, 2000000 of the library)", minimum=1
    )
    vocabulary: int = option(
        128, "largest size of the vocabulary: the most frequent characters", minimum=2, ceiling=LARGEST_SIZE
    )
    embedding: int = option(
        64, "size of the learnt vector of a character; 0 for one-hot vectors", minimum=0, ceiling=LARGEST_SIZE
    )
    window: int = option(
        64, "characters of a stream in a batch, over which gradients flow", minimum=1, ceiling=LARGEST_SIZE
    )


class Text(Task):
    """Stateful prediction of the next character, compared with a trigram model."""

    name = "text"
    options_type = TextOptions
    items = "characters"
    unit = "bits per character"
    metric = "bits_per_character"

    def __init__(self, options: TextOptions) -> None:
        super().__init__(options)
        text = _read(options)
        # the trigram model needs 3 characters; a tenth goes to the validation
        least = max(4, 10 * (options.window + 1))
        if len(text) < least:
            raise DataError(
                f"--file {options.file}: expected at least {least} characters, so that a window of "
                f"{options.window} fits into the tenth held out, got {len(text)}. Take a longer "
                "text, or a smaller --window."
            )
        split = len(text) - min(len(text) // 10, HELD_OUT)
        self.vocabulary = Vocabulary.of(text[:split], options.vocabulary)
        self.alphabet = self.vocabulary.characters
        self.fingerprint = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        self.numbers = self.vocabulary.encode(text)
        self.split = split
        self.inputs, self.targets = _streams(self.numbers[:split], options.batch, options.window)

    @classmethod
    def restore(cls, options: TextOptions, facts: Mapping[str, Any]) -> Self:
        """Return the task with a vocabulary and without a text."""
        task = cls.__new__(cls)
        Task.__init__(task, options)
        characters, task.fingerprint = facts.get("vocabulary"), facts.get("sha256", "")
        if not isinstance(characters, str) or characters[:1] != UNKNOWN or len(set(characters)) < len(characters):
            raise CheckpointError(
                f"expected the vocabulary, {UNKNOWN} and each character once, got {shown(characters)}."
            )
        task.vocabulary = Vocabulary(characters)
        task.alphabet = characters
        return task

    def facts(self) -> dict[str, Any]:
        """Return the vocabulary and a hash of the text."""
        return {"vocabulary": self.vocabulary.characters, "sha256": self.fingerprint}

    def notes(self) -> list[str]:
        """Return the source of the text, its size and the size of its vocabulary."""
        source = self.options.file or "Python's standard library"
        unknown = float((self.numbers == 0).mean())
        count, held_out = len(self.numbers), len(self.numbers) - self.split
        lines = [
            f"{source}: {count:,} characters, {len(self.vocabulary)} different; the last {held_out:,} are held out"
        ]
        if unknown > 0.001:
            lines.append(
                f"{unknown:.1%} of the characters are outside of the vocabulary and count as "
                f"{UNKNOWN}; a larger --vocabulary keeps more"
            )
        return lines

    def shape(self) -> ModelShape:
        """Return characters as input and as output."""
        size = len(self.vocabulary)
        return ModelShape(inputs=size, outputs=size, embedding=self.options.embedding)

    def batch(self, generator: np.random.Generator, position: int) -> Batch:
        """Return the window of all streams at a position; each pass starts from a zero state."""
        window = self.inputs.shape[2]
        place = position % len(self.inputs)
        weights = np.ones((self.inputs.shape[1], window), np.float32)
        return Batch(self.inputs[place], self.targets[place], weights, fresh=place == 0)

    def evaluate(self, predict: Predict) -> dict[str, float]:
        """Return the bits per character over the text held out; states carry over between windows.

        The standard error treats the differences between model and trigrams in each window as independent.
        """
        inputs, targets = self._held_out()
        each, states = [], None
        for window_inputs, window_targets in zip(inputs, targets, strict=True):
            logits, states = predict(window_inputs, states)
            each.append(bits_each(logits, window_targets).mean(axis=1))
        bits = np.stack(each)  # (windows, streams)
        return {
            "bits_per_character": float(bits.mean()),
            "standard_error": standard_error((bits - self._trigram_bits).ravel()),
        }

    def probe(self, generator: np.random.Generator, text: str) -> tuple[Batch, list[str] | None]:
        """Return the text without its last character as inputs, and the following characters as targets.

        Raises:
            OptionError: the text is too short or too long, or has characters outside of the vocabulary.
        """
        if not 2 <= len(text) <= MAX_TRACED:
            raise OptionError(f"--text: expected 2 to {MAX_TRACED} characters, got {len(text)}.")
        numbers = self._encode("--text", text)
        weights = np.ones((1, len(text) - 1), np.float32)
        return Batch(numbers[:, :-1], numbers[:, 1:], weights), list(text[:-1])

    def _encode(self, flag: str, text: str) -> Array:
        """Return the numbers of a text that a user typed, (1, characters)."""
        missing = self.vocabulary.missing(text)
        if missing:
            shown = ", ".join(repr(character) for character in missing)
            raise OptionError(
                f"{flag}: expected characters of the model's vocabulary, got {shown}. "
                f"The vocabulary is: {self.vocabulary.characters[1:]!r}."
            )
        return self.vocabulary.encode(text)[None]

    def _held_out(self) -> tuple[Array, Array]:
        # More streams than in training are faster; each but the first starts from a zero state.
        return _streams(self.numbers[self.split :], 64, self.options.window)

    def baseline(self) -> Score:
        """Return the trigram model's bits on the characters that `evaluate` scores."""
        return Score("trigram model", float(self._trigram_bits.mean()))

    @cached_property
    def _trigram_bits(self) -> Array:
        """Bits per character of the trigram model in each window held out, (windows, streams)."""
        windows, streams, window = self._held_out()[1].shape
        positions = np.arange(self.split + 1, self.split + 1 + windows * streams * window)
        model = Trigram(self.numbers[: self.split], len(self.vocabulary))
        return model.bits_each(self.numbers, positions).reshape(streams, windows, window).mean(axis=2).T

    def sample(self, predict: Predict, generator: np.random.Generator, settings: Sampling) -> str:
        """Return the prompt and its continuation by the model.

        Raises:
            OptionError: the prompt has characters outside of the vocabulary.
        """
        prompt = settings.prompt or ("\n" if not self.vocabulary.missing("\n") else "")
        inputs = self._encode("--prompt", prompt or self.vocabulary.characters[1])
        generated, states = [], None
        for _ in range(settings.length or 500):
            logits, states = predict(inputs, states)
            generated.append(_sample_character(logits[0, -1], settings.temperature, generator))
            inputs = np.array([[generated[-1]]], np.int32)
        return settings.prompt + self.vocabulary.decode(generated)


def _read(options: TextOptions) -> str:
    if options.file is None:
        return standard_library(options.characters or LIBRARY)
    return read_text(options.file, options.characters)[: options.characters]


def _streams(numbers: Array, batch: int, window: int) -> tuple[Array, Array]:
    """Cut a text into parallel streams and the streams into windows.

    If the text is too short for that number of streams, there are fewer.

    Args:
        numbers: (characters,).
        batch: the number of streams.
        window: characters of a stream in a window.

    Returns:
        Inputs and targets, (windows, batch, window) each; the targets are shifted by one character.
    """
    batch = min(batch, (len(numbers) - 1) // window)
    windows = (len(numbers) - 1) // (batch * window)
    used = windows * batch * window

    def cut(part: Array) -> Array:
        return np.ascontiguousarray(part.reshape(batch, windows, window).swapaxes(0, 1))

    return cut(numbers[:used]), cut(numbers[1 : used + 1])


def _sample_character(logits: Array, temperature: float, generator: np.random.Generator) -> int:
    """Return one character drawn from softmax(logits / temperature), never the unknown one."""
    scores = np.asarray(logits, np.float64).copy()
    scores[0] = -np.inf
    if np.isnan(scores).any():
        raise NaNLossError("sample: the model's outputs are not finite. Train it with a smaller --learning-rate.")
    if temperature == 0:
        return int(scores.argmax())
    cumulative = np.exp(log_softmax(scores / temperature)).cumsum()
    return int(np.searchsorted(cumulative, generator.random() * cumulative[-1], side="right"))
