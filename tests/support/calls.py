"""The Python functions that a call enters, as `sys.setprofile` reports them: how deep a newcomer has to follow it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PARTS = (f"{ROOT / 'minigrad'}/", f"{ROOT / 'backends'}/")


class Calls(NamedTuple):
    """Numbers of one call, in minigrad and its backends alone.

    Attributes:
        functions: the functions entered, each as often as it is entered; up to Python 3.11 comprehensions too.
        files: the distinct files of these functions.
        moves: how often a function is in another file than the function entered before it.
    """

    functions: int
    files: int
    moves: int


def entered(function: Callable[[], Any]) -> list[tuple[str, str]]:
    """Return (file, function) for each Python function of minigrad and its backends that a call enters, in order."""
    found: list[tuple[str, str]] = []

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PARTS):
            found.append((frame.f_code.co_filename, frame.f_code.co_qualname))

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return found


def count(function: Callable[[], Any]) -> Calls:
    """Return the numbers of one call."""
    files = [file for file, _ in entered(function)]
    return Calls(len(files), len(set(files)), sum(a != b for a, b in pairwise(files)))


def lstm_call() -> Callable[[], Any]:
    """Return a second forward pass of a small LSTM on a tensor, NumPy backend."""
    import minigrad as mg  # the count of figures that need no layer runs without it

    layer = mg.keras.layers.LSTM(4, return_sequences=True)
    x = mg.tensor(mg.random.normal((2, 10, 3)).numpy())
    layer(x)
    return lambda: layer(x)


def lstm_forward() -> Calls:
    """Return the numbers of the call of `lstm_call`."""
    return count(lstm_call())


if __name__ == "__main__":
    for file, function in entered(lstm_call()):
        print(f"{file.removeprefix(f'{ROOT}/')}: {function}")
    print(lstm_forward())
