"""A test of the tests: bugs in an LSTM's backward pass, and how many of them each style of check finds.

Only the last style finds all: random cotangents on the outputs, on h_T and on c_T; initial states that are not zero; a
ragged mask with a hole and a fully masked row; all gradients. The other three are what is usually written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from minigrad.engine.errors import GradientCheckError
from minigrad.recurrent import GRU, LSTM, LSTMP, GRUResetBefore, SimpleRNN, bptt_options, formulas
from minigrad.testing import check_cell
from recurrent import situations
from recurrent.mutants import EXTRAS, MUTANTS, Mutant, a_little_wrong, wrong_formulas
from recurrent.situations import Gradients, Situation, by_differences, by_loop

STRONG, STRONG_EXTRAS = situations.CASES["lstm"], situations.CASES["lstmp, everything"]
Checks = dict[str, tuple[Situation, tuple[str, ...]]]


def plain(strong: Situation, steps: int, summed: slice, state: float) -> Situation:
    """A plain sum of some steps' outputs as the loss; no mask, no final state."""
    rng = np.random.default_rng(steps)
    dy = np.zeros((steps, *strong.dy.shape[1:]))
    dy[summed] = 1.0
    x = rng.standard_normal((steps, *strong.x.shape[1:]))
    initial, silent = tuple(state * s for s in strong.state), tuple(0.0 * d for d in strong.dstate)
    return replace(strong, x=x, state=initial, dy=dy, dstate=silent, mask=None)


def checks(strong: Situation) -> Checks:
    """The four styles, and the gradients that each of them checks; the first weight is the kernel."""
    everything = tuple(strong.inputs)
    weights = tuple(name for name in everything if name != "x" and not name.startswith("state"))
    kernel = weights[:1]
    return {
        "T=1, h.sum(), the gradient of the kernel alone": (plain(strong, 1, slice(None), 1.0), kernel),
        "T=13, out.sum(), the gradient of the kernel alone": (plain(strong, 13, slice(None), 1.0), kernel),
        "T=5, the sum of the last h, all weights, zero initial state": (
            plain(strong, 5, slice(-1, None), 0.0),
            weights,
        ),
        "random cotangents on everything, ragged mask, all gradients": (strong, everything),
    }


CHECKS, CHECKS_OF_EXTRAS = checks(STRONG), checks(STRONG_EXTRAS)


def passes(found: Gradients, truth: Gradients, names: Iterable[str]) -> bool:
    return all(np.allclose(found[name], truth[name], rtol=1e-6, atol=1e-9) for name in names)


USES = [
    (bptt_options, "through_time"), (bptt_options, "Masked"), (formulas, "ArrayStep"), (formulas, "_Bound"),
]  # fmt: skip
"""Modules that use the functions and classes that a mutant changes."""


def mutated(mutant: Mutant, case: Situation) -> Gradients:
    """The gradient as the mutant has it."""
    if isinstance(mutant.of, type):
        return by_loop(replace(case, step=wrong_formulas(mutant.cell(), case.step)))
    module = mutant.module()
    with pytest.MonkeyPatch.context() as patch:
        for user, name in USES:
            if name in vars(module):
                patch.setattr(user, name, vars(module)[name])
        return by_loop(replace(case, step=wrong_formulas(case.step.equations, case.step)))


@cache
def truth(style: str, extras: bool) -> Gradients:
    """By finite differences."""
    case, _ = (CHECKS_OF_EXTRAS if extras else CHECKS)[style]
    return by_differences(case)


def finds(style: str, mutant: Mutant, extras: bool = False) -> bool:
    case, names = (CHECKS_OF_EXTRAS if extras else CHECKS)[style]
    return not passes(mutated(mutant, case), truth(style, extras), names)


@pytest.mark.parametrize("extras", [False, True])
@pytest.mark.parametrize("style", CHECKS)
def test_the_right_formulas_pass(style: str, extras: bool) -> None:
    case, names = (CHECKS_OF_EXTRAS if extras else CHECKS)[style]
    assert passes(by_loop(case), truth(style, extras), names)


@pytest.mark.parametrize("name", [*MUTANTS, *EXTRAS])
def test_the_strong_check_finds_it(name: str) -> None:
    *_, style = CHECKS
    assert finds(style, (MUTANTS | EXTRAS)[name], extras=name in EXTRAS)


def test_how_many_each_style_finds() -> None:
    assert len(MUTANTS) == 16
    assert [sum(finds(style, mutant) for mutant in MUTANTS.values()) for style in CHECKS] == [4, 7, 10, 16]
    assert [sum(finds(style, mutant, True) for mutant in EXTRAS.values()) for style in CHECKS] == [2, 3, 5, 5]


VALUES = {LSTMP: {"outputs": 3, "cell_clip": 0.4, "proj_clip": 0.2}}


@pytest.mark.parametrize("cell", [LSTM, GRU, GRUResetBefore, SimpleRNN, LSTMP], ids=lambda cell: cell.__name__)
def test_every_expression_that_is_a_little_wrong_is_found(cell: type) -> None:
    """Scaled by 1.001, halved, or without its derivative: `check_cell` finds each, and passes the right one."""
    check_cell(cell, **VALUES.get(cell, {}))
    missed, count = [], 0
    for label, wrong in a_little_wrong(cell):
        count += 1
        try:
            check_cell(wrong, **VALUES.get(cell, {}))
        except GradientCheckError:
            continue
        missed.append(label)
    assert not missed
    assert count >= {SimpleRNN: 1}.get(cell, 12)
