"""Labels as one-hot rows, sequences padded to one length, and the seed of the generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.engine import random
from minigrad.engine.arguments import entries
from minigrad.engine.creation import as_tensor, tensor
from minigrad.engine.errors import ShapeError, shown
from minigrad.engine.foreign import attempted, naming
from minigrad.engine.functional import one_hot
from minigrad.engine.functional.shaping import sizes_of, whole_numbers
from minigrad.engine.kinds import count as counts
from minigrad.layers.options import choice, positive_int


def set_random_seed(seed: int) -> None:
    """Seed minigrad's generator, which draws weights, dropout and shuffling; Python's and NumPy's stay."""
    random.seed(seed)


def to_categorical(y: Any, num_classes: int | None = None, dtype: str = "float32") -> Any:
    """Return integer labels as one-hot rows, a NumPy array: (…) or (…, 1) → (…, num_classes).

    Args:
        y: the labels, from 0.
        num_classes: the largest label plus one by default.
        dtype: of the result.

    Raises:
        DTypeError: a label is not a whole number.
        ShapeError: a label is negative, or too large.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    labels = whole_numbers("to_categorical: `y`", as_tensor(y, None, "to_categorical: `y`"))
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels.reshape(labels.shape[:-1])
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, -1)
    count = high + 1 if num_classes is None else positive_int.read("to_categorical: `num_classes`", num_classes)
    if low < 0 or high >= count:
        raise ShapeError(
            f"to_categorical: expected `y`, labels from 0 to {count - 1} (`num_classes` − 1), got {low} to {high}."
        )
    with naming(f"to_categorical: `{'y' if num_classes is None else 'num_classes'}`"):
        return one_hot(labels, count, dtype).numpy()


def pad_sequences(
    sequences: Sequence[Sequence[Any]],
    maxlen: int | None = None,
    dtype: str = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float = 0.0,
) -> Any:
    """Return sequences of numbers, padded or cut to one length, as a NumPy array (sequences, maxlen).

    Args:
        sequences: lists of numbers.
        maxlen: the length; that of the longest by default.
        dtype: of the result.
        padding: whether to pad before (``"pre"``) or after (``"post"``) the numbers.
        truncating: whether to cut at the beginning (``"pre"``) or at the end (``"post"``).
        value: the padding value.

    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2).tolist()
    [[0, 1], [3, 4]]
    """
    for name, word in (("padding", padding), ("truncating", truncating)):
        choice("pre", "post").read(f"pad_sequences: `{name}`", word)
    several: Any = entries(sequences)
    lengths = attempted(lambda lists: [len(s) for s in lists], several)
    if lengths is None or getattr(getattr(sequences, "dtype", None), "names", None):
        raise ShapeError(f"pad_sequences: expected `sequences`, a list of lists of numbers, got {shown(sequences)}.")
    length = max(lengths, default=0) if maxlen is None else counts.read("pad_sequences: `maxlen`", maxlen)
    sizes_of((len(lengths), length), where="pad_sequences: `maxlen`")
    rows = []
    for sequence in several:
        part = list(sequence)[max(0, len(sequence) - length) :] if truncating == "pre" else list(sequence)[:length]
        padded = [value] * (length - len(part))
        rows.append(padded + part if padding == "pre" else part + padded)
    return (
        as_tensor(rows, dtype, "pad_sequences: `sequences`, `value`").numpy()
        if rows
        else tensor([], dtype).reshape((0, length)).numpy()
    )
