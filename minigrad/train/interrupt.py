"""Ctrl-C between two steps: a run stops only where it can be saved."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SAME_SIGNAL_SECONDS = 1.0  # a sooner signal is the same Ctrl-C, forwarded by `timeout`, `make` or `uv run`


class Interruption:
    """Request to stop a run; true once a signal has arrived.

    Attributes:
        signal: the number of the signal, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._arrival = 0.0

    def __bool__(self) -> bool:
        return self.signal is not None

    def note(self, number: int, frame: FrameType | None) -> None:
        """Record the first signal; a later one ends the program at once."""
        now = time.monotonic()
        if self.signal is None:
            self.signal, self._arrival = number, now
        elif now - self._arrival > SAME_SIGNAL_SECONDS:
            raise KeyboardInterrupt


_raised = [-math.inf]  # time of the last KeyboardInterrupt, in seconds


def raise_once(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, but not twice for the same Ctrl-C."""
    now = time.monotonic()
    if now - _raised[0] > SAME_SIGNAL_SECONDS:
        _raised[0] = now
        raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Record Ctrl-C and SIGTERM inside the `with` block, and let the program run.

    Python allows this in the main thread alone; in other threads nothing is recorded.
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
