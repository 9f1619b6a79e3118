"""Building: only one thread at a time makes the weights of a layer; others that want to call it wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from minigrad.engine.flow import new_lock

_guard = new_lock()
_waiting: dict[int, list[RLock]] = {}  # for each layer that is being built, by its id: its lock, once for each thread


def in_progress() -> bool:
    """Return whether any layer is being built; it may say `built` before all of its weights are there."""
    return bool(_waiting)


@contextmanager
def alone(layer: object) -> Iterator[None]:
    """Wait until no other thread builds the layer, and let none begin inside the block."""
    with _guard:
        locks = _waiting.setdefault(id(layer), [])
        locks.append(locks[0] if locks else RLock())
    try:
        with locks[0]:
            yield
    finally:
        with _guard:
            locks.pop()
            if not locks:
                _waiting.pop(id(layer), None)
