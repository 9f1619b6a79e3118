"""The frame of a compiled loop over time: arguments in one form, rows shared out over threads, gradients summed.

What the arguments of `forward` and `backward` are, `minigrad.engine.optional.Loop` says, the returned values too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad_numba.printer import Printed
from minigrad_numba.sizes import Sizes
from minigrad_numba.thinned import Thinned
from minigrad_numba.threads import each, in_parts
from minigrad_numba.tiles import panels
from minigrad_numpy.loops import PRODUCT_ROWS, empty_like, read_mask, steps_in
from minigrad_numpy.memory import allocate
from minigrad_numpy.packed import packed

Array = Any
Arrays = Sequence[Array]
RESTS, SILENT = 1, 2  # what a row can do at a step: keep its state; and besides, put out a constant zero
NOBODY = np.zeros((0, 0), np.uint8)


class Part(NamedTuple):
    """Cache of some rows."""

    rows: slice
    rests: Array  # (time, rows): 0, RESTS or SILENT; of size 0 if no row ever rests
    cached: list[Array]


class Cache(NamedTuple):
    """Cache of a loop."""

    multiplications: int
    parts: list[Part]
    sizes: tuple[int, ...]  # of the widths
    shapes: list[tuple[int, ...]]  # of the state's arrays


class CompiledLoop:
    """A loop over time of which each thread runs some rows of the batch.

    Args:
        of: the cell, with its dropout masks shared out.
        printed: what its text needs.
        forward: the compiled function.
        backward: the compiled function.
        real: the dtype's type.
        options: `minigrad.engine.optional.LoopOptions`.
    """

    def __init__(
        self, of: Thinned, printed: Printed, forward: Callable[..., None], backward: Callable[..., None], real: Any,
        options: Any,
    ) -> None:  # fmt: skip
        d, self._of, self._real = of.d, of, real
        self._forward, self._backward = forward, backward
        rooms = {"cached": printed.cached, "room": printed.room, "back": printed.back}
        self._sizes = Sizes(of, printed.widths, dict(options.sizes), rooms)
        self._zeros = [k for k, room in enumerate(printed.back) if room.zeros]
        self._matrices = len(d.weights) - len(d.parameters)
        self._biases = {d.weights.index(p.bias) for p in d.products if p.bias}
        self._output, self._states = d.states.index(d.output), len(d.states)
        values = dict(options.values)
        self._values = tuple([real(values[name]) for name in d.options])
        self._count = 1 + max([piece.weight for piece in of.weights], default=-1)  # weights, without dropout masks
        self._x_masks, self._h_masks = options.x_masks, options.h_masks
        self._inputs = list(dict.fromkeys(of.x))

    # --- forward ------------------------------------------------------------------------------------------------------

    def forward(
        self, x: Array, state: tuple[Array, ...], weights: tuple[Array, ...], mask: Array | None, zero_output: bool
    ) -> tuple[Array, tuple[Array, ...], Cache]:
        """Returns the outputs, the final state and the cache."""
        sizes = self._sizes(x, state, weights[: self._count])
        matrices, all_rests = self._packed(x, weights, sizes), resting(mask, zero_output)
        y = empty_like(x, state[self._output].shape[1])
        state_T = tuple([np.empty(s.shape, s.dtype) for s in state])

        def part(rows: slice) -> Part:
            rests = plain(all_rests[:, rows])
            xs, masks = self._thinned(x, weights, rows)
            cached = self._run(xs, [s[rows] for s in state], matrices, sizes, masks, rests)
            states = cached[-self._states :]
            y[:, rows] = states[self._output][1:]
            if rests.size:
                y[:, rows][rests == SILENT] = 0.0
            for whole, s in zip(state_T, states, strict=True):
                whole[rows] = s[-1]
            return Part(rows, rests, cached)

        work = x.shape[0] * x.shape[1] * sum([w.size for w in weights[: self._count]])
        parts = in_parts(part, x.shape[1], work)
        return y, state_T, Cache(work, parts, sizes, [s.shape for s in state])

    def _run(
        self, xs: Arrays, state: Arrays, matrices: Arrays, sizes: tuple[int, ...], masks: Arrays, rests: Array
    ) -> list[Array]:
        x, n = xs[0], block_of(xs[0])
        cached, room = (allocate(x.dtype, *self._sizes.rooms(kind, x, n, sizes)) for kind in ("cached", "room"))
        for array, s in zip(cached[-self._states :], state, strict=True):
            array[0] = s
        self._forward(*xs, *matrices, *self._values, *sizes, *cached, *room, *masks, rests, n)
        return cached

    # --- backward -----------------------------------------------------------------------------------------------------

    def backward(
        self,
        doutputs: Array | None,
        dstate: tuple[Array | None, ...],
        x: Array,
        weights: tuple[Array, ...],
        cache: Cache,
        needs_dx: bool,
    ) -> tuple[Array | None, tuple[Array, ...], tuple[Array, ...]]:
        """Returns dx, ∂loss/∂(initial state), and ∂loss/∂weights; it can be called any number of times."""
        matrices = self._packed_back(x, weights, cache.sizes)
        dy = np.zeros((len(x), *cache.shapes[self._output]), x.dtype) if doutputs is None else doutputs
        dx = empty_like(x, x.shape[2]) if needs_dx else np.empty((0, 0, 0), x.dtype)
        dx[...] = 0.0
        dstate_0 = tuple([cotangent(d, shape, x) for d, shape in zip(dstate, cache.shapes, strict=True)])

        def part(of: Part) -> list[Array]:
            own_dy = plain(dy[:, of.rows])
            if of.rests.size:
                own_dy = np.where((of.rests == SILENT)[..., None], self._real(0), own_dy)
            xs, masks = self._thinned(x, weights, of.rows)
            own_dx = dx[:, of.rows]
            dxs = self._room_for_dx(own_dx)
            own_dstate = [d[of.rows] for d in dstate_0]
            dweights = self._run_back(own_dy, own_dstate, xs, matrices, cache.sizes, of, masks, dxs)
            if needs_dx:
                self._add_dx(own_dx, dxs, weights, of.rows)
            return dweights

        shares = each(part, cache.parts, cache.multiplications)
        dweights = self._whole([_summed(share) for share in zip(*shares, strict=True)])
        return dx if needs_dx else None, dstate_0, dweights

    def _run_back(
        self, dy: Array, dstate: Arrays, xs: Arrays, matrices: Arrays, sizes: tuple[int, ...], of: Part, masks: Arrays,
        dxs: Arrays,
    ) -> list[Array]:  # fmt: skip
        x, n = xs[0], block_of(xs[0])
        room = allocate(x.dtype, *self._sizes.rooms("back", x, n, sizes))
        for k in self._zeros:
            room[k][...] = 0.0
        gradients = [np.zeros(shape, x.dtype) for shape in self._sizes.pieces(x.shape[2], sizes)]
        numbers = (*self._values, *sizes)
        self._backward(
            dy, *dstate, *xs, *matrices, *numbers, *of.cached, *room, *masks, of.rests, *dxs, *gradients
        )  # fmt: skip
        return gradients

    def _room_for_dx(self, dx: Array) -> list[Array]:
        """One array for each way of thinning x; dx itself where that will do."""
        if len(self._inputs) == 1 and not self._x_masks and dx.flags.carray:
            return [dx]
        return [np.zeros(dx.shape, dx.dtype) for _ in self._inputs]

    def _add_dx(self, dx: Array, dxs: Arrays, weights: Arrays, rows: slice) -> None:
        """Sums them, each through its dropout mask."""
        for k, part in zip(self._inputs, dxs, strict=True):
            if part is not dx and self._x_masks:
                at = 0 if self._x_masks == 1 else k
                dx += part if at is None else part * weights[self._count][at, rows]
            elif part is not dx:
                dx += part

    # --- weights and masks --------------------------------------------------------------------------------------------

    def _thinned(self, x: Array, weights: Arrays, rows: slice) -> tuple[list[Array], Arrays]:
        """The inputs of some rows, thinned, and the masks of the output state."""
        own, masks = x[:, rows], weights[self._count :]
        if self._x_masks == 1:
            own = own * masks[0][0, rows]
        xs = [plain(own) if k is None else plain(own * masks[0][k, rows]) for k in self._inputs]
        return xs, ([plain(masks[-1][:, rows])] if self._h_masks else [])

    def _packed(self, x: Array, weights: Arrays, sizes: tuple[int, ...]) -> Arrays:
        def make() -> tuple[Array, ...]:
            own = self._sizes.cut(weights, x.shape[2], sizes)
            return tuple(
                [plain(w) if k in self._biases or k >= self._matrices else panels(w) for k, w in enumerate(own)]
            )

        found: Arrays = packed((self, "forward"), weights[: self._count], make)
        return found

    def _packed_back(self, x: Array, weights: Arrays, sizes: tuple[int, ...]) -> Arrays:
        def make() -> tuple[Array, ...]:
            own = list(enumerate(self._sizes.cut(weights, x.shape[2], sizes)))
            matrices = [panels(w.T) for k, w in own[: self._matrices] if k not in self._biases]
            return (*matrices, *[plain(w) for _, w in own[self._matrices :]])

        found: Arrays = packed((self, "backward"), weights[: self._count], make)
        return found

    def _whole(self, gradients: Arrays) -> tuple[Array, ...]:
        """The gradients of the weights, of which some were cut into columns."""
        if self._sizes.whole:
            return tuple(gradients)
        parts: dict[int, list[Array]] = {}
        for piece, d in zip(self._of.weights, gradients, strict=True):
            parts.setdefault(piece.weight, []).append(d)
        return tuple([d[0] if len(d) == 1 else np.concatenate(d, -1) for _, d in sorted(parts.items())])


def _summed(shares: tuple[Array, ...]) -> Array:
    """The first of them, to which the others are added."""
    total, *others = shares
    for share in others:
        total += share
    return total


# --- arrays in the one form that is compiled for ----------------------------------------------------------------------


def plain(x: Array) -> Array:
    """x itself if it is contiguous, aligned and may be written to, else such a copy.

    Numba compiles anew for each combination of these properties, so the loops see but this one.

    >>> x = np.arange(3)
    >>> plain(x) is x, plain(x[::-1]) is x
    (True, False)
    """
    return x if x.flags.carray else np.array(x, order="C")


def cotangent(d: Array | None, shape: tuple[int, ...], like: Array) -> Array:
    """A copy of ∂loss/∂x, to be written to; zeros where there is none."""
    return np.zeros(shape, like.dtype) if d is None else np.array(d, like.dtype, order="C")


def resting(mask: Array | None, zero_output: bool) -> Array:
    """What each row does at each step, (time, batch): 0, RESTS or SILENT; of size 0 if no row ever rests."""
    read = read_mask(mask, zero_output)
    if read is None:
        return NOBODY
    return (RESTS * read.masked + (SILENT - RESTS) * read.zeroed).astype(
        NOBODY.dtype
    )  # of another, loops compile again


def block_of(x: Array) -> int:
    """How many steps of x (time, batch, …) make one product: enough that more would not make it faster."""
    return steps_in(PRODUCT_ROWS, x.shape[1], len(x))
