"""The plain reader: for a cell without anything special it gives what the compiler gives."""

from __future__ import annotations

import pytest

from minigrad.recurrent import GRU, LSTM, Equations, SimpleRNN
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.description import Product, Term
from minigrad.recurrent.reader import Body, as_lines, product, read
from recurrent.odd_cells import Coupled


@pytest.mark.parametrize("cell", [LSTM, GRU, SimpleRNN, Coupled], ids=lambda cell: cell.__name__)
def test_a_plain_cell_is_read_as_the_compiler_reads_it(cell: type[Equations]) -> None:
    assert read(cell) == describe(cell)


def test_the_lstm() -> None:
    d = read(LSTM)
    assert d.cache == ("i", "f", "g", "o", "a")
    assert d.gradients == (("z_i", "dz_i"), ("z_f", "dz_f"), ("z_g", "dz_g"), ("z_o", "dz_o"), ("c", "dc_"))
    assert [(line.name, line.text) for line in d.forward[4:]] == [
        ("c_new", "f * c + i * g"), ("a", "phi(c_new)"), ("h_new", "o * a"),
    ]  # fmt: skip


def test_a_name_stands_for_one_value() -> None:
    def body(z, c):
        c = z * c
        c = -phi(c)  # noqa: F821
        return c, 2 * c

    assert [(a.name, a.text) for a in as_lines(Body(body).lines)] == [("c_2", "z * c"), ("c_3", "-phi(c_2)")]


def test_a_product() -> None:
    terms = (Term("x", "W", True), Term("h", "U", False))
    assert product("z_i z_f = x W + stop(h) U + b") == Product(("z_i", "z_f"), terms, "b")
