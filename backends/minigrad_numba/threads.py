"""Threads over the rows of a batch: each runs the whole sequence for its rows, with products on one thread.

So the threads meet once a sequence, and everything between the products is shared out too. The other way, products on
all of BLAS' threads one after the other, makes them meet twice a step, and leaves all but one idle in between; but it
reads the weights once a step and not once a step and thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from itertools import pairwise
from typing import Any

import numpy as np

import minigrad_numpy
from minigrad_numba.products import symbol

Array = Any

ROWS = 8  # so many rows at least get a thread of their own,
WORK = 1 << 23  # and so many multiplications; less is done before it has begun
ALONE = 1 << 18  # fewer, and BLAS takes one thread of its own accord

# What NumPy's BLAS calls the functions that tell and set its number of threads.
NAMES = ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads")

_tell, _set = symbol(NAMES, "get") or (lambda: 1), symbol(NAMES, "set") or (lambda count: None)
_lock = threading.Lock()
_inside = 0  # how many callers want BLAS on one thread
_before = 1  # how many threads it had before the first of them came
_pool: ThreadPoolExecutor | None = None


def available() -> int:
    """How many threads BLAS would use, which is how many may be used here; 1 where it does not tell."""
    return _before if _inside else int(_tell())


def parts_for(rows: int, multiplications: int) -> int:
    """In how many parts so many rows, with so many multiplications in all, are worth being cut."""
    most = min(rows // ROWS, multiplications // WORK)
    return min(most, available()) if most > 1 else 1


def in_parts(function: Callable[[slice], Any], rows: int, multiplications: int) -> list[Any]:
    """Calls a function with slices that together are all rows, side by side."""
    return each(function, slices(rows, parts_for(rows, multiplications)), multiplications)


def matmul(a: Array, b: Array) -> Array:
    """The matrix product, on these threads.

    Those of BLAS go on spinning for a while after a product, in the way of these here: with both, a training step of a
    small model took half as long again.
    """
    if a.ndim < 2 or b.ndim != 2 or (multiplications := a.size * b.shape[1]) < ALONE:
        return minigrad_numpy.matmul(a, b)
    rows = a.reshape(-1, a.shape[-1])
    y = np.empty((len(rows), b.shape[1]), np.result_type(a, b))
    in_parts(lambda part: np.matmul(rows[part], b, out=y[part]), len(rows), multiplications)
    return y.reshape(*a.shape[:-1], b.shape[1])


def slices(rows: int, parts: int) -> list[slice]:
    """So many equal parts of the rows.

    >>> slices(5, 2)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    if parts == 1:
        return [slice(0, rows)]
    cuts = [rows * k // parts for k in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(cuts)]


def each(function: Callable[[Any], Any], items: Sequence[Any], multiplications: int) -> list[Any]:
    """What `map` gives, each call but the first in a thread of its own, products on one thread.

    All of them have ended when it returns or raises. Each sees the caller's context, where NumPy keeps `np.errstate`.
    """
    if multiplications < ALONE:
        return list(map(function, items))
    first, *others = items
    with _products_on_one_thread():
        try:
            running = [_threads().submit(copy_context().run, function, other) for other in others]
        except RuntimeError:  # the interpreter is on its way out, and starts no thread any more
            return list(map(function, items))
        try:
            done = function(first)
        finally:
            wait(running)
        return [done, *[other.result() for other in running]]


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
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(os.cpu_count(), "minigrad_numba")
        return _pool


def _forget() -> None:
    """The threads of a process do not live on in its fork, nor does one that held the lock ever let it go."""
    global _pool, _inside, _lock
    _pool, _inside, _lock = None, 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
