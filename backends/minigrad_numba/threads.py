"""Threads over the rows of a batch: each runs the whole sequence for its rows, with single-threaded products.

The threads synchronize once a sequence, and the work between the products is parallel too. The alternative, products on
all threads of BLAS, synchronizes twice a step and leaves all threads but one idle in between. Its advantage is to read
the weights once a step, not once a step and thread.
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

MIN_ROWS = 8  # of a thread
MIN_MULTIPLICATIONS = 1 << 23  # of a thread; fewer take no longer than to start one
SINGLE_THREADED = 1 << 18  # multiplications below which BLAS itself takes one thread

# Names of the functions that get and set the number of threads, in the builds of NumPy's BLAS.
NAMES = ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads")

_get_threads, _set_threads = symbol(NAMES, "get") or (lambda: 1), symbol(NAMES, "set") or (lambda count: None)
_lock = threading.Lock()
_single_threaded_callers = 0  # the number of callers that need BLAS on one thread
_threads_before = 1  # BLAS' number of threads before the first of them
_pool: ThreadPoolExecutor | None = None


def available() -> int:
    """Return BLAS' number of threads, which this backend uses too; 1 if unknown."""
    return _threads_before if _single_threaded_callers else int(_get_threads())


def parts_for(rows: int, multiplications: int) -> int:
    """Return the number of parts worth a thread each, for this number of rows and of multiplications in all."""
    most = min(rows // MIN_ROWS, multiplications // MIN_MULTIPLICATIONS)
    return min(most, available()) if most > 1 else 1


def in_parts(function: Callable[[slice], Any], rows: int, multiplications: int, blas: bool = True) -> list[Any]:
    """Call a function with slices that cover all rows, in parallel; without `blas` it calls no BLAS."""
    parts = parts_for(rows, multiplications)
    if parts == 1 and not blas:
        return [function(slice(0, rows))]
    return map_parts(function, slices(rows, parts), multiplications, blas)


def matmul(a: Array, b: Array) -> Array:
    """The matrix product, on the threads of this module.

    BLAS' threads spin for a while after a product and slow these down: with both, a training step of a small model took
    50 % longer.
    """
    if a.ndim < 2 or b.ndim != 2 or (multiplications := a.size * b.shape[1]) < SINGLE_THREADED:
        return minigrad_numpy.matmul(a, b)
    rows = a.reshape(-1, a.shape[-1])
    y = np.empty((len(rows), b.shape[1]), np.result_type(a, b))
    in_parts(lambda part: np.matmul(rows[part], b, out=y[part]), len(rows), multiplications)
    return y.reshape(*a.shape[:-1], b.shape[1])


def slices(rows: int, parts: int) -> list[slice]:
    """Return slices of equal parts of the rows.

    >>> slices(5, 2)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    if parts == 1:
        return [slice(0, rows)]
    cuts = [rows * k // parts for k in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(cuts)]


def map_parts(
    function: Callable[[Any], Any], items: Sequence[Any], multiplications: int, blas: bool = True
) -> list[Any]:
    """Return the results of `map`, with every call but the first in a separate thread, products on one thread.

    All calls have ended when it returns or raises. Each runs in the caller's context, which holds `np.errstate`.
    """
    if multiplications < SINGLE_THREADED or (len(items) == 1 and not blas):
        return list(map(function, items))
    first, *others = items
    with _products_on_one_thread():
        try:
            running = [_executor().submit(copy_context().run, function, other) for other in others]
        except RuntimeError:  # the interpreter is shutting down and starts no thread
            return list(map(function, items))
        try:
            done = function(first)
        finally:
            wait(running)
        return [done, *[other.result() for other in running]]


@contextmanager
def _products_on_one_thread() -> Iterator[None]:
    global _single_threaded_callers, _threads_before
    with _lock:
        if not _single_threaded_callers:
            _threads_before = available()
            _set_threads(1)
        _single_threaded_callers += 1
    try:
        yield
    finally:
        with _lock:
            _single_threaded_callers -= 1
            if not _single_threaded_callers:
                _set_threads(_threads_before)


def _executor() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(os.cpu_count(), "minigrad_numba")
        return _pool


def _reset_after_fork() -> None:
    """Reset the module in a forked process, which has neither the threads nor a holder of the lock."""
    global _pool, _single_threaded_callers, _lock
    _pool, _single_threaded_callers, _lock = None, 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
