"""Alt texts of pictures for people who cannot see them, computed from the drawn values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from minigrad.engine.errors import MinigradError, shown
from minigrad.engine.foreign import attempted

_texts: WeakKeyDictionary[Any, list[str]] = WeakKeyDictionary()


def add_alt_text(ax: Any, *sentences: str) -> Any:
    """Add sentences to the alt text of axes, and return the axes."""
    _texts.setdefault(ax, []).append(" ".join(sentences))
    return ax


def alt_text(picture: Any) -> str:
    """Return the alt text of a picture: its kind, the ranges of its values, the main message.

    Args:
        picture: axes returned by a function of `minigrad.plot`, their figure, or a `Drawing`.

    Raises:
        MinigradError: no function of `minigrad.plot` drew into it.
    """
    if isinstance(getattr(picture, "alt", None), str):
        return str(picture.alt)
    parts = picture.axes if isinstance(getattr(picture, "axes", None), list) else [picture]
    sentences = [sentence for ax in parts for sentence in attempted(_texts.get, ax) or ()]  # it may have no hash
    if not sentences:
        raise MinigradError(
            f"alt_text: expected `picture`, axes that a function of minigrad.plot returned, got {shown(picture)}."
        )
    return " ".join(sentences)


def range_text(values: Any, digits: int = 3) -> str:
    """Return the range of values in words.

    >>> range_text([0.5, 0.25, float("nan")])
    'from 0.25 to 0.5, mean 0.375'
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        return "nothing"
    low, high, mean = (f"{v:.{digits}g}" for v in (known.min(), known.max(), known.mean()))
    return f"{low} throughout" if low == high else f"from {low} to {high}, mean {mean}"


def count_text(count: int, noun: str) -> str:
    """Return a count and its noun.

    >>> count_text(1, "unit"), count_text(3, "unit")
    ('1 unit', '3 units')
    """
    return f"{count} {noun}{'s' * (count != 1)}"


def join_words(words: Sequence[str]) -> str:
    """Return words joined by commas and "and".

    >>> join_words(["i", "f", "o"])
    'i, f and o'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def step_of_largest(values: Any, steps: Any) -> int:
    """Return the step with the largest value."""
    return int(np.asarray(steps)[int(np.nanargmax(np.where(np.isfinite(values), values, -np.inf)))])
