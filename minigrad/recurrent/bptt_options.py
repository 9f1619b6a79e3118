"""Backpropagation through time with its options: masks, truncation, recomputation and watching.

`bptt.forward_loop` and `bptt.backward_loop` are plain loops over a step. Here the step is wrapped first, from the
inside out:

    Recomputing     caches z and reruns the step          `minigrad.recurrent.recomputation`
    Masked          leaves masked rows unchanged          `minigrad.recurrent.masks`
    Watched         shows each step of the backward pass  `minigrad.recurrent.watch`

A truncation runs the plain backward loop window by window (`minigrad.recurrent.truncation`). The arguments are checked
here, so that the loops have no checks. The last line makes the two functions of this module `bptt.forward` and
`bptt.backward`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent import bptt
from minigrad.recurrent.bptt import through_time
from minigrad.recurrent.masks import Masked, MaskedCache
from minigrad.recurrent.protocol import Cache, Gradients, State, Weights
from minigrad.recurrent.recomputation import RecomputedSteps, Recomputing
from minigrad.recurrent.step import FourFunctions, Step
from minigrad.recurrent.truncation import through_windows
from minigrad.recurrent.watch import StepGradients, Watched


def forward(
    xp: Xp, cell: Step, x: Array, state: State, weights: Weights, mask: Array | None = None, zero_output: bool = False
) -> tuple[Array, State, Any]:
    """Run a step over a sequence.

    Args:
        xp: the array namespace.
        cell: the step and its gradient.
        x: (time, batch, features).
        state: the initial state, each (batch, size).
        weights: the cell's weights.
        mask: (time, batch) of bools; where False, the row keeps its state and repeats its output.
        zero_output: whether the output at masked steps is zero instead of repeated.

    Returns:
        The outputs, (time, batch, units), the final state, and the cache for `backward`.

    Raises:
        ShapeError: x, the states and the mask do not fit together: x may be (batch, time, features).
        DTypeError: the mask is not of bools.
    """
    _check_forward(x, state, mask)
    cell = cell if hasattr(cell, "timesteps") else FourFunctions(cell)
    step = Recomputing(cell) if cell.recomputes else cell
    if mask is None:
        y, final, (states, steps) = bptt.forward_loop(xp, step, x, state, weights)
    else:
        rows = [xp.expand_dims(row, -1) for row in xp.unstack(mask)]
        masked = Masked(step, rows, len(state), zero_output)
        y, final, (states, steps) = bptt.forward_loop(xp, masked, x, (*state, 0.0), weights)
        states, steps, final = [s[:-1] for s in states], [cache for cache, _ in steps], final[:-1]
    _check("forward: the states", [s.shape for s in state], [s.shape for s in final])
    if cell.recomputes:
        steps = RecomputedSteps(xp, cell, steps, states, weights)
    return y, final, Cache(states, steps) if mask is None else MaskedCache(states, steps, rows, zero_output)


def backward(
    xp: Xp,
    cell: Step,
    dy: Array,
    dstate: State,
    x: Array,
    weights: Weights,
    cache: Any,
    tbptt: tuple[int, int] | None = None,
    watch: Callable[[int, StepGradients], None] | None = None,
) -> Gradients:
    """Return ∂loss/∂x, ∂loss/∂(initial state) and ∂loss/∂weights.

    Args:
        xp: the array namespace.
        cell: the step and its gradient.
        dy: ∂loss/∂outputs, (time, batch, units).
        dstate: ∂loss/∂(final state), each (batch, size).
        x: (time, batch, features), as given to `forward`.
        weights: the cell's weights.
        cache: the cache that `forward` returned.
        tbptt: (k1, k2), or None for the whole sequence.
        watch: called with t and the gradients of each step; more than once where the windows of a truncation overlap.

    Raises:
        ShapeError: a gradient does not have the shape of its array, or x is not the x of `forward`.
    """
    _check_backward(cell, dy, dstate, x, cache)
    d, n = xp.unstack(dy), len(dstate)
    step, steps = _wrapped(cell, cache, n)
    if isinstance(step, Masked):
        dstate = (*dstate, xp.zeros(d[0].shape, d[0].dtype))
    if watch is not None:
        step, steps = Watched(step, watch), list(enumerate(steps))
    if tbptt is None:
        dz, dstate = through_time(xp, step, d, dstate, weights, Cache(cache.states, steps))
    else:
        dz, dstate = through_windows(xp, step, d, dstate, weights, Cache(cache.states, steps), tbptt)
    dx, dweights = cell.gather(xp, x, cache.states, cache.steps, dz, weights)
    return Gradients(dx, dstate[:n], dweights)


def step_back(xp: Xp, cell: Step, doutput: Array, dstate: State, t: int, weights: Weights, cache: Any) -> StepGradients:
    """Return the gradients of step t alone, from ∂loss/∂output and ∂loss/∂state of that step."""
    one = {"states": [cache.states[t]], "steps": [cache.steps[t]]}
    one |= {"rows": [cache.rows[t]]} if isinstance(cache, MaskedCache) else {}
    step, (cache_t,) = _wrapped(cell, cache._replace(**one), len(dstate))
    k, shown = cell.output, list[StepGradients]()
    masked = isinstance(step, Masked)
    dnew = (*dstate, doutput) if masked else (*dstate[:k], dstate[k] + doutput, *dstate[k + 1 :])
    Watched(step, lambda _, found: shown.append(found)).step_backward(xp, dnew, (t, cache_t), cache.states[t], weights)
    return shown[0]


def _wrapped(cell: Step, cache: Any, states: int) -> tuple[Step, Any]:
    """Return the step that ran, and its cache for each time step."""
    step, steps = cell, cache.steps
    if isinstance(steps, RecomputedSteps):
        step, steps = Recomputing(step), steps.z
    if isinstance(cache, MaskedCache):
        step = Masked(step, cache.rows, states, cache.zero_output)
        steps = list(zip(steps, cache.rows, strict=True))
    return step, steps


def _check_forward(x: Array, state: State, mask: Array | None) -> None:
    """Check the arguments of `forward`; a batch-first x is seen only where batch and time differ."""
    if not x.shape or not x.shape[0] or x.shape[1:2] != state[0].shape[:1]:
        raise ShapeError(
            "bptt.forward: expected x of shape (time, batch, features) with a step at least, and states (batch, size), "
            f"got {x.shape}, states of shapes {[s.shape for s in state]}."
        )
    if mask is not None:
        _check("forward: mask", [x.shape[:2]], [mask.shape])
        if "bool" not in str(mask.dtype):
            raise DTypeError(f"bptt.forward: expected a mask of bools, got {mask.dtype}. True marks valid steps.")


def _check_backward(cell: Step, dy: Array, dstate: State, x: Array, cache: Any) -> None:
    """Check that each gradient has the shape of its array, and x the steps and rows of `forward`."""
    state, T = [s.shape for s in cache.states[0]], len(cache.states)
    _check("backward: dstate", state, [ds.shape for ds in dstate])
    _check("backward: dy", [(T, *state[cell.output])], [dy.shape])
    _check("backward: x", [(T, *state[0][:1])], [x.shape[:2]])


def _check(where: str, expected: list[Any], got: list[Any]) -> None:
    if got != expected:
        shapes = (", ".join(str(tuple(shape)) for shape in several) for several in (expected, got))
        raise ShapeError("bptt.{}: expected {}, got {}. Time comes first, then the batch.".format(where, *shapes))


bptt.forward, bptt.backward = forward, backward
