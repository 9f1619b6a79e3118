"""Gates that several units share: their numbers are spread over the units of their block, their gradients summed.

With `blocks` numbers and `units` units, number k stands for the units k n … (k + 1) n − 1, where n = units / blocks. A
value is repeated n times, so its gradient is the sum over the block. All units of a block are equal, so a new state of
such a width is read from the first unit of each block, and its gradient is added there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.compiler.widths import UNITS


def spread(xp: Xp, v: Array, n: int) -> Array:
    """Return each number n times, (…, blocks) → (…, units)."""
    shape = (*v.shape, n)
    return xp.reshape(xp.broadcast_to(xp.expand_dims(v, -1), shape), (*v.shape[:-1], v.shape[-1] * n))


def summed(xp: Xp, d: Array, n: int) -> Array:
    """Return the sum over each block, (…, units) → (…, blocks)."""
    return xp.sum(_in_blocks(xp, d, n), -1)


def first(xp: Xp, v: Array, n: int) -> Array:
    """Return the first number of each block, (…, units) → (…, blocks)."""
    return xp.getitem(_in_blocks(xp, v, n), (..., 0))


def into_first(xp: Xp, d: Array, n: int) -> Array:
    """Return each number as the first of its block, the others 0, (…, blocks) → (…, units)."""
    rest = xp.zeros((*d.shape, n - 1), d.dtype)
    return xp.reshape(xp.concat([xp.expand_dims(d, -1), rest], -1), (*d.shape[:-1], d.shape[-1] * n))


def _in_blocks(xp: Xp, v: Array, n: int) -> Array:
    return xp.reshape(v, (*v.shape[:-1], v.shape[-1] // n, n))


def words(xp: Xp, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Return these four functions, and zeros, as words of the lines: functions of an array and the name of a width."""

    def by_name(function: Any) -> Any:
        return lambda v, width: function(xp, v, sizes[UNITS] // sizes[width])

    found = {f"_{function.__name__}": by_name(function) for function in (spread, summed, first, into_first)}
    return found | {"_zeros": lambda like, width: xp.zeros((*like.shape[:-1], sizes[width]), like.dtype)}
