"""The two functions of a step as text: they parse, and the heading explains every name that they add."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from minigrad.recurrent import GRU, LSTM, LSTMP, MGU, Equations, Formulas, GRUResetBefore, SimpleRNN
from minigrad.show.python import python
from recurrent.odd_cells import CELLS

ALL = [LSTM, LSTMP, GRU, GRUResetBefore, SimpleRNN, MGU, *CELLS]
each = pytest.mark.parametrize("equations", ALL, ids=lambda e: e.__name__)


def text_of(equations: type[Equations]) -> str:
    cell = Formulas(equations)
    options: dict[str, Any] = {name: 1.0 for name, value in cell.options.items() if value is None}
    return python(Formulas(equations, **options))


@each
def test_it_is_two_functions_under_a_heading(equations: type[Equations]) -> None:
    text = text_of(equations)
    assert [part.name for part in ast.parse(text).body if isinstance(part, ast.FunctionDef)] == [
        "step",
        "step_backward",
    ]
    assert text.startswith(f"# {Formulas(equations).name}: one time step, and its backward pass")
    assert "# sigma is Sigmoid; phi is Tanh" in text


@each
def test_the_heading_explains_every_added_name_and_no_other(equations: type[Equations]) -> None:
    heading, code = text_of(equations).split("\n\n", 1)
    explained = set(re.findall(r"^# (_\w+|Cache)\b", heading, re.MULTILINE))
    used = set(re.findall(r"\b(_\w+|Cache)\b", code))
    named = {name for name in used if not re.fullmatch(r"_\d+", name)}  # the others are _1, _2 …
    assert {name for name in explained if not re.fullmatch(r"_\d+", name)} == named
    assert ("_1" in explained) == (used != named)


def test_the_product_of_x_is_explained_by_its_weights() -> None:
    assert "# _z: x W + b, computed for all time steps at once, before the loop over them\n" in text_of(LSTM)
    assert "# _dz0: the gradients of z_i, z_f, z_g, z_o\n" in text_of(LSTM)
