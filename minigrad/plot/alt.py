"""What a picture shows, in words: for who cannot see it, computed from what was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from minigrad.engine.errors import MinigradError, shown

_said: WeakKeyDictionary[Any, list[str]] = WeakKeyDictionary()


def describe(ax: Any, *sentences: str) -> Any:
    """Notes what was drawn into axes, and returns them."""
    _said.setdefault(ax, []).append(" ".join(sentences))
    return ax


def alt_text(picture: Any) -> str:
    """Returns what a picture shows: the kind of picture, ranges, the main message.

    Args:
        picture: axes that a function of `minigrad.plot` drew into, their figure, or a `Drawing`.

    Raises:
        MinigradError: nothing of minigrad's is in it.
    """
    if isinstance(getattr(picture, "alt", None), str):
        return str(picture.alt)
    parts = picture.axes if isinstance(getattr(picture, "axes", None), list) else [picture]
    try:
        said = [sentence for ax in parts for sentence in _said.get(ax, [])]
    except TypeError:  # what cannot be a key was never drawn into
        said = []
    if not said:
        raise MinigradError(
            f"alt_text: minigrad.plot drew nothing into {shown(picture)}. Give it the axes that a function returned."
        )
    return " ".join(said)


def spread(values: Any, digits: int = 3) -> str:
    """Returns between what values lie.

    >>> spread([0.5, 0.25, float("nan")])
    'from 0.25 to 0.5, mean 0.375'
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        return "nothing"
    low, high, mean = (f"{v:.{digits}g}" for v in (known.min(), known.max(), known.mean()))
    return f"{low} throughout" if low == high else f"from {low} to {high}, mean {mean}"


def counted(count: int, what: str) -> str:
    """Returns how many there are.

    >>> counted(1, "unit"), counted(3, "unit")
    ('1 unit', '3 units')
    """
    return f"{count} {what}{'s' * (count != 1)}"


def listed(words: Sequence[str]) -> str:
    """Returns words as one writes them.

    >>> listed(["i", "f", "o"])
    'i, f and o'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def peak(values: Any, steps: Any) -> int:
    """Returns the step with the largest value."""
    return int(np.asarray(steps)[int(np.nanargmax(np.where(np.isfinite(values), values, -np.inf)))])
