"""The plain step on arrays: it runs with the plain reader and the plain loop, and its numbers are the formulas'."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad_numpy as xp
from minigrad.recurrent import LSTM, Formulas, bptt
from minigrad.recurrent.arrays import ArrayStep
from minigrad.recurrent.reader import read
from recurrent.situations import CASES, by_loop, same

PLAIN = [name for name, case in CASES.items() if isinstance(case.step._running(xp, case.weights), ArrayStep)]


def test_every_cell_without_extras_is_plain() -> None:
    assert {"lstm", "gru", "simple", "lstmp", "lstmp, cell clip"} <= {*PLAIN}
    assert {"lstm, a mask a gate", "lstm, separate products", "lstmp, peepholes"}.isdisjoint(PLAIN)


@pytest.mark.parametrize("name", PLAIN)
def test_the_formulas_with_extras_give_the_same_numbers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = by_loop(CASES[name])
    monkeypatch.setattr(Formulas, "_running", Formulas._for)
    same(plain, by_loop(CASES[name]), rtol=1e-13, atol=1e-14)


def test_reader_step_and_loop_run_without_any_option() -> None:
    case = CASES["lstm, no mask"]
    words = {
        "sigma": lambda z: 1.0 / (1.0 + np.exp(-z)), "phi": np.tanh,
        "dsigma": lambda dy, y: dy * y * (1.0 - y), "dphi": lambda dy, y: dy * (1.0 - y * y),
    }  # fmt: skip
    file = LSTM.forward.__code__.co_filename
    step = ArrayStep(read(LSTM), words, {"W": 0, "U": 1, "b": 2}, [file, file])
    weights = tuple(case.weights[:3])
    _, final, cache = bptt.forward_loop(xp, step, case.x, case.state, weights)
    g = bptt.backward_loop(xp, step, case.dy, case.dstate, case.x, weights, cache)
    expected = by_loop(case)
    for found, name in zip((g.x, *g.state, *g.weights), ("x", "state 0", "state 1", "W", "U", "b"), strict=True):
        np.testing.assert_allclose(found, expected[name], rtol=1e-12, atol=1e-14)
    assert len(final) == 2


def test_the_functions_begin_at_the_lines_of_the_bodies() -> None:
    """For a breakpoint on the name, `break LSTM.backward`."""
    file = LSTM.forward.__code__.co_filename
    step = ArrayStep(read(LSTM), {}, {"W": 0, "U": 1, "b": 2}, [file, file])
    for found, body in ((step._forward, LSTM.forward), (step._backward, LSTM.backward)):
        assert found.__code__.co_filename == file
        assert found.__code__.co_firstlineno == body.__code__.co_firstlineno
