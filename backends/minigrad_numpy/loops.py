"""What the fused loops over time share: blocks of steps, arrays turned round, masks, gate activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import add, exp, multiply, reciprocal, subtract

Array = Any

CACHE = 1 << 20  # bytes of a buffer that stays near the processor, as measured; the exact number matters little
LONG = 1024  # rows from which on a product for the weight gradients is as fast as it gets
STRIP = 16  # rows turned round at a time


def steps_in(budget: int, step: int, T: int) -> int:
    """How many steps of `step` bytes (or rows) fit a budget: at least one, at most all T.

    >>> steps_in(1000, 300, 50), steps_in(1000, 5000, 50), steps_in(1000, 1, 50)
    (3, 1, 50)
    """
    return max(1, min(T, budget // max(1, step)))


def turned(rows: Array, out: Array) -> None:
    """Writes (time, batch, n) as (time, n, batch).

    In strips: where n is a power of two, the rows of a whole batch fall on the same few lines of the cache and drive
    each other out. At (128 rows, 512) strips take 0.6 ns a number where one copy takes 2.2 ns.

    >>> out = np.empty((1, 3, 2))
    >>> turned(np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]), out)
    >>> out
    array([[[1., 4.], [2., 5.], [3., 6.]]])
    """
    for row in range(0, out.shape[2], STRIP):
        strip = slice(row, row + STRIP)
        out[:, :, strip] = rows[:, strip].transpose(0, 2, 1)


class Mask(NamedTuple):
    """A mask (time, batch) of bools, in the form that the loops need."""

    hold: Array  # (time, batch): the row keeps its state
    silent: Array  # (time, batch): the row's output is a constant zero
    rows: list[Array | None]  # `hold` step by step; None at a step where every row goes on


def read_mask(mask: Array | None, zero_output: bool) -> Mask | None:
    """The mask as the loops need it; None if no row rests at any step.

    A masked step repeats the output of the step before, which is the state h that the row keeps; but before the first
    step of its own a row has put out nothing, whatever h₀ is, and then the output is zero.
    """
    if mask is None or mask.all():
        return None
    hold = np.logical_not(mask)
    silent = hold if zero_output else np.logical_not(np.logical_or.accumulate(mask, axis=0))
    return Mask(hold, silent, [row if some else None for row, some in zip(hold, hold.any(1).tolist(), strict=True)])


class GateActivation(NamedTuple):
    """A gate's σ(z) = squash(scale z + shift): scale and shift go into the weights, the rest is done in place."""

    scale: float
    shift: float
    squash: Callable[[Array, Array], Any]  # (s, one): replaces s by σ; `one` is a 1 of s's dtype
    slope: Callable[[Array, Array], Any]  # (σ, out): writes σ′ into out


def _sigmoid(s: Array, one: Array) -> None:
    exp(s, s)
    add(s, one, s)
    reciprocal(s, s)


def _sigmoid_slope(y: Array, out: Array) -> None:
    subtract(1.0, y, out)
    multiply(out, y, out)


def _hard_sigmoid(s: Array, one: Array) -> None:
    np.maximum(s, 0.0, out=s)
    np.minimum(s, one, out=s)


def _hard_sigmoid_slope(y: Array, out: Array) -> None:
    multiply((y > 0.0) & (y < 1.0), 0.2, out)


GATE_ACTIVATIONS = {
    "sigmoid": GateActivation(-1.0, 0.0, _sigmoid, _sigmoid_slope),  # 1 / (1 + exp(−z))
    "hard_sigmoid": GateActivation(0.2, 0.5, _hard_sigmoid, _hard_sigmoid_slope),  # clip(0.2 z + 0.5, 0, 1)
}
