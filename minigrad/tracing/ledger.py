"""The gradient ledger: the paths of ∂loss/∂state from one step to the step before it.

`step_backward` sums all gradients of the state; the ledger stores each summand. In an LSTM,

    to c    dc f             along the carousel; here dc is complete, with the gradient through h_new
            dz_k w_k         through the peepholes of i and f, if there are any
    to h    dz_k U_kᵀ        through each gate k

A gradient survives in c and not in h because one path is a product of forget gates, and the others are matrices.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent import Formulas, Step
from minigrad.recurrent.protocol import State, Weights
from minigrad.recurrent.watch import StepGradients

PathGradients = dict[str, tuple[Array | None, ...]]
"""Path → its summand for each of the state's arrays; None if the path does not lead there."""


def path_gradients(
    xp: Xp, step: Step, gradients: StepGradients, cache: Any, state: State, weights: Weights
) -> PathGradients:
    """Return the summands of ∂loss/∂(state before) by path; their sum is the gradient from `step_backward`.

    Args:
        xp: the array namespace.
        step: the cell's step.
        gradients: the gradients of the step.
        cache: the step's cache.
        state: the state before the step.
        weights: the cell's weights.
    """
    if not isinstance(step, Formulas):  # another cell gives the sum alone
        masked = gradients.dmasked or (0.0,) * len(gradients.dstate)
        return {"step": tuple(total - part for total, part in zip(gradients.dstate, masked, strict=True))}
    sums: dict[str, dict[str, Array]] = {}
    for name, column, summand in step.summands(xp, gradients.dnew, gradients.dz, cache, state, weights):
        path = _path(step, name, column)
        before = sums.setdefault(path, {}).get(name)
        sums[path][name] = summand if before is None else before + summand
    order = [step.whole.direct, *step.gates]
    paths = sorted(sums, key=lambda path: order.index(path) if path in order else len(order))
    return {path: tuple(sums[path].get(s) for s in step.states) for path in paths}


def _path(step: Formulas, state: str, column: str) -> str:
    """Return the name of a path: the gate of a column, or the matrix if the column becomes the new state itself."""
    if not column:
        return step.whole.direct
    gate = step.gate(column)
    if gate not in step.whole.new:
        return gate
    product = next(p for p in step.whole.products if column in p.columns)
    return next(t.matrix for t in product.terms if t.source == state)
