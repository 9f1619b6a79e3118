"""A whole sequence as one operation on the tape, with the hand-derived gradient.

The tape then holds one node for a sequence instead of some twenty for each step. Where the backend has compiled the
cell's loop over time, that loop runs in place of `bptt`; a test holds that the numbers are the same.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.ops.op import MultiOp
from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent import bptt
from minigrad.recurrent.protocol import SequenceOptions


class SequenceOp(MultiOp):
    """outputs, *final_state = the results of a step run over x from an initial state.

    Inputs: x (time, batch, features), the state's arrays, the weights (None where the cell has none). With the option
    `batch_first`, x and the outputs are (batch, time, …).
    """

    accepts_none = caches = True

    def forward(xp: Xp, x: Array, *state_and_weights: Array, options: SequenceOptions) -> tuple[tuple[Array, ...], Any]:
        state, weights = state_and_weights[: options.states], state_and_weights[options.states :]
        x = _exchanged(xp, x, options)
        compiled = options.loop if hasattr(xp, "to_numpy") else None  # None on Tensors, whose operations are recorded
        if compiled is not None:
            present = tuple([weights[k] for k in compiled.places])  # the weights that are not None
            y, state_T, cache = compiled.loop.forward(x, state, present, options.mask, options.zero_output)
        else:
            y, state_T, cache = bptt.forward(xp, options.step, x, state, weights, options.mask, options.zero_output)
        if options.watch is not None:
            options.watch.record_forward(xp, x, y, state_T, weights, cache)
        return (_exchanged(xp, y, options), *state_T), cache

    def backward(
        xp: Xp, dy: tuple[Array | None, ...], y: tuple[Array, ...], x: Array, *state_and_weights: Array,
        options: SequenceOptions, cache: Any, needs: tuple[bool, ...],
    ) -> tuple[Array | None, ...]:  # fmt: skip
        x, weights = _exchanged(xp, x, options), state_and_weights[options.states :]
        compiled, watch = options.loop if hasattr(xp, "to_numpy") else None, options.watch
        if compiled is not None:
            g: Any = compiled.backward(_exchanged(xp, dy[0], options), dy[1:], x, weights, cache, needs[0])
        else:
            upstream, *dstate = [xp.zeros(r.shape, r.dtype) if d is None else d for d, r in zip(dy, y, strict=True)]
            upstream, show = _exchanged(xp, upstream, options), None if watch is None else watch.recorder(xp)
            g = bptt.backward(xp, options.step, upstream, tuple(dstate), x, weights, cache, options.tbptt, show)
        dx, dstate_0, dweights = g
        if watch is not None:
            watch.record_backward(xp, dx)
        return (_exchanged(xp, dx, options), *dstate_0, *dweights, *(None,) * (len(weights) - len(dweights)))


def _exchanged(xp: Xp, x: Array | None, options: SequenceOptions) -> Array:
    """Return x with the axes batch and time exchanged, if batch comes first."""
    return xp.transpose(x, (1, 0, 2)) if options.batch_first and x is not None else x
