"""The outline of a cell: all of its parts, under commented headings."""

from __future__ import annotations

import inspect
import re

import pytest

from minigrad import show
from minigrad.recurrent import GRU, LSTM, LSTMP, Equations, GRUResetBefore, SimpleRNN
from minigrad.recurrent.reader import describe
from minigrad.show import outline
from recurrent.odd_cells import CELLS
from tool_errors import FOR_BACKWARD

HEADINGS = ("# products", "# forward", "# the new states", FOR_BACKWARD, "# backward")
each = pytest.mark.parametrize(
    "equations", [LSTM, LSTMP, GRU, GRUResetBefore, SimpleRNN, *CELLS], ids=lambda e: e.__name__
)


@each
def test_it_has_all_parts_of_the_description(equations: type[Equations]) -> None:
    d = describe(equations)
    text = outline(d)
    lines = text.splitlines()
    assert lines[0] == f"# {d.name}"
    assert all(heading in text for heading in HEADINGS)
    assert all(re.search(rf"\b{weight}\b", text) for weight in d.weights)
    for part in (d.forward, d.backward):
        written = [f"{line.name} = {line.text}" for line in part]
        begin = lines.index(written[0]) if written else 0
        assert lines[begin : begin + len(written)] == written


@pytest.mark.parametrize("equations", [LSTM, GRU, GRUResetBefore, SimpleRNN])
def test_it_names_a_gradient_of_each_argument_of_forward(equations: type[Equations]) -> None:
    found = re.findall(r"^∂loss/∂(\w+) = \w+$", outline(describe(equations)), re.MULTILINE)
    assert found == list(inspect.signature(equations.forward).parameters)[: len(found)]
    assert len(found) == len(describe(equations).gradients) > 0


def test_it_is_the_default_form() -> None:
    assert show.text_of(LSTM) == outline(describe(LSTM))
    assert show.shown is show.text_of
