"""From what a `Watch` wrote down, on whatever device, to a `Trace` on the host."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import IndexRangeError, MinigradError
from minigrad.engine.protocol import Array
from minigrad.layers.catalogue import snake_case
from minigrad.recurrent.formulas import Formulas
from minigrad.recurrent.masks import MaskedCache
from minigrad.recurrent.protocol import Step
from minigrad.recurrent.truncation import added
from minigrad.recurrent.watch import Watch
from minigrad.tracing.ledger import ways_back
from minigrad.tracing.trace import HELD, HostArray, Trace

LIMIT = 2**30  # bytes


class TooLargeError(MinigradError, MemoryError):
    """A trace would not fit."""


def letters_of_states(watch: Watch) -> tuple[str, ...]:
    """Return what the state's arrays are called; those of a cell that does not say are s0, s1 …"""
    numbered = tuple(f"s{n}" for n in range(len(watch.final)))
    return watch.step.states if watch.step.states else numbered


def itemsize(x: Array) -> int:
    """Return the bytes of one number of an array."""
    return np.dtype(dtype_name(x.dtype)).itemsize


def read(watch: Watch, name: str, every: int = 1, units: list[int] | None = None, go_backwards: bool = False) -> Trace:
    """Return what happened in a run.

    Args:
        watch: of the run.
        name: for the trace.
        every: take each such step only.
        units: indices of the units to take, or None for all. Of an array with fewer units those that it has.
        go_backwards: the layer reads from the end.

    Raises:
        IndexRangeError: there is no such unit.
        TooLargeError: it would be more than a gibibyte.
    """
    step, cache = watch.step, watch.cache
    T = len(cache.steps)
    at = range(0, T, every)
    _check_size(watch, name, len(at), units)
    states, rows = [*cache.states, watch.final], watch.xp.unstack(watch.outputs)
    steps = [cache.steps[t] for t in at]

    def host(arrays: Iterable[Array]) -> HostArray:
        """Put together on the device and copied once."""
        whole = watch.xp.to_numpy(watch.xp.stack(list(arrays)))
        return _of_units(whole, units)

    def of_step(letter: str) -> HostArray:
        return host(_value(watch, t, cache_t, letter) for t, cache_t in zip(at, steps, strict=True))

    trace = Trace(
        name=name,
        kind=snake_case(step.equations.__name__) if isinstance(step, Formulas) else type(_own(step)).__name__,
        x=watch.xp.to_numpy(watch.x)[::every],
        outputs=host(rows[t] for t in at),
        mask=_mask(watch, at),
        steps=T,
        gates={k: of_step(k) for k in step.gates},
        inner={k: of_step(k) for k in step.inner},
        states={s: host(states[t][n] for t in (*at, T)) for n, s in enumerate(letters_of_states(watch))},
        every=every,
        go_backwards=go_backwards,
    )
    return _with_gradients(trace, watch, at, host, units) if watch.steps else trace


def _with_gradients(
    trace: Trace, watch: Watch, at: range, host: Callable[[Iterable[Array]], HostArray], units: list[int] | None
) -> Trace:
    """The same trace, and what came back."""
    steps = watch.steps
    ways = [_ways_of(watch, t) for t in at]
    whole = [steps[0].dstate, *(added(steps[t].dnew, steps[t].dmasked) for t in range(len(steps)))]
    named = list(enumerate(letters_of_states(watch)))
    return trace.replaced(
        dstates={s: host(whole[t][n] for t in (*at, len(steps))) for n, s in named},
        dgates={k: _of_units(d, units) for k, d in _dgates(watch, at).items()},
        ledger={
            s: {way: host(now[way][n] for now in ways) for way, shares in ways[0].items() if shares[n] is not None}
            for n, s in named
        },
        arrived={s: host(steps[t].dstate[n] for t in at) for n, s in named},
        dx=None if watch.dx is None else watch.xp.to_numpy(watch.dx)[:: trace.every],
    )


def _own(step: Step) -> Any:
    """The cell that a step was made of, or the step itself."""
    return getattr(step, "cell", step)


def _value(watch: Watch, t: int, cache: Any, letter: str) -> Array:
    """What step t computed under a letter: from its cache, or computed again."""
    if hasattr(cache, letter) or not isinstance(watch.step, Formulas):
        return getattr(cache, letter)
    x = watch.xp.getitem(watch.x, t)
    return watch.step.looked(watch.xp, x, watch.cache.states[t], watch.weights, (letter,))[0]


def _dgates(watch: Watch, at: range) -> dict[str, HostArray]:
    """∂loss/∂(the gates' pre-activations); a step of the user's own gives them in a form that is not known."""
    step = watch.step
    if not isinstance(step, Formulas):
        return {}
    columns = [step.dgates(watch.xp, watch.steps[t].dz) for t in at]
    return {
        k: watch.xp.to_numpy(watch.xp.stack(d)) for k, d in zip(step.gates, zip(*columns, strict=True), strict=True)
    }


def _of_units(whole: HostArray, units: list[int] | None) -> HostArray:
    return whole if units is None else whole[..., [u for u in units if u < whole.shape[-1]]]


def _ways_of(watch: Watch, t: int) -> dict[str, tuple[Array | None, ...]]:
    """What step t sent back to the state before it, by the ways it took."""
    back, cache = watch.steps[t], watch.cache
    ways = ways_back(watch.xp, watch.step, back, cache.steps[t], cache.states[t], watch.weights)
    return ways if back.dmasked is None else {**ways, HELD: back.dmasked}


def _mask(watch: Watch, at: range) -> HostArray | None:
    if not isinstance(watch.cache, MaskedCache):
        return None
    rows = [watch.cache.rows[t] for t in at]
    return watch.xp.to_numpy(watch.xp.stack(rows))[..., 0]


def _check_size(watch: Watch, name: str, steps: int, units: list[int] | None) -> None:
    """Say how large a trace would be before there is one, and which units there are."""
    batch, width = watch.outputs.shape[1], max(s.shape[-1] for s in watch.final)
    if units is not None and max(units) >= width:
        raise IndexRangeError(f"trace of {name}: expected `units` from 0 to {width - 1}, got {max(units)}.")
    arrays = 3 * len(watch.step.gates) + len(watch.step.inner) + 5 * len(watch.step.states)
    size = arrays * steps * batch * (width if units is None else len(units))
    size = (size + 2 * prod(watch.x.shape)) * itemsize(watch.outputs)
    if size > LIMIT:
        raise TooLargeError(
            f"trace of {name}: {steps} steps, batch {batch}, {width} units would take {size / 2**30:.1f} GiB. Take "
            "fewer steps, trace(layer, every=10), fewer units, trace(layer, units=range(8)), or a smaller batch."
        )
