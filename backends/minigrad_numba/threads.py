"""Threads over the rows of a batch: each runs the whole sequence for its rows, with products on one thread.

So the threads meet once a sequence, and everything between the products is shared out too. The other way, products on
all of BLAS' threads one after the other, makes them meet twice a step, and leaves all but one idle in between; but it
reads the weights once a step and not once a step and thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad_numba.products import symbol

Array = Any

ROWS = 8  # so many rows at least get a thread of their own,
WORK = 1 << 23  # and so many multiplications; less is done before it has begun

# What NumPy's BLAS calls the functions that tell and set its number of threads.
NAMES = ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads")

_tell, _set = symbol(NAMES, "get"), symbol(NAMES, "set")
_lock = threading.Lock()
_inside = 0  # how many callers want BLAS on one thread
_before = 1  # how many threads it had before the first of them came
_pool: ThreadPoolExecutor | None = None


def available() -> int:
    """How many threads BLAS would use, which is how many may be used here; 1 where it does not tell."""
    if _tell is None or _set is None:
        return 1
    if _inside:
        return _before
    return int(_tell())


def parts_for(x: Array, weights: Sequence[Any]) -> int:
    """In how many parts a batch x (time, batch, features) is worth being cut."""
    T, B, _ = x.shape
    multiplications = T * B * sum(w.size for w in weights if w is not None)
    return int(max(1, min(available(), B // ROWS, multiplications // WORK)))


class Shared:
    """A loop over time of which each thread runs some rows of the batch.

    Attributes:
        loop: the module with the loop's `forward` and `backward`.
        states: how many arrays its state has.
    """

    def __init__(self, loop: Any, states: int) -> None:
        self.loop, self.states = loop, states

    def forward(self, x: Array, *arguments: Any, **options: Any) -> tuple[Any, ...]:
        """Runs the loop. The arguments are the initial state, the weights and the mask."""
        state, weights, mask = arguments[: self.states], arguments[self.states : -1], arguments[-1]

        def part(rows: slice) -> Any:
            of_mask = None if mask is None else mask[:, rows]
            return self.loop.forward(x[:, rows], *[s[rows] for s in state], *weights, of_mask, **options)

        parts = _each(part, _slices(x.shape[1], parts_for(x, weights)))
        y, *state_T, kept = zip(*parts, strict=True)
        return (_joined(y, 1), *[_joined(s, 0) for s in state_T], kept)

    def backward(self, dy: Array, *arguments: Any, needs_dx: bool = True) -> tuple[Any, ...]:
        """Runs the loop backward. The arguments are ∂loss/∂(final state), what was kept, x and the weights."""
        n = self.states
        dstate, kept, x, weights = arguments[:n], arguments[n], arguments[n + 1], arguments[n + 2 :]

        def part(rows: slice, kept: Any) -> Any:
            of_dstate = [None if d is None else d[rows] for d in dstate]
            of_dy = None if dy is None else dy[:, rows]
            return self.loop.backward(of_dy, *of_dstate, kept, x[:, rows], *weights, needs_dx=needs_dx)

        parts = _each(part, _slices(x.shape[1], len(kept)), kept)
        dx, *others = zip(*parts, strict=True)
        joined = [_joined(d, 0) for d in others[:n]]
        return (_joined(dx, 1) if needs_dx else None, *joined, *[_summed(d) for d in others[n:]])


def _slices(rows: int, parts: int) -> list[slice]:
    """So many equal parts of the rows.

    >>> _slices(5, 2)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    cuts = [rows * k // parts for k in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(cuts)]


def _each(function: Callable[..., Any], *arguments: Sequence[Any]) -> list[Any]:
    """What `map` gives, each call but the first in a thread of its own."""
    first, *others = zip(*arguments, strict=True)
    if not others:
        return [function(*first)]
    with _products_on_one_thread():
        running = [_threads().submit(function, *other) for other in others]
        return [function(*first), *[other.result() for other in running]]


def _joined(parts: tuple[Array, ...], axis: int) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis)


def _summed(parts: tuple[Any, ...]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        if total is not None:
            total += part
    return total


@contextmanager
def _products_on_one_thread() -> Iterator[None]:
    global _inside, _before
    with _lock:
        if not _inside:
            _before = available()
            _set(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _set(_before)


def _threads() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(os.cpu_count(), "minigrad_numba")
    return _pool


def _forget() -> None:
    """The threads of a process do not live on in its fork."""
    global _pool, _inside
    _pool, _inside = None, 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
