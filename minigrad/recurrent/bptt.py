"""Backpropagation through time: one loop forward, one loop backward.

This is the page to print. `forward_loop` runs a step over a sequence and caches what the backward pass needs.
`backward_loop` runs through the same steps in reverse, each line one term of the chain rule. Both are pure functions of
arrays, and serve every cell that has the four functions of `minigrad.recurrent.protocol`.

In the letters of the LSTM, with L the loss and y_t = h_t:

    forward     h_t, c_t = step(z_t, h_{t-1}, c_{t-1})                z = x W + b, for all t at once
    backward    ∂L/∂h_t += ∂L/∂y_t                                    the step's own output
                dz_t, ∂L/∂h_{t-1}, ∂L/∂c_{t-1} = step_backward(∂L/∂h_t, ∂L/∂c_t)
    weights     ∂L/∂W = Σ_t x_tᵀ dz_t    ∂L/∂U = Σ_t h_{t-1}ᵀ dz_t    ∂L/∂b = Σ_t dz_t

The public functions are `bptt.forward` and `bptt.backward`, which have options too: masks, truncation, recomputation
and watching. Each of these has a separate file, and wraps the step or the loop.

Source: Werbos, 1990, "Backpropagation Through Time", Proceedings of the IEEE 78.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.protocol import Cache, Gradients, State, TimeStep, Weights


def forward_loop(xp: Xp, step: TimeStep, x: Array, state: State, weights: Weights) -> tuple[Array, State, Cache]:
    """Run a step over a sequence; return the outputs, (time, batch, units), the final state, and the cache.

    Args:
        xp: the array namespace.
        step: the step and its gradient.
        x: (time, batch, features).
        state: the initial state, each (batch, size).
        weights: the cell's weights.

    >>> import numpy as np, minigrad_numpy as xp
    >>> from minigrad.recurrent import LSTM, Formulas, bptt
    >>> cell = Formulas(LSTM)
    >>> weights = cell.Weights(W=np.ones((2, 4)), U=np.zeros((1, 4)), b=np.zeros(4))
    >>> x, zero = np.zeros((3, 1, 2)), np.zeros((1, 1))
    >>> h, (h_T, c_T), cache = bptt.forward(xp, cell, x, (zero, zero + 1.0), weights)
    >>> c_T  # half of it forgotten at each of three steps
    array([[0.125]])
    """
    states, caches, outputs = [], [], []
    for z_t in step.timesteps(xp, x, weights):
        states.append(state)
        state, cache_t = step.step(xp, z_t, state, weights)
        caches.append(cache_t)
        outputs.append(state[step.output])
    return xp.stack(outputs), state, Cache(states, caches)


def backward_loop(
    xp: Xp, step: TimeStep, dy: Array, dstate: State, x: Array, weights: Weights, cache: Cache
) -> Gradients:
    """Return ∂loss/∂x, ∂loss/∂(initial state) and ∂loss/∂weights.

    `dy` is ∂loss/∂outputs, (time, batch, units), `dstate` ∂loss/∂(final state), each (batch, size), and `cache`
    the one that `forward_loop` returned; the other arguments are those of `forward_loop`.
    """
    dz, dstate = through_time(xp, step, xp.unstack(dy), dstate, weights, cache)
    dx, dweights = step.gather(xp, x, cache.states, cache.steps, dz, weights)
    return Gradients(dx, dstate, dweights)


def through_time(
    xp: Xp, step: TimeStep, dy: Sequence[Array], dstate: State, weights: Weights, cache: Cache
) -> tuple[list[Any], State]:
    """Return dz of every step and ∂loss/∂(state before the first), from dy, a list with one entry for each step."""
    T, k = len(dy), step.output
    dz: list[Any] = [None] * T
    for t in reversed(range(T)):
        dstate = (*dstate[:k], dstate[k] + dy[t], *dstate[k + 1 :])
        dz[t], dstate = step.step_backward(xp, dstate, cache.steps[t], cache.states[t], weights)
    return dz, dstate


# `minigrad.recurrent.bptt_options` replaces these two by functions that take options, and run the loops above.
forward: Any = forward_loop
backward: Any = backward_loop
