"""The frame around a compiled loop over time: uniform arguments, threads over the rows, sums of gradients.

`minigrad.engine.optional.Loop` documents the arguments and results of `forward` and `backward`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad_numba.dropout import WithDropout
from minigrad_numba.printer import PrintedLoop
from minigrad_numba.sizes import Sizes
from minigrad_numba.threads import in_parts, map_parts
from minigrad_numba.tiles import panels
from minigrad_numpy.loops import read_mask
from minigrad_numpy.memory import allocate
from minigrad_numpy.packed import packed

Array = Any
Arrays = Sequence[Array]
MASKED, ZEROED = 1, 2  # codes of a row at a step: it keeps its state; it does so, and its output is the constant 0
NO_MASK = np.zeros((0, 0), np.uint8)


class PartCache(NamedTuple):
    """The cache of one part of the rows."""

    rows: slice
    masked: Array  # (time, rows): 0, MASKED or ZEROED; of size 0 if no row is masked
    cached: list[Array]


class Cache(NamedTuple):
    """The cache of a loop, in parts."""

    multiplications: int
    parts: list[PartCache]
    sizes: tuple[int, ...]  # of the widths
    shapes: list[tuple[int, ...]]  # of the state's arrays


class CompiledLoop:
    """A compiled loop over time; each thread runs it for a part of the rows.

    Args:
        cell: the cell, with its dropout masks assigned.
        printed: the printed loop.
        forward: the compiled function.
        backward: the compiled function.
        real: the dtype's type.
        options: `minigrad.engine.optional.LoopOptions`.
    """

    def __init__(
        self, cell: WithDropout, printed: PrintedLoop, forward: Callable[..., None], backward: Callable[..., None],
        real: Any, options: Any,
    ) -> None:  # fmt: skip
        d, self._cell, self._real = cell.d, cell, real
        self._forward, self._backward = forward, backward
        specs = {
            "cached": printed.cached, "forward": printed.forward_buffers, "backward": printed.backward_buffers
        }  # fmt: skip
        self._sizes = Sizes(cell, printed.widths, dict(options.sizes), specs)
        self._zeros = [k for k, spec in enumerate(printed.backward_buffers) if spec.zeros]
        self._matrices = len(d.weights) - len(d.parameters)
        self._biases = {d.weights.index(p.bias) for p in d.products if p.bias}
        self._output, self._states = d.states.index(d.output), len(d.states)
        values = dict(options.values)
        self._values = tuple([real(values[name]) for name in d.options])
        self._count = 1 + max([part.weight for part in cell.weights], default=-1)  # weights, without dropout masks
        self._x_masks, self._h_masks = options.x_masks, options.h_masks
        self._inputs = list(dict.fromkeys(cell.x))

    # --- forward ------------------------------------------------------------------------------------------------------

    def forward(
        self, x: Array, state: tuple[Array, ...], weights: tuple[Array, ...], mask: Array | None, zero_output: bool
    ) -> tuple[Array, tuple[Array, ...], Cache]:
        """Return the outputs, the final state and the cache."""
        sizes, numbers = self._sizes(x, state, weights[: self._count])
        matrices, all_masked = self._packed(x, weights, sizes), mask_codes(mask, zero_output)
        y = np.empty((*x.shape[:2], state[self._output].shape[1]), x.dtype)
        state_T = tuple([np.empty(s.shape, s.dtype) for s in state])

        def part(rows: slice) -> PartCache:
            masked = contiguous(all_masked[:, rows])
            xs, masks = self._dropped(x, weights, rows)
            cached = self._run(xs, [s[rows] for s in state], matrices, sizes, masks, masked)
            states = cached[-self._states :]
            y[:, rows] = states[self._output][1:]
            if masked.size:
                y[:, rows][masked == ZEROED] = 0.0
            for whole, s in zip(state_T, states, strict=True):
                whole[rows] = s[-1]
            return PartCache(rows, masked, cached)

        work = x.shape[0] * x.shape[1] * numbers
        parts = in_parts(part, x.shape[1], work, blas=False)
        return y, state_T, Cache(work, parts, sizes, [s.shape for s in state])

    def _run(
        self, xs: Arrays, state: Arrays, matrices: Arrays, sizes: tuple[int, ...], masks: Arrays, masked: Array
    ) -> list[Array]:
        layout = self._sizes.layout(xs[0], sizes)
        cached, buffers = allocate(self._real, *layout.cached), allocate(self._real, *layout.forward)
        for array, s in zip(cached[-self._states :], state, strict=True):
            array[0] = s
        self._forward(*xs, *matrices, *self._values, *sizes, *cached, *buffers, *masks, masked, layout.block)
        return cached

    # --- backward -----------------------------------------------------------------------------------------------------

    def backward(
        self,
        dy: Array | None,
        dstate: tuple[Array | None, ...],
        x: Array,
        weights: tuple[Array, ...],
        cache: Cache,
        needs_dx: bool,
    ) -> tuple[Array | None, tuple[Array, ...], tuple[Array, ...]]:
        """Return dx, ∂loss/∂(initial state), and ∂loss/∂weights; it can be called any number of times."""
        matrices = self._packed_backward(x, weights, cache.sizes)
        dy = np.zeros((len(x), *cache.shapes[self._output]), x.dtype) if dy is None else dy
        dx = np.zeros(x.shape if needs_dx else (0, 0, 0), x.dtype)
        dstate_0 = tuple([upstream_copy(d, shape, x) for d, shape in zip(dstate, cache.shapes, strict=True)])

        def part(part_cache: PartCache) -> list[Array]:
            own_dy = contiguous(dy[:, part_cache.rows])
            if part_cache.masked.size:
                own_dy = np.where((part_cache.masked == ZEROED)[..., None], self._real(0), own_dy)
            xs, masks = self._dropped(x, weights, part_cache.rows)
            own_dx = dx[:, part_cache.rows]
            dxs = self._dx_buffers(own_dx)
            own_dstate = [d[part_cache.rows] for d in dstate_0]
            dweights = self._run_backward(own_dy, own_dstate, xs, matrices, cache.sizes, part_cache, masks, dxs)
            if needs_dx:
                self._add_dx(own_dx, dxs, weights, part_cache.rows)
            return dweights

        gradients_of_parts = map_parts(part, cache.parts, cache.multiplications)
        dweights = self._concatenated([_summed(gradients) for gradients in zip(*gradients_of_parts, strict=True)])
        return dx if needs_dx else None, dstate_0, dweights

    def _run_backward(
        self, dy: Array, dstate: Arrays, xs: Arrays, matrices: Arrays, sizes: tuple[int, ...], part_cache: PartCache,
        masks: Arrays, dxs: Arrays,
    ) -> list[Array]:  # fmt: skip
        layout = self._sizes.layout(xs[0], sizes)
        buffers = allocate(self._real, *layout.backward)
        for k in self._zeros:
            buffers[k][...] = 0.0
        gradients = [np.zeros(shape, self._real) for shape in layout.weights]
        numbers = (*self._values, *sizes)
        self._backward(
            dy, *dstate, *xs, *matrices, *numbers, *part_cache.cached, *buffers, *masks, part_cache.masked, *dxs,
            *gradients,
        )  # fmt: skip
        return gradients

    def _dx_buffers(self, dx: Array) -> list[Array]:
        """Return one array for each dropout mask of x; dx itself if there is only one contiguous array to write."""
        if len(self._inputs) == 1 and not self._x_masks and dx.flags.carray:
            return [dx]
        return [np.zeros(dx.shape, dx.dtype) for _ in self._inputs]

    def _add_dx(self, dx: Array, dxs: Arrays, weights: Arrays, rows: slice) -> None:
        """Add the arrays to dx, each through its dropout mask."""
        for k, part in zip(self._inputs, dxs, strict=True):
            if part is not dx and self._x_masks:
                at = 0 if self._x_masks == 1 else k
                dx += part if at is None else part * weights[self._count][at, rows]
            elif part is not dx:
                dx += part

    # --- weights and masks --------------------------------------------------------------------------------------------

    def _dropped(self, x: Array, weights: Arrays, rows: slice) -> tuple[list[Array], Arrays]:
        """Return the inputs of some rows after dropout, and the masks of the output state."""
        own, masks = x[:, rows], weights[self._count :]
        if not masks:
            return [contiguous(own)], masks
        if self._x_masks == 1:
            own = own * masks[0][0, rows]
        xs = [contiguous(own) if k is None else contiguous(own * masks[0][k, rows]) for k in self._inputs]
        return xs, ([contiguous(masks[-1][:, rows])] if self._h_masks else [])

    def _packed(self, x: Array, weights: Arrays, sizes: tuple[int, ...]) -> Arrays:
        def make() -> tuple[Array, ...]:
            own = self._sizes.split_weights(weights, x.shape[2], sizes)
            return tuple(
                [contiguous(w) if k in self._biases or k >= self._matrices else panels(w) for k, w in enumerate(own)]
            )

        found: Arrays = packed((self, "forward"), weights[: self._count], make)
        return found

    def _packed_backward(self, x: Array, weights: Arrays, sizes: tuple[int, ...]) -> Arrays:
        def make() -> tuple[Array, ...]:
            own = list(enumerate(self._sizes.split_weights(weights, x.shape[2], sizes)))
            matrices = [panels(w.T) for k, w in own[: self._matrices] if k not in self._biases]
            return (*matrices, *[contiguous(w) for _, w in own[self._matrices :]])

        found: Arrays = packed((self, "backward"), weights[: self._count], make)
        return found

    def _concatenated(self, gradients: Arrays) -> tuple[Array, ...]:
        """Return the gradients of the whole weights; those of split weights are concatenated."""
        if self._sizes.whole:
            return tuple(gradients)
        parts: dict[int, list[Array]] = {}
        for part, d in zip(self._cell.weights, gradients, strict=True):
            parts.setdefault(part.weight, []).append(d)
        return tuple([d[0] if len(d) == 1 else np.concatenate(d, -1) for _, d in sorted(parts.items())])


def _summed(gradients_of_parts: tuple[Array, ...]) -> Array:
    """Add the gradients of all parts to those of the first, in place."""
    total, *others = gradients_of_parts
    for gradients in others:
        total += gradients
    return total


# --- arrays in the form that loops are compiled for -------------------------------------------------------------------


def contiguous(x: Array) -> Array:
    """Return x if it is contiguous, aligned and writable, else such a copy.

    Numba compiles again for each combination of these properties, so the loops receive only this one.

    >>> x = np.arange(3)
    >>> contiguous(x) is x, contiguous(x[::-1]) is x
    (True, False)
    """
    return x if x.flags.carray else np.array(x, order="C")


def upstream_copy(d: Array | None, shape: tuple[int, ...], like: Array) -> Array:
    """Return a writable copy of ∂loss/∂x; zeros for None."""
    return np.zeros(shape, like.dtype) if d is None else np.array(d, like.dtype, order="C")


def mask_codes(mask: Array | None, zero_output: bool) -> Array:
    """Return the code of each row at each step, (time, batch): 0, MASKED or ZEROED; of size 0 if no row is masked."""
    read = None if mask is None else read_mask(mask, zero_output)
    if read is None:
        return NO_MASK
    codes = MASKED * read.masked + (ZEROED - MASKED) * read.zeroed
    return codes.astype(NO_MASK.dtype)  # another dtype would compile the loops again
