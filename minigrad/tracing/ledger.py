"""The gradient ledger: by which ways ∂loss/∂state went from one step to the step before it.

`step_backward` adds up what reaches the state; here the summands are kept apart. In an LSTM,

    to c    dc f             along the carousel; here dc is complete, what came through h_new included
            dz_k w_k         through the peepholes of i and f, where there are any
    to h    dz_k U_kᵀ        through each gate k

which is why a gradient survives in c and not in h: one way is a product of forget gates, the others are matrices.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent import Formulas, Step
from minigrad.recurrent.protocol import State, Weights
from minigrad.recurrent.watch import StepGradients

Ways = dict[str, tuple[Array | None, ...]]
"""For each way its share for each of the state's arrays; None where it does not lead there."""


def ways_back(xp: Xp, step: Step, back: StepGradients, cache: Any, state: State, weights: Weights) -> Ways:
    """Return ∂loss/∂(state before) by the ways it took; for each array they sum to what `step_backward` returned.

    Args:
        xp: the array namespace.
        step: the cell's step.
        back: the gradients of the step.
        cache: the step's cache.
        state: the state before the step.
        weights: the cell's weights.
    """
    if not isinstance(step, Formulas):  # of another cell it is known what came back, and not by which way
        around = back.dmasked or (0.0,) * len(back.dstate)
        return {"step": tuple(whole - skipped for whole, skipped in zip(back.dstate, around, strict=True))}
    sums: dict[str, dict[str, Array]] = {}
    for name, column, share in step.ways(xp, back.dnew, back.dz, cache, state, weights):
        way = _way(step, name, column)
        before = sums.setdefault(way, {}).get(name)
        sums[way][name] = share if before is None else before + share
    order = [step.whole.direct, *step.gates]
    ways = sorted(sums, key=lambda way: order.index(way) if way in order else len(order))
    return {way: tuple(sums[way].get(s) for s in step.states) for way in ways}


def _way(step: Formulas, state: str, column: str) -> str:
    """The name of a way: the gate that a column becomes; where that is the new state itself, the matrix."""
    if not column:
        return step.whole.direct
    gate = step.gate(column)
    if gate not in step.whole.new:
        return gate
    product = next(p for p in step.whole.products if column in p.columns)
    return next(t.matrix for t in product.terms if t.source == state)
