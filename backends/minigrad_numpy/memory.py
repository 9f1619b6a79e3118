"""A memory pool for the fused loops, reused from call to call.

New memory is expensive: the system provides it in zeroed pages of 4 KiB and takes 1 to 4 µs for each, as measured on a
virtual machine. An LSTM over (32 rows, 100 steps, 64 features, 128 units) needs about 3000 pages, forward and backward:
9 of 45 ms. A training loop allocates the same sizes again and again, so the latest blocks stay in this pool.

A block is free when its reference count shows no owner but the pool: NumPy's views keep a reference to the array whose
memory they use, and release it when the last view is deleted.

All other arrays come from the allocator. On Linux it returns free memory at the end of its heap to the system if that
is more than twice the largest array freed so far. A training step of a small model then requests the same 3 MiB again
and again: 777 pages a step as counted, a tenth of its time. `raise_mmap_threshold` prevents that.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from functools import lru_cache
from typing import Any

import numpy as np

Array = Any

MAX_POOL_BYTES = 1 << 28  # in the pool
MAX_BLOCKS = 64  # in the pool
MIN_POOLED_BYTES = 1 << 16  # smaller blocks come from the allocator, which keeps them itself
LINE = 64  # bytes; arrays are aligned to cache lines

MMAP_THRESHOLD = (1 << 25) - (1 << 16)  # bytes; glibc ignores freed blocks above 32 MiB

_blocks: list[Array] = []  # the pool, latest first; some blocks are still in use
_lock = threading.Lock()
if hasattr(os, "register_at_fork"):  # fork with the lock held, so that in the child no missing thread holds it
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def raise_mmap_threshold() -> None:
    """Free one large array that was never written to, which costs nothing.

    From then on glibc serves arrays up to that size from its heap, and returns free memory at the end of the heap only
    beyond twice that size, 64 MiB. Other allocators are not affected.

    Source: mallopt(3), "dynamic mmap threshold".
    """
    np.empty(MMAP_THRESHOLD, "uint8")


def allocate(dtype: Any, *shapes: tuple[int, ...]) -> list[Array]:
    """Return new, uninitialized arrays, all cut from one block of memory unless they are small.

    >>> [array.shape for array in allocate("float32", (2, 3), (4,))]
    [(2, 3), (4,)]
    """
    dtype = np.dtype(dtype)
    if _count(shapes) * dtype.itemsize < MIN_POOLED_BYTES:
        return [np.empty(shape, dtype) for shape in shapes]
    starts, size = [], 0
    for shape in shapes:
        starts.append(size)
        size += math.prod(shape) * dtype.itemsize
        size += -size % LINE
    block = _block(size)
    return [np.ndarray(shape, dtype, block, start) for shape, start in zip(shapes, starts, strict=True)]


@lru_cache(maxsize=1024)
def _count(shapes: tuple[tuple[int, ...], ...]) -> int:
    """Return the number of numbers in arrays of these shapes."""
    return sum([math.prod(shape) for shape in shapes])


def _block(size: int) -> Array:
    """Return a block of at least this many bytes: an unused one from the pool, else a new one."""
    with _lock:
        for k, count in enumerate(_reference_counts(_blocks)):
            if count == UNUSED and size <= _blocks[k].size <= 2 * size:
                block = _blocks.pop(k)
                break
        else:
            block = np.empty(size, "uint8")
        _blocks.insert(0, block)
        while len(_blocks) > MAX_BLOCKS or sum([p.size for p in _blocks]) > MAX_POOL_BYTES:
            _blocks.pop()
    return block


def _reference_counts(blocks: list[Array]) -> list[int]:
    return [sys.getrefcount(block) for block in blocks]


UNUSED = _reference_counts([np.empty(0)])[0]
