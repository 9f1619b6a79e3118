"""The choice of a hand-written loop over time: LSTM, GRU and SimpleRNN have one.

A loop generated from a cell's equations would call NumPy once for each operation of each step. The hand-written loops
use another algorithm, with fewer and longer calls; `minigrad_numpy.lstm` describes it. All other cells and options run
the formulas.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad_numpy import gru, lstm, simple_rnn
from minigrad_numpy.activations import name_of

Array = Any
Arrays = tuple[Array, ...]

LOOPS: dict[str, Any] = {
    "minigrad.recurrent.lstm.LSTM": lstm,
    "minigrad.recurrent.gru.GRU": gru,
    "minigrad.recurrent.simple_rnn.SimpleRNN": simple_rnn,
}
WEIGHTS = {lstm: ("W", "U", "b"), gru: ("W", "U", "b", "b_h"), simple_rnn: ("W", "U", "b")}
GATES = ("sigmoid", "hard_sigmoid")
DTYPES = ("float32", "float64")


def compile(description: Any, dtype: str, options: Any) -> FusedLoop | str:  # noqa: A001  (the protocol's name)
    """Return the hand-written loop of a cell, or the reason why it has none in a few words.

    Args:
        description: `minigrad.recurrent.description.Description`.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.
    """
    loop = LOOPS.get(description.name)
    if loop is None:
        return "the numpy backend has loops for LSTM, GRU and SimpleRNN only"
    gate = name_of(options.sigma)
    if loop is not simple_rnn and gate not in GATES:
        return f"the kernel supports sigmoid and hard_sigmoid for the gates, not {options.sigma.name}"
    if options.h_masks:
        return "the kernel supports no recurrent dropout"
    if options.x_masks > 1:
        return "the kernel supports one dropout mask, not one for each gate"
    if name_of(options.phi) != "tanh":
        return f"the kernel supports tanh as activation, not {options.phi.name}"
    if str(dtype) not in DTYPES:
        return f"the kernel supports no {dtype}"
    return FusedLoop(loop, description.weights, {} if loop is simple_rnn else {"recurrent_activation": gate})


class FusedCache(NamedTuple):
    """Cached arrays for the backward pass: the loop's input and the loop's own cache."""

    x: Array  # after dropout
    loop: Any


class FusedLoop:
    """A hand-written loop behind the interface of `minigrad.engine.optional.Loop`.

    Args:
        loop: the module with `forward` and `backward`.
        weights: the names of the cell's weights.
        options: further arguments of `forward`.
    """

    def __init__(self, loop: Any, weights: tuple[str, ...], options: dict[str, str]) -> None:
        self._loop, self._options, self._count = loop, options, len(weights)
        self._positions = [weights.index(name) if name in weights else None for name in WEIGHTS[loop]]
        self._present = [WEIGHTS[loop].index(name) for name in weights]

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
        doutputs: Array | None,
        dstate: tuple[Array | None, ...],
        x: Array,
        weights: Arrays,
        cache: FusedCache,
        needs_dx: bool,
    ) -> tuple[Array | None, Arrays, Arrays]:
        """Return dx, ∂loss/∂(initial state), and ∂loss/∂weights."""
        masks, n = weights[self._count :], len(dstate)
        W, U, *_ = weights
        dx, *rest = self._loop.backward(doutputs, *dstate, cache.loop, cache.x, W, U, needs_dx=needs_dx)
        dx = dx * masks[0][0] if masks and dx is not None else dx
        return dx, tuple(rest[:n]), tuple([rest[n + k] for k in self._present])
