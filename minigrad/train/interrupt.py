"""Ctrl-C between two steps: a run is stopped only where it can be saved."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SAME = 1.0  # seconds: what comes sooner is the same Ctrl-C, passed on by `timeout`, `make` or `uv run` as well


class Interruption:
    """Whether somebody asked the run to stop.

    Attributes:
        signal: the number of the signal that came, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._came = 0.0

    def __bool__(self) -> bool:
        return self.signal is not None

    def note(self, number: int, frame: FrameType | None) -> None:
        """Remember the first signal; one that comes later ends the program at once."""
        now = time.monotonic()
        if self.signal is None:
            self.signal, self._came = number, now
        elif now - self._came > SAME:
            raise KeyboardInterrupt


_raised = [-math.inf]  # when


def raise_once(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, but not for the same Ctrl-C again while the first is being answered."""
    now = time.monotonic()
    if now - _raised[0] > SAME:
        _raised[0] = now
        raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Inside the `with` block, Ctrl-C (and SIGTERM) only leave a note.

    Python allows this in the main thread alone; elsewhere the note stays empty.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {n: signal.signal(n, interruption.note) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
