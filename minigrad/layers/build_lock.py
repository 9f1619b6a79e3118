"""A lock for each layer's build: one thread at a time makes the weights, other threads that call the layer wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from minigrad.engine.flow import new_lock

_guard = new_lock()
in_progress: dict[int, list[RLock]] = {}
"""For each layer that is being built, by its id: its lock, once for each thread.

While it is not empty, a layer may be `built` before all of its weights are there.
"""


@contextmanager
def alone(layer: object) -> Iterator[None]:
    """Wait until no other thread builds the layer, and let none begin inside the block."""
    with _guard:
        locks = in_progress.setdefault(id(layer), [])
        locks.append(locks[0] if locks else RLock())
    try:
        with locks[0]:
            yield
    finally:
        with _guard:
            locks.pop()
            if not locks:
                in_progress.pop(id(layer), None)
