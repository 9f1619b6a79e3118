"""Assembly of a `Trace` on the host from the record of a run, a `Watch`, on any device."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import IndexRangeError, MinigradError, shown
from minigrad.engine.protocol import Array
from minigrad.layers.catalogue import snake_case
from minigrad.recurrent.formulas import Formulas
from minigrad.recurrent.masks import MaskedCache
from minigrad.recurrent.step import Step
from minigrad.recurrent.truncation import added
from minigrad.recurrent.watch import Watch
from minigrad.tracing.ledger import PathGradients, path_gradients
from minigrad.tracing.trace import HELD, HostArray, Trace

MAX_BYTES = 2**30  # of a trace


class TooLargeError(MinigradError, MemoryError):
    """Raised for a trace that would be too large for memory."""


def state_letters(watch: Watch) -> tuple[str, ...]:
    """Return the letters of the state's arrays; s0, s1 … for a cell that does not name them."""
    numbered = tuple(f"s{n}" for n in range(len(watch.final)))
    return watch.step.states if watch.step.states else numbered


def itemsize(x: Array) -> int:
    """Return the size of one number of an array in bytes."""
    return np.dtype(dtype_name(x.dtype)).itemsize


def assemble(
    watch: Watch, name: str, every: int = 1, units: list[int] | None = None, go_backwards: bool = False
) -> Trace:
    """Return the trace of a run.

    Args:
        watch: the record of the run.
        name: the name of the trace.
        every: the interval between the steps to take.
        units: indices of the units to take, or None for all. From an array with fewer units, those that exist.
        go_backwards: whether the layer reads from the end.

    Raises:
        IndexRangeError: a unit does not exist.
        TooLargeError: the trace would take more than a gibibyte.
    """
    step, cache = watch.step, watch.cache
    T = len(cache.steps)
    at = range(0, T, every)
    _check_size(watch, name, len(at), units)
    states, rows = [*cache.states, watch.final], watch.xp.unstack(watch.outputs)
    steps = [cache.steps[t] for t in at]

    def host(arrays: Iterable[Array]) -> HostArray:
        """Stack arrays on the device and copy them to the host once."""
        whole = watch.xp.to_numpy(watch.xp.stack(list(arrays)))
        return _of_units(whole, units)

    def of_step(letter: str) -> HostArray:
        return host(_value_at(watch, t, cache_t, letter) for t, cache_t in zip(at, steps, strict=True))

    trace = Trace(
        name=name,
        kind=snake_case(step.equations.__name__) if isinstance(step, Formulas) else type(_cell_of(step)).__name__,
        x=watch.xp.to_numpy(watch.x)[::every],
        outputs=host(rows[t] for t in at),
        mask=_mask(watch, at),
        steps=T,
        gates={k: of_step(k) for k in step.gates},
        inner={k: of_step(k) for k in step.inner},
        states={s: host(states[t][n] for t in (*at, T)) for n, s in enumerate(state_letters(watch))},
        every=every,
        go_backwards=go_backwards,
    )
    return _with_gradients(trace, watch, at, host, units) if watch.steps else trace


def _with_gradients(
    trace: Trace, watch: Watch, at: range, host: Callable[[Iterable[Array]], HostArray], units: list[int] | None
) -> Trace:
    """Return the same trace with the gradients of the backward pass."""
    steps = watch.steps
    paths = [_paths_at(watch, t) for t in at]
    totals = [steps[0].dstate, *(added(steps[t].dnew, steps[t].dmasked) for t in range(len(steps)))]
    named = list(enumerate(state_letters(watch)))
    return trace.replaced(
        dstates={s: host(totals[t][n] for t in (*at, len(steps))) for n, s in named},
        dgates={k: _of_units(d, units) for k, d in _dgates(watch, at).items()},
        ledger={
            s: {path: host(at_t[path][n] for at_t in paths) for path, parts in paths[0].items() if parts[n] is not None}
            for n, s in named
        },
        arrived={s: host(steps[t].dstate[n] for t in at) for n, s in named},
        dx=None if watch.dx is None else watch.xp.to_numpy(watch.dx)[:: trace.every],
    )


def _cell_of(step: Step) -> Any:
    """Return the cell that a step was made from, or the step itself."""
    return getattr(step, "cell", step)


def _value_at(watch: Watch, t: int, cache: Any, letter: str) -> Array:
    """Return the value of a letter at step t, from the cache or recomputed."""
    if hasattr(cache, letter) or not isinstance(watch.step, Formulas):
        return getattr(cache, letter)
    x = watch.xp.getitem(watch.x, t)
    return watch.step.step_values(watch.xp, x, watch.cache.states[t], watch.weights, (letter,))[0]


def _dgates(watch: Watch, at: range) -> dict[str, HostArray]:
    """Return ∂loss/∂(the gates' pre-activations); empty for a custom step, whose form of dz is unknown."""
    step = watch.step
    if not isinstance(step, Formulas):
        return {}
    columns = [step.dgates(watch.xp, watch.steps[t].dz) for t in at]
    return {
        k: watch.xp.to_numpy(watch.xp.stack(d)) for k, d in zip(step.gates, zip(*columns, strict=True), strict=True)
    }


def _of_units(whole: HostArray, units: list[int] | None) -> HostArray:
    return whole if units is None else whole[..., [u for u in units if u < whole.shape[-1]]]


def _paths_at(watch: Watch, t: int) -> PathGradients:
    """Return the summands of ∂loss/∂(state before step t) by path."""
    gradients, cache = watch.steps[t], watch.cache
    paths = path_gradients(watch.xp, watch.step, gradients, cache.steps[t], cache.states[t], watch.weights)
    return paths if gradients.dmasked is None else {**paths, HELD: gradients.dmasked}


def _mask(watch: Watch, at: range) -> HostArray | None:
    if not isinstance(watch.cache, MaskedCache):
        return None
    rows = [watch.cache.rows[t] for t in at]
    return watch.xp.to_numpy(watch.xp.stack(rows))[..., 0]


def _check_size(watch: Watch, name: str, steps: int, units: list[int] | None) -> None:
    """Raise an error if a trace would be too large, or a unit does not exist."""
    batch, width = watch.outputs.shape[1], max(s.shape[-1] for s in watch.final)
    if units is not None and max(units) >= width:
        raise IndexRangeError(f"trace of {name}: expected `units` from 0 to {width - 1}, got {shown(max(units))}.")
    arrays = 3 * len(watch.step.gates) + len(watch.step.inner) + 5 * len(watch.step.states)
    size = arrays * steps * batch * (width if units is None else len(units))
    size = (size + 2 * prod(watch.x.shape)) * itemsize(watch.outputs)
    if size > MAX_BYTES:
        raise TooLargeError(
            f"trace of {name}: {steps} steps, batch {batch}, {width} units would take {size / 2**30:.1f} GiB. Take "
            "fewer steps, trace(layer, every=10), fewer units, trace(layer, units=range(8)), or a smaller batch."
        )
