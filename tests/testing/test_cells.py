"""`check_cell` finds an error of a thousandth and names its argument."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minigrad.engine.errors import GradientCheckError, MinigradError
from minigrad.recurrent import GRU, LSTM, LSTMP, Equations, EquationsError, GRUResetBefore, SimpleRNN
from minigrad.testing import check_cell
from recurrent.odd_cells import CELLS
from tool_errors import GRADIENT_FOR_EACH

BUILT_IN = (LSTM, LSTMP, GRU, GRUResetBefore, SimpleRNN)
BATCH, TIME, FEATURES = 2, 3, 4
X = np.random.default_rng(0).standard_normal((BATCH, TIME, FEATURES))


@pytest.mark.parametrize("equations", BUILT_IN, ids=lambda e: e.__name__)
def test_the_built_in_cells(equations: type[Equations]) -> None:
    for seed in range(3):
        check_cell(equations, seed=seed)
    check_cell(equations, "relu", "hard_sigmoid")
    check_cell(equations, "softmax", "swish")
    if equations is LSTMP:
        check_cell(LSTMP, cell_clip=0.3, proj_clip=0.2, forget_bias=0.0)
        check_cell(LSTMP, P=None, w_i=None, w_f=None, w_o=None)


@pytest.mark.parametrize("equations", CELLS, ids=lambda e: e.__name__)
def test_cells_of_any_kind(equations: type[Equations]) -> None:
    check_cell(equations, **CELLS[equations])


# Argument → cell, a gradient in its backward, the same gradient a thousandth larger.
FAULTS = {
    "z_i": (LSTM, "dsigma(di, i)", "1.001 * dsigma(di, i)"),
    "z_f": (LSTM, "dc * c, ", "1.001 * dc * c, "),
    "z_g": (LSTM, "dphi(dg, g)", "dphi(1.001 * dg, g)"),
    "z_o": (LSTM, "do = dh * a", "do = dh * a * 1.001"),
    "c": (LSTM, ", dc * f", ", 1.001 * dc * f"),
    "z": (SimpleRNN, "dphi(dh, h_new)", "1.001 * dphi(dh, h_new)"),
    "h_g": (GRU, "ds_g * r,", "1.001 * ds_g * r,"),
    "h": (GRU, "dh * z", "1.001 * dh * z"),
    "w_o": (LSTMP, "dz_o * c_now", "1.001 * dz_o * c_now"),
    "P": (LSTMP, "dp = dclip(dm, m_new, proj_clip)", "dp = 1.001 * dclip(dm, m_new, proj_clip)"),
}


def changed(equations: type[Equations], there: str, instead: str, folder: Path) -> type[Equations]:
    """The cell with another text, from a separate file."""
    text = Path(__import__(equations.__module__, fromlist=["x"]).__file__).read_text("utf-8")
    assert text.count(there) == 1, there
    file = folder / "faulty.py"
    file.write_text(text.replace(there, instead), "utf-8")
    space: dict[str, Any] = {"__name__": "faulty"}
    exec(compile(file.read_text("utf-8"), file, "exec"), space)
    return space[equations.__name__]


@pytest.mark.parametrize("argument", FAULTS)
def test_a_fault_of_a_thousandth_is_named(argument: str, tmp_path: Path) -> None:
    equations, there, instead = FAULTS[argument]
    faulty = changed(equations, there, instead, tmp_path)
    with pytest.raises(GradientCheckError) as caught:
        check_cell(faulty)
    said = re.fullmatch(
        rf"check_cell: {equations.__name__}\.backward: ∂loss/∂(\w+): at \([\d, ]+\) it returns (\S+), the derived "
        r"gradient is (\S+); they differ by (\S+) \(allowed: \S+\)\.",
        str(caught.value),
    )
    assert said, str(caught.value)
    first = {"P": "z_i"}.get(argument, argument)  # every gradient through P is wrong too; z_i is the first of it
    assert said[1] == first
    by_hand, derived, error = (float(number.rstrip(";,")) for number in said.groups()[1:])
    assert error == pytest.approx(abs(by_hand - derived), rel=1e-2)
    check_cell(faulty, rtol=0.01)


def test_a_sign_and_a_nan() -> None:
    class Wrong(SimpleRNN):
        def backward(dh, h_new):
            return -dh

    class NoNumber(SimpleRNN):
        def backward(dh, h_new):
            return dh / (h_new - h_new)

    with pytest.raises(GradientCheckError, match="∂loss/∂z"):
        check_cell(Wrong)
    with np.errstate(all="ignore"), pytest.raises(GradientCheckError, match=r"∂loss/∂z.*(nan|inf)"):
        check_cell(NoNumber)


def test_what_cannot_be_read_is_said_as_everywhere() -> None:
    class Short(SimpleRNN):
        def backward(dh):
            return dh, dh

    with pytest.raises(EquationsError, match=f"{GRADIENT_FOR_EACH}z, got 2"):
        check_cell(Short)
    with pytest.raises(MinigradError, match="unknown"):
        check_cell(LSTM, "tanhh")
