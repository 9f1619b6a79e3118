"""The frame of a compiled loop over time: arguments in one form, rows shared out over threads, gradients summed.

A loop adds what is its own: which matrices its compiled functions want, what they keep, and the call of them for some
rows of the batch. What the arguments of `forward` and `backward` are, the modules of the same names in `minigrad_numpy`
say, the returned values too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad_numba.threads import each, in_parts
from minigrad_numba.tiles import panels
from minigrad_numpy.loops import LONG, lying_as, read_mask, steps_in

Array = Any
Arrays = Sequence[Array]
RESTS, SILENT = 1, 2  # what a row can do at a step: keep its state; and besides, put out a constant zero
NOBODY = np.zeros((0, 0), np.uint8)


class Part(NamedTuple):
    """What the way back needs of some rows."""

    rows: slice
    rests: Array  # (time, rows): 0, RESTS or SILENT; of size 0 if no row ever rests
    kept: Any


class Kept(NamedTuple):
    """What the way back needs."""

    multiplications: int
    parts: list[Part]
    sizes: list[int]  # of the state's arrays


class Loop(ABC):
    """A loop over time of which each thread runs some rows of the batch.

    Attributes:
        output: which array of the state is the output.
    """

    output = 0

    # --- to define ----------------------------------------------------------------------------------------------------

    def _matrices(self, weights: Any) -> Any:
        """What the compiled function forward wants of the weights; by default they are W, U and b."""
        W, U, b = weights
        return panels(W), panels(U), bias(b, W)

    def _matrices_back(self, weights: Any) -> Any:
        """What the compiled function backward wants of the weights; by default they are W and U."""
        W, U = weights
        return panels(W.T), panels(U.T)

    @abstractmethod
    def _run(self, x: Array, state: Any, matrices: Any, rests: Array, options: Any) -> Any:
        """Runs the loop for some rows, and returns y, the final state, and what it kept; y may be a view of that."""

    @abstractmethod
    def _run_back(self, dy: Array, dstate: Any, kept: Any, x: Array, matrices: Any, rests: Array, dx: Array) -> Any:
        """Walks back for some rows, and returns their share of ∂loss/∂weights.

        It adds to dx, unless that is of size 0, and leaves in dstate what reached the initial state.
        """

    # --- what they share ----------------------------------------------------------------------------------------------

    def _forward(
        self, x: Array, state: Arrays, weights: Arrays, mask: Array | None, zero_output: bool = False, **options: Any
    ) -> tuple[Any, ...]:
        """Runs the loop."""
        matrices, all_rests = self._matrices(weights), resting(mask, zero_output)
        y = lying_as(x, state[self.output].shape[1])
        state_T = [np.empty(s.shape, s.dtype) for s in state]

        def part(rows: slice) -> Part:
            rests = plain(all_rests[:, rows])
            own, last, kept = self._run(plain(x[:, rows]), [s[rows] for s in state], matrices, rests, options)
            y[:, rows] = own
            if rests.size:
                y[:, rows][rests == SILENT] = 0.0
            for whole, s in zip(state_T, last, strict=True):
                whole[rows] = s
            return Part(rows, rests, kept)

        work = x.shape[0] * x.shape[1] * sum([w.size for w in weights if w is not None])
        return y, *state_T, Kept(work, in_parts(part, x.shape[1], work), [s.shape[1] for s in state])

    def _backward(
        self, dy: Array | None, dstate: Arrays, kept: Kept, x: Array, weights: Arrays, needs_dx: bool
    ) -> tuple[Any, ...]:
        """Walks back; it can be called any number of times."""
        matrices, (T, B, _) = self._matrices_back(weights), x.shape
        dy = np.zeros((T, B, kept.sizes[self.output]), x.dtype) if dy is None else dy
        dx = lying_as(x, x.shape[2]) if needs_dx else np.empty((0, 0, 0), x.dtype)
        dx[...] = 0.0
        dstate_0 = [cotangent(d, (B, size), x) for d, size in zip(dstate, kept.sizes, strict=True)]

        def part(of: Part) -> tuple[Array | None, ...]:
            rows, rests, _ = of
            own_x, own_dstate = x[:, rows], [d[rows] for d in dstate_0]
            own_dy = plain(dy[:, rows])
            if rests.size:
                own_dy = np.where((rests == SILENT)[..., None], dy.dtype.type(0), own_dy)
            view = dx[:, rows]
            own_dx = view if view.flags.carray else np.zeros(view.shape, view.dtype)
            dweights: tuple[Any, ...] = self._run_back(
                own_dy, own_dstate, of.kept, plain(own_x), matrices, rests, own_dx
            )
            if own_dx is not view:
                view[...] = own_dx
            return dweights

        dweights = [_summed(shares) for shares in zip(*each(part, kept.parts, kept.multiplications), strict=True)]
        return dx if needs_dx else None, *dstate_0, *dweights


def _summed(shares: tuple[Array | None, ...]) -> Array | None:
    """The first of them, to which the others are added."""
    total, *others = shares
    for share in others:
        if total is not None:
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


def bias(b: Array | None, W: Array) -> Array:
    """b, or zeros where there is none."""
    return np.zeros(W.shape[1], W.dtype) if b is None else plain(b)


def cotangent(d: Array | None, shape: tuple[int, ...], like: Array) -> Array:
    """A copy of ∂loss/∂x, to be written to; zeros where there is none."""
    return np.zeros(shape, like.dtype) if d is None else np.array(d, like.dtype, order="C")


def is_hard(options: Any) -> bool:
    """Is the gates' activation the hard sigmoid, clip(0.2 z + 0.5, 0, 1)? By default it is the logistic one."""
    return bool(options.get("recurrent_activation") == "hard_sigmoid")


def resting(mask: Array | None, zero_output: bool) -> Array:
    """What each row does at each step, (time, batch): 0, RESTS or SILENT; of size 0 if no row ever rests."""
    read = read_mask(mask, zero_output)
    if read is None:
        return NOBODY
    return (RESTS * read.hold + (SILENT - RESTS) * read.silent).astype(NOBODY.dtype)  # of another, loops compile again


def block_of(x: Array) -> int:
    """How many steps of x (time, batch, …) make one product: enough that more would not make it faster."""
    return steps_in(LONG, x.shape[1], len(x))
