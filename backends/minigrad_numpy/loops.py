"""What the fused loops over time share: blocks of steps, arrays turned round, masks, gate activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import add, dot, exp, multiply, reciprocal, subtract

Array = Any

CACHE = 1 << 20  # bytes of a buffer that stays near the processor, as measured; the exact number matters little
LONG = 1024  # rows from which on a product is as fast as it gets
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


def stacked(*weights: Any) -> Array:
    """Matrices and a bias below each other; a bias that is None is zero.

    >>> stacked(np.ones((2, 3)), None)
    array([[1., 1., 1.],
           [1., 1., 1.],
           [0., 0., 0.]])
    """
    *matrices, b = weights
    bias = np.zeros((1, matrices[0].shape[1]), matrices[0].dtype) if b is None else b[None]
    return np.concatenate([*matrices, bias])


def ordered(w: Array, parts: int, order: list[int]) -> Array:
    """A copy of w (n, parts · units), its parts in another order."""
    return w.reshape(len(w), parts, w.shape[1] // parts)[:, order].reshape(w.shape)


def room_to_gather(x: Array, H: int, size: int, n: int) -> list[tuple[int, ...]]:
    """The shapes of the arrays that `walked_back` works in."""
    (T, B, I) = x.shape
    K = I + H + 1
    N = n * steps_in(LONG, n * B, -(-T // n))
    return [(size, N, B), (N, B, K), (K, size), (K, size)]


def walked_back(x: Array, h: Array, n: int, block: Callable[[int, int], Array], room: list[Array]) -> Array:
    """Walks back through a sequence block by block, and gathers the gradient of the weights.

    The dz of the blocks wait until they are LONG rows together: products much shorter than that are slow, and one over
    the whole sequence would need all of dz in memory.

    Args:
        x: (time, batch, features).
        h: (time or more, batch, units), the h that each step began with.
        n: how many steps make a block.
        block: block(start, stop) goes back through these steps and returns their dz, (steps, size, batch).
        room: arrays of the shapes that `room_to_gather` told.

    Returns:
        Σ [x, h, 1]ᵀ dz, (features + units + 1, size): the gradients of W, U and b below each other.
    """
    (T, B, I), (dz, xh1, total, part) = x.shape, room
    size, N, _ = dz.shape
    xh1[:, :, -1], total[...] = 1.0, 0.0
    for stop in range(T, 0, -N):
        start = max(stop - N, 0)
        for t in reversed(range(start, stop, n)):
            end = min(t + n, stop)
            dz[:, t - start : end - start] = block(t, end).transpose(1, 0, 2)
        m = stop - start
        xh1[:m, :, :I], xh1[:m, :, I:-1] = x[start:stop], h[start:stop]
        dot(xh1.reshape(N * B, len(total))[: m * B].T, dz.reshape(size, N * B)[:, : m * B].T, part)
        total += part
    return total


class Mask(NamedTuple):
    """A mask (time, batch) of bools, in the form that the loops need."""

    hold: Array  # (time, batch): the row keeps its state
    silent: Array  # (time, batch): the row's output is a constant zero
    rows: list[Array | None]  # `hold` step by step; None at a step where every row goes on

    def window(self, start: int, stop: int) -> Mask:
        """The mask of the steps start … stop − 1."""
        return Mask(self.hold[start:stop], self.silent[start:stop], self.rows[start:stop])


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


def lying_as(x: Array, size: int) -> Array:
    """A new array (time, batch, size), in memory batch by batch if x is: who turns both need not copy.

    >>> lying_as(np.ones((2, 5, 3)).swapaxes(0, 1), 4).swapaxes(0, 1).flags.c_contiguous
    True
    """
    T, B, _ = x.shape
    by_batch = x.strides[0] < x.strides[1]
    return np.empty((B, T, size), x.dtype).swapaxes(0, 1) if by_batch else np.empty((T, B, size), x.dtype)


def outputs(h: Array, x: Array, mask: Mask | None) -> Array:
    """h₁ … h_T, zero where the mask says so: the caller's own, lying as x does."""
    y = lying_as(x, h.shape[2])
    y[...] = h[1:]
    if mask:
        y[mask.silent] = 0.0
    return y


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
