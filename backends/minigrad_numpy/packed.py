"""Weights in the form that a product reads (joined, transposed, packed), cached from call to call.

A loop multiplies by the same weights at every step and in every call until an update. An update assigns new arrays and
never writes into the old ones, so an array object identifies a version of the weights. A cached form stays valid while
the object lives, and is dropped with it. As a guard, the arrays are read-only from then on.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

Array = Any

MAX_ENTRIES = 128  # beyond this, the oldest are dropped

_entries: dict[Any, tuple[list[Any], Any]] = {}  # weak references to the weights, and their form; oldest first
_lock = threading.Lock()  # no weakref callback takes it: one can run at any time, in the thread that holds it too


def packed(kind: Any, weights: Sequence[Array], make: Callable[[], Any]) -> Any:
    """Return the result of `make()`, computed once for these array objects.

    Args:
        kind: a name for the form; one array can be packed in several forms.
        weights: the arrays.
        make: computes the form, which must not be written to.
    """
    key = (kind, *map(id, weights))
    found = _entries.get(key)
    if found is not None:
        references, made = found
        for reference, w in zip(references, weights, strict=True):
            if reference() is not w:
                break
        else:
            return made
    made = make()
    for w in weights:
        w.flags.writeable = False  # a write would make `made` stale; now NumPy raises instead

    def forget(_: Any) -> None:
        _entries.pop(key, None)

    references = [weakref.ref(w, forget) for w in weights]
    with _lock:
        _entries[key] = references, made
        while len(_entries) > MAX_ENTRIES:
            _entries.pop(next(iter(_entries)), None)
    return made
