"""Parts shared by the fused loops over time: blocks of steps, transposed copies, masks, gate activations."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy import add, dot, exp, multiply, reciprocal, subtract

Array = Any
Arrays = tuple[Array, ...]

BLOCK_BYTES = 1 << 20  # size of a buffer that stays in the processor's cache, as measured; only its order matters
PRODUCT_ROWS = 1024  # from this many rows on, a longer matrix product is no faster
STRIP = 16  # rows transposed at a time
SMALL_PRODUCT = 1 << 20  # multiplications up to which BLAS is faster by columns


@lru_cache(maxsize=1024)
def steps_in(budget: int, step: int, T: int) -> int:
    """Return the number of steps of `step` bytes (or rows) that fit a budget: at least one, at most all T.

    >>> steps_in(1000, 300, 50), steps_in(1000, 5000, 50), steps_in(1000, 1, 50)
    (3, 1, 50)
    """
    return max(1, min(T, budget // max(1, step)))


def copy_transposed(rows: Array, out: Array) -> None:
    """Copy (time, batch, n) into (time, n, batch), in strips of rows.

    Where n is a power of two, the rows of a whole batch map to the same few cache lines and evict each other. At (128
    rows, 512) strips take 0.6 ns a number, a single copy 2.2 ns.

    >>> out = np.empty((1, 3, 2))
    >>> copy_transposed(np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]), out)
    >>> out
    array([[[1., 4.], [2., 5.], [3., 6.]]])
    """
    for row in range(0, out.shape[2], STRIP):
        strip = slice(row, row + STRIP)
        out[:, :, strip] = rows[:, strip].transpose(0, 2, 1)


def is_small(rows: int, columns: int, batch: int) -> bool:
    """Return whether a matrix of this shape is better stored by columns, for products with (columns, batch).

    At batch 1 they are a fifth faster, at batch 8 up to twice as fast; large products are faster with a matrix by rows.
    """
    return rows * columns * batch <= SMALL_PRODUCT


def transposed(columns: Array, by_columns: bool) -> Array:
    """Return the transpose of a matrix, stored by columns, as it is, or by rows."""
    if by_columns:
        return columns.T
    M = np.empty(columns.shape[::-1], columns.dtype)
    copy_transposed(columns[None], M[None])
    return M


def stack_weights(*weights: Any) -> Array:
    """Stack matrices and a bias, row below row; a bias that is None is zero.

    >>> stack_weights(np.ones((2, 3)), None)
    array([[1., 1., 1.],
           [1., 1., 1.],
           [0., 0., 0.]])
    """
    *matrices, b = weights
    bias = np.zeros((1, matrices[0].shape[1]), matrices[0].dtype) if b is None else b[None]
    return np.concatenate([*matrices, bias])


def reorder_gates(w: Array, parts: int, order: list[int]) -> Array:
    """Return a copy of w (n, parts · units), its parts in another order."""
    return w.reshape(len(w), parts, w.shape[1] // parts).take(order, 1).reshape(w.shape)


def columns(rows: Array, parts: int, order: list[int]) -> Array:
    """Return the transpose of rows (parts · units, n), the parts among its columns in another order."""
    units, n = len(rows) // parts, rows.shape[1]
    return rows.reshape(parts, units, n)[order].transpose(2, 0, 1).reshape(n, len(order) * units)


def gradient_buffers(x: Array, H: int, size: int, n: int) -> list[tuple[int, ...]]:
    """Return the shapes of the buffers of `weight_gradients`."""
    (T, B, I) = x.shape
    K = I + H + 1
    N = n * steps_in(PRODUCT_ROWS, n * B, -(-T // n))
    return [(size, N, B), (N, B, K), (size, K), (size, K)]


def weight_gradients(x: Array, h: Array, n: int, block: Callable[[int, int], Array], buffers: list[Array]) -> Array:
    """Run the backward pass block by block, and return the gradients of the weights.

    The dz of several blocks are collected until they have PRODUCT_ROWS rows. Much shorter products are slow, and one
    over the whole sequence needs all of dz in memory.

    Args:
        x: (time, batch, features).
        h: (time or more, batch, units), the h before each step.
        n: the number of steps in a block.
        block: block(start, stop) runs the backward pass over these steps and returns their dz, (steps, size, batch).
        buffers: arrays of the shapes from `gradient_buffers`.

    Returns:
        Σ dzᵀ [x, h, 1], (size, features + units + 1): the gradients of W, U and b side by side, transposed.
    """
    (T, B, I), (dz, xh1, total, part) = x.shape, buffers
    (size, N, _), K = dz.shape, xh1.shape[2]
    xh1[:, :, -1], total[...] = 1.0, 0.0
    for stop in range(T, 0, -N):
        start = max(stop - N, 0)
        for t in reversed(range(start, stop, n)):
            end = min(t + n, stop)
            dz[:, t - start : end - start] = block(t, end).transpose(1, 0, 2)
        m = stop - start
        xh1[:m, :, :I], xh1[:m, :, I:-1] = x[start:stop], h[start:stop]
        dot(dz.reshape(size, N * B)[:, : m * B], xh1.reshape(N * B, K)[: m * B], part)
        total += part
    return total


class LoopMask(NamedTuple):
    """A mask (time, batch) in the form that the loops read."""

    masked: Array  # (time, batch): True where the row keeps its state
    zeroed: Array  # (time, batch): True where the row's output is the constant 0
    by_step: list[Array | None]  # `masked` at each step; None at a step without masked rows

    def window(self, start: int, stop: int) -> LoopMask:
        """Return the mask of the steps start … stop − 1."""
        return LoopMask(self.masked[start:stop], self.zeroed[start:stop], self.by_step[start:stop])


def read_mask(mask: Array | None, zero_output: bool) -> LoopMask | None:
    """Return the mask as the loops read it; None if no row is masked at any step.

    A masked step repeats the output of the step before, which is the state h that the row keeps. Before a row's first
    unmasked step there is no previous output: its output is zero, even if h₀ is not.
    """
    if mask is None or mask.all():
        return None
    masked = np.logical_not(mask)
    zeroed = masked if zero_output else np.logical_not(np.logical_or.accumulate(mask, axis=0))
    by_step = [row if some else None for row, some in zip(masked, masked.any(1).tolist(), strict=True)]
    return LoopMask(masked, zeroed, by_step)


def copy_upstream(dy: Array | None, mask: LoopMask | None, start: int, out: Array) -> None:
    """Copy ∂loss/∂y of the steps from `start` on into (steps, units, batch); 0 where an output is the constant 0.

    Args:
        dy: ∂loss/∂y, (time, batch, units); None leaves `out` unchanged.
        mask: the mask of these steps.
        start: the first step.
        out: the array to fill, as long as the block of steps.
    """
    if dy is None:
        return
    copy_transposed(dy[start : start + len(out)], out)
    if mask:
        np.copyto(out, 0.0, where=mask.zeroed[:, None])


def empty_like(x: Array, size: int) -> Array:
    """Return a new array (time, batch, size) in the memory layout of x: batch by batch if x is.

    A caller that swaps the first two axes of both then needs no copy.

    >>> empty_like(np.ones((2, 5, 3)).swapaxes(0, 1), 4).swapaxes(0, 1).flags.c_contiguous
    True
    """
    T, B, _ = x.shape
    by_batch = x.strides[0] < x.strides[1]
    return np.empty((B, T, size), x.dtype).swapaxes(0, 1) if by_batch else np.empty((T, B, size), x.dtype)


def outputs(h: Array, x: Array, mask: LoopMask | None) -> Array:
    """Return h₁ … h_T in a new array with the layout of x; zero where `mask.zeroed`."""
    y = empty_like(x, h.shape[2])
    y[...] = h[1:]
    if mask:
        y[mask.zeroed] = 0.0
    return y


class GateActivation(NamedTuple):
    """A gate's σ(z) = activate(scale z + shift); scale and shift are folded into the weights."""

    scale: float
    shift: float
    activate: Callable[[Array, Array], Any]  # (s, one): overwrites s with σ; `one` is a 1 of s's dtype
    derivative: Callable[[Array, Array], Any]  # (σ, out): writes σ′ into out


def _sigmoid(s: Array, one: Array) -> None:
    exp(s, s)
    add(s, one, s)
    reciprocal(s, s)


def _sigmoid_derivative(y: Array, out: Array) -> None:
    subtract(1.0, y, out)
    multiply(out, y, out)


def _hard_sigmoid(s: Array, one: Array) -> None:
    np.maximum(s, 0.0, out=s)
    np.minimum(s, one, out=s)


def _hard_sigmoid_derivative(y: Array, out: Array) -> None:
    multiply((y > 0.0) & (y < 1.0), 0.2, out)


GATE_ACTIVATIONS = {
    "sigmoid": GateActivation(-1.0, 0.0, _sigmoid, _sigmoid_derivative),  # 1 / (1 + exp(−z))
    "hard_sigmoid": GateActivation(0.2, 0.5, _hard_sigmoid, _hard_sigmoid_derivative),  # clip(0.2 z + 0.5, 0, 1)
}


class FusedCache(NamedTuple):
    """Cached arrays for the backward pass: the loop's input and the loop's own cache."""

    x: Array  # after dropout
    loop: Any


class FusedLoop:
    """A hand-written loop with the interface of `minigrad.engine.optional.Loop`.

    Args:
        loop: the module with `forward` and `backward`.
        parameters: the names of the weights that these take.
        weights: the names of the cell's weights.
        options: further arguments of `forward`.
    """

    single_steps = False  # at (1, 64 features, 256 units) the formulas take 50 to 70 of 156 µs less

    def __init__(
        self, loop: Any, parameters: tuple[str, ...], weights: tuple[str, ...], options: dict[str, str]
    ) -> None:
        self._loop, self._options, self._count = loop, options, len(weights)
        self._positions = [weights.index(name) if name in weights else None for name in parameters]
        self._present = [parameters.index(name) for name in weights]

    def forward(
        self, x: Array, state: Arrays, weights: Arrays, mask: Array | None, zero_output: bool
    ) -> tuple[Array, Arrays, FusedCache]:
        """Return the outputs, the final state and the cache."""
        masks = weights[self._count :]
        x = x * masks[0][0] if masks else x
        given = [None if k is None else weights[k] for k in self._positions]
        y, *state_T, cache = self._loop.forward(x, *state, *given, mask, zero_output=zero_output, **self._options)
        return y, tuple(state_T), FusedCache(x, cache)

    def backward(
        self,
        dy: Array | None,
        dstate: tuple[Array | None, ...],
        x: Array,
        weights: Arrays,
        cache: FusedCache,
        needs_dx: bool,
    ) -> tuple[Array | None, Arrays, Arrays]:
        """Return dx, ∂loss/∂(initial state), and ∂loss/∂weights."""
        masks, n = weights[self._count :], len(dstate)
        W, U, *_ = weights
        dx, *rest = self._loop.backward(dy, *dstate, cache.loop, cache.x, W, U, needs_dx=needs_dx)
        dx = dx * masks[0][0] if masks and dx is not None else dx
        return dx, tuple(rest[:n]), tuple([rest[n + k] for k in self._present])
