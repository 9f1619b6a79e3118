"""Memory for the fused loops, used again from call to call.

New memory is dear: the system hands it over in pages of 4 KiB, zeroed, and takes 1 to 4 µs for each, as measured on a
virtual machine. An LSTM over (32 rows, 100 steps, 64 features, 128 units) wants some 3000 of them, forward and
backward: 9 of 45 ms. A training loop asks for the same sizes again and again, so the pieces handed out last stay here.

How a piece is known to be free: NumPy's views hold on to the array that they are views of. When the last of them goes,
the piece has no owner left but the list in this file, and Python counts owners.

All other arrays come from the allocator, which on Linux gives the system back what lies free at the end of its memory
if it is more than twice the largest array freed so far: a training step of a small model then buys the same 3 MiB
again and again, 777 pages a step as counted, a tenth of its time. `let_the_allocator_keep` ends that.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from typing import Any

import numpy as np

Array = Any

POOL = 1 << 28  # bytes of memory that stay here for the next call,
PIECES = 64  # in so many pieces at most,
SMALL = 1 << 16  # each of so many bytes at least: the allocator keeps smaller ones itself
LINE = 64  # bytes: arrays begin where a line of the cache may

KEPT = (1 << 25) - (1 << 16)  # bytes: glibc learns nothing from what is above 32 MiB

_pieces: list[Array] = []  # handed out last, the latest first; some of them are still in use
_lock = threading.Lock()
if hasattr(os, "register_at_fork"):  # a fork waits for it, so that no thread that the child lacks holds it there
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def let_the_allocator_keep() -> None:
    """Frees one large array that was never written to, which costs nothing.

    From then on glibc takes arrays up to that size out of its own memory, and gives back what lies free at the end of
    it only beyond twice that size, 64 MiB. To other allocators it means nothing.

    Source: mallopt(3), "dynamic mmap threshold".
    """
    np.empty(KEPT, "uint8")


def carved(dtype: Any, *shapes: tuple[int, ...]) -> list[Array]:
    """New arrays, not yet written to, all cut from one piece of memory unless they are small.

    >>> [array.shape for array in carved("float32", (2, 3), (4,))]
    [(2, 3), (4,)]
    """
    dtype = np.dtype(dtype)
    if sum([math.prod(shape) for shape in shapes]) * dtype.itemsize < SMALL:
        return [np.empty(shape, dtype) for shape in shapes]
    starts, size = [], 0
    for shape in shapes:
        starts.append(size)
        size += math.prod(shape) * dtype.itemsize
        size += -size % LINE
    memory = _memory(size)
    return [np.ndarray(shape, dtype, memory, start) for shape, start in zip(shapes, starts, strict=True)]


def _memory(size: int) -> Array:
    """A piece of memory of so many bytes: one used before, if there is one that nobody looks at any more."""
    with _lock:
        for k, owners in enumerate(_owners(_pieces)):
            if owners == ALONE and size <= _pieces[k].size <= 2 * size:
                piece = _pieces.pop(k)
                break
        else:
            piece = np.empty(size, "uint8")
        _pieces.insert(0, piece)
        while len(_pieces) > PIECES or sum([p.size for p in _pieces]) > POOL:
            _pieces.pop()
    return piece


def _owners(pieces: list[Array]) -> list[int]:
    return [sys.getrefcount(piece) for piece in pieces]


ALONE = _owners([np.empty(0)])[0]
