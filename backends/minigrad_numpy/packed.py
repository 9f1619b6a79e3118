"""Forms of weights, kept from call to call: matrices joined, turned round, or packed for a product.

A loop multiplies by the same weights at every step and in every call until an update. An update puts new arrays in the
weights' places and never writes into the old ones, so an array object is a version: what was made of it is right as
long as the object lives, and is dropped when it dies. As a guard, the arrays are read-only from then on.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

Array = Any

MOST = 128  # entries: with more, the oldest go

_kept: dict[Any, tuple[list[Any], Any]] = {}  # the weights, weakly, and what was made of them; oldest first
_lock = threading.Lock()  # no weakref's callback takes it: one can come at any time, also to whoever holds it


def packed(kind: Any, weights: Sequence[Array], make: Callable[[], Any]) -> Any:
    """Returns what `make()` returns, made once for these array objects.

    Args:
        kind: what is made of them; one array can be packed in several ways.
        weights: the arrays.
        make: makes it; what it returns is not to be written to.
    """
    key = (kind, *map(id, weights))
    found = _kept.get(key)
    if found is not None:
        references, made = found
        if all(reference() is w for reference, w in zip(references, weights, strict=True)):
            return made
    made = make()
    for w in weights:
        w.flags.writeable = False  # a write would leave `made` behind; NumPy now raises in its place

    def forget(_: Any) -> None:
        _kept.pop(key, None)

    references = [weakref.ref(w, forget) for w in weights]
    with _lock:
        _kept[key] = references, made
        while len(_kept) > MOST:
            _kept.pop(next(iter(_kept)), None)
    return made
