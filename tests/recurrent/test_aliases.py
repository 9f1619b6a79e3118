"""Earlier names and fields of the loops, as the pages of version 0.1.0 described them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad_numpy as xp
from minigrad.recurrent import LSTM, Formulas, Plan, bptt

T, B, I = 4, 2, 3
RNG = np.random.default_rng(0)
CELL = Formulas(LSTM)
WEIGHTS = CELL.Weights(W=RNG.normal(size=(I, 4)), U=RNG.normal(size=(1, 4)), b=RNG.normal(size=4))
X = RNG.normal(size=(T, B, I))
STATE = (RNG.normal(size=(B, 1)), RNG.normal(size=(B, 1)))
MASK = np.array([[True, False], [True, True], [False, True], [True, False]])


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("zero_output", [False, True])
def test_the_gradients_of_a_step(mask: Any, zero_output: bool) -> None:
    y, _, kept = bptt.forward(xp, cell=CELL, x=X, state=STATE, weights=WEIGHTS, mask=mask, zero_output=zero_output)
    assert [row is None for row in kept.rows] == [mask is None] * T
    seen: dict[int, Any] = {}
    bptt.backward(xp, CELL, y, STATE, X, WEIGHTS, kept=kept, watch=seen.__setitem__)
    for t, step in seen.items():
        _, dskipped, _, _, drepeated = step
        assert dskipped is step.dskipped
        assert (dskipped is None) == (mask is None)
        assert (drepeated is None) == (mask is None or zero_output)
        if drepeated is not None:
            assert not drepeated[MASK[t]].any()
    last = bptt.step_back(xp, CELL, y[-1], STATE, T - 1, WEIGHTS, kept=kept)
    np.testing.assert_array_equal(last.dstate, seen[T - 1].dstate)
    if mask is not None and not zero_output:
        np.testing.assert_array_equal(last.drepeated, np.where(MASK[-1][:, None], 0.0, y[-1]))


def test_the_upstream_gradient_by_its_earlier_name() -> None:
    y, _, cache = bptt.forward(xp, CELL, X, STATE, WEIGHTS)
    given = {"dstate": STATE, "x": X, "weights": WEIGHTS, "cache": cache}
    np.testing.assert_array_equal(
        bptt.backward(xp, CELL, doutputs=y, **given).x, bptt.backward(xp, CELL, dy=y, **given).x
    )


def test_a_plan_names_its_cell() -> None:
    plan = Plan(CELL, 2)
    assert plan.cell is plan.step is CELL  # type: ignore[attr-defined]


class Doubling:
    """h_new = 2 h + x, by the four functions alone."""

    output, recomputes = 0, False

    def project(self, xp: Any, x: Any, weights: Any) -> Any:
        return x

    def step(self, xp: Any, z: Any, state: Any, weights: Any) -> Any:
        return (2.0 * state[0] + z,), None

    def step_backward(self, xp: Any, dstate: Any, kept: Any, state: Any, weights: Any) -> Any:
        return dstate[0], (2.0 * dstate[0],)

    def gather(self, xp: Any, x: Any, states: Any, kept: Any, dz: Any, weights: Any) -> Any:
        return xp.stack(dz), ()


def test_any_object_with_the_four_functions_runs() -> None:
    x, zero = np.ones((3, 1, 1)), np.zeros((1, 1))
    y, _, kept = bptt.forward(xp, Doubling(), x, (zero,), ())
    assert y.ravel().tolist() == [1.0, 3.0, 7.0]
    found = bptt.backward(xp, Doubling(), np.zeros((3, 1, 1)), (zero + 1.0,), x, (), kept)
    assert found.x.ravel().tolist() == [4.0, 2.0, 1.0]
