"""From what a `Watch` wrote down, on whatever device, to a `Trace` on the host."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from minigrad.backend.protocol import Array
from minigrad.errors import MinigradError
from minigrad.recurrent import bptt
from minigrad.recurrent.watch import Watch
from minigrad.tracing.ledger import dz_of_gates, ways_back
from minigrad.tracing.trace import HELD, HostArray, Trace

LIMIT = 2**30  # bytes


class TooLargeError(MinigradError, MemoryError):
    """A trace would not fit."""


def read(watch: Watch, name: str, every: int = 1, units: Any = None) -> Trace:
    """Returns what happened in a run.

    Args:
        watch: of the run.
        name: for the trace.
        every: take each such step only.
        units: indices of the units to take, or None for all.

    Raises:
        TooLargeError: it would be more than a gibibyte.
    """
    step, kept = watch.step, watch.kept
    T = len(kept.steps)
    at = range(0, T, every)
    _check_size(watch, name, len(at), units)
    states, rows = [*kept.states, watch.final], watch.xp.unstack(watch.outputs)

    def host(arrays: Iterable[Array]) -> HostArray:
        """Put together on the device and copied once."""
        whole = watch.xp.to_numpy(watch.xp.stack(list(arrays)))
        return whole if units is None else whole[..., units]

    def of_step(letter: str) -> HostArray:
        return host(getattr(kept.steps[t], letter) for t in at)

    trace = Trace(
        name=name,
        kind=step.name,
        x=watch.xp.to_numpy(watch.x)[::every],
        outputs=host(rows[t] for t in at),
        mask=_mask(watch, at),
        gates={k: of_step(k) for k in step.gates},
        inner={k: of_step(k) for k in step.inner},
        states={s: host(states[t][n] for t in (*at, T)) for n, s in enumerate(step.states)},
        every=every,
    )
    return _with_gradients(trace, watch, at, host, units) if watch.steps else trace


def _with_gradients(
    trace: Trace, watch: Watch, at: range, host: Callable[[Iterable[Array]], HostArray], units: Any
) -> Trace:
    """The same trace, and what came back."""
    step, steps = watch.step, watch.steps
    ways = [_ways_of(watch, t) for t in at]
    whole = [steps[0].dstate, *(bptt.added(steps[t].dnew, steps[t].dskipped) for t in range(len(steps)))]
    dz = np.stack([watch.xp.to_numpy(dz_of_gates(steps[t].dz)) for t in at])
    dgates = dict(zip(step.gates, np.split(dz, len(step.gates), -1), strict=True))
    named = list(enumerate(step.states))
    return trace.replaced(
        dstates={s: host(whole[t][n] for t in (*at, len(steps))) for n, s in named},
        dgates={k: d if units is None else d[..., units] for k, d in dgates.items()},
        ledger={
            s: {way: host(now[way][n] for now in ways) for way, shares in ways[0].items() if shares[n] is not None}
            for n, s in named
        },
        arrived={s: host(steps[t].dstate[n] for t in at) for n, s in named},
        dx=None if watch.dx is None else watch.xp.to_numpy(watch.dx)[:: trace.every],
    )


def _ways_of(watch: Watch, t: int) -> dict[str, tuple[Array | None, ...]]:
    """What step t sent back to the state before it, by the ways it took."""
    back, kept = watch.steps[t], watch.kept
    ways = ways_back(watch.xp, watch.step, back, kept.steps[t], kept.states[t], watch.weights)
    return ways if back.dskipped is None else {**ways, HELD: back.dskipped}


def _mask(watch: Watch, at: range) -> HostArray | None:
    rows = [watch.kept.rows[t] for t in at]
    return None if rows[0] is None else watch.xp.to_numpy(watch.xp.stack(rows))[..., 0]


def _check_size(watch: Watch, name: str, steps: int, units: Any) -> None:
    """Says how large a trace would be before there is one."""
    _, batch, width = watch.outputs.shape
    arrays = 3 * len(watch.step.gates) + len(watch.step.inner) + 5 * len(watch.step.states)
    size = arrays * steps * batch * (width if units is None else np.arange(width)[units].size)
    size = (size + 2 * prod(watch.x.shape)) * np.dtype(str(watch.outputs.dtype).rsplit(".", 1)[-1]).itemsize
    if size > LIMIT:
        raise TooLargeError(
            f"trace of {name}: {steps} steps, batch {batch}, {width} units would take {size / 2**30:.1f} GiB. Take "
            "fewer steps, trace(layer, every=10), fewer units, trace(layer, units=range(8)), or a smaller batch."
        )
