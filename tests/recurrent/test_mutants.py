"""A test of the tests: sixteen bugs in an LSTM's backward pass, and how many of them each style of check finds.

Only the last style finds all: random cotangents on the outputs, on h_T and on c_T; initial states that are not zero; a
ragged mask with a hole and a fully masked row; all gradients. The other three are what is usually written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from minigrad.recurrent import lstm_step
from recurrent import situations
from recurrent.mutants import MUTANTS, Mutant, made
from recurrent.situations import Gradients, Situation, by_differences, by_loop

STRONG = situations.CASES["lstm"]
ALL = tuple(STRONG.inputs)


def plain(steps: int, summed: slice, state: float) -> Situation:
    """The loss is the plain sum of some steps' outputs; no mask, nothing of the final state."""
    rng = np.random.default_rng(steps)
    dy = np.zeros((steps, *STRONG.dy.shape[1:]))
    dy[summed] = 1.0
    x = rng.standard_normal((steps, *STRONG.x.shape[1:]))
    initial, silent = tuple(state * s for s in STRONG.state), tuple(0.0 * d for d in STRONG.dstate)
    return replace(STRONG, x=x, state=initial, dy=dy, dstate=silent, mask=None)


CHECKS: dict[str, tuple[Situation, tuple[str, ...]]] = {
    "T=1, h.sum(), the gradient of W alone": (plain(1, slice(None), 1.0), ("W",)),
    "T=13, out.sum(), the gradient of W alone": (plain(13, slice(None), 1.0), ("W",)),
    "T=5, the sum of the last h, all weights, zero initial state": (plain(5, slice(-1, None), 0.0), ("W", "U", "b")),
    "random cotangents on everything, ragged mask, all gradients": (STRONG, ALL),
}


def passes(found: Gradients, truth: Gradients, names: Iterable[str]) -> bool:
    return all(np.allclose(found[name], truth[name], rtol=1e-6, atol=1e-9) for name in names)


def mutated(mutant: Mutant, case: Situation) -> Gradients:
    """The gradient as the mutant has it."""
    with made(mutant) as module:
        if mutant.module is lstm_step:
            return by_loop(replace(case, step=module.LSTMStep()))
        return by_loop(case, module)


@pytest.fixture(scope="module")
def truths() -> dict[str, Gradients]:
    return {style: by_differences(case) for style, (case, _) in CHECKS.items()}


@pytest.mark.parametrize("style", CHECKS)
def test_the_right_formulas_pass(style: str, truths: dict[str, Gradients]) -> None:
    case, names = CHECKS[style]
    assert passes(by_loop(case), truths[style], names)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_strong_check_finds_it(name: str, truths: dict[str, Gradients]) -> None:
    *_, (style, (case, names)) = CHECKS.items()
    assert not passes(mutated(MUTANTS[name], case), truths[style], names)


def test_how_many_each_style_finds(truths: dict[str, Gradients]) -> None:
    found = {
        style: sum(not passes(mutated(mutant, case), truths[style], names) for mutant in MUTANTS.values())
        for style, (case, names) in CHECKS.items()
    }
    assert len(MUTANTS) == 16
    assert list(found.values()) == [4, 7, 10, 16]
