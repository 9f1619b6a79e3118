"""Steps that a compiled loop of a backend may replace, and those that it may not."""

from __future__ import annotations

import types
from typing import Any

import pytest

import minigrad as mg
import minigrad_numpy
from minigrad.recurrent import LSTM, Formulas


class Halved(Formulas):
    """The LSTM's step, and half of its gradient."""

    def step_backward(self, *args: Any) -> Any:
        (dz,), before = super().step_backward(*args)
        return (0.5 * dz,), before


@pytest.mark.parametrize(("step", "asked"), [(Formulas, 1), (Halved, 0)])
def test_a_step_that_was_changed_is_never_replaced(step: Any, asked: int) -> None:
    backend, seen = types.ModuleType("compiles"), []
    vars(backend).update({**vars(minigrad_numpy), "name": "compiles", "compile": lambda *a: seen.append(a) or "no"})

    class Cell(mg.keras.layers.LSTMCell):
        def formulas(self) -> Any:
            return step(LSTM)

    with mg.using(backend):
        layer = mg.keras.layers.RNN(Cell(3))
        layer(mg.ones((2, 4, 2)))
    assert len(seen) == asked
    assert layer.path.endswith(": no") if asked else layer.path.endswith("a custom step method")
