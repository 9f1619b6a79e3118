"""The equations as LaTeX: complete, balanced, and converted to MathML by an independent library."""

from __future__ import annotations

import ast
import re

import pytest

from minigrad.recurrent import GRU, LSTM, LSTMP, Equations, GRUResetBefore, SimpleRNN, dsigma, phi, sigma
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.compiler.checked import bodies
from minigrad.show.latex import Notation, latex
from recurrent.odd_cells import CELLS


class Driven(Equations):
    """A state, columns and an option whose names begin with d."""

    states = "drive"
    products = "decay data = x W + drive U + b"

    def forward(decay, data, drive, *, dt=0.1):
        d = sigma(decay)
        return d * drive + dt * phi(data)


class DrivenByHand(Driven):
    def backward(ddrive, d, drive, data, decay, *, dt):
        dd = ddrive * drive
        damping = dd * dt
        return dsigma(damping, d), ddrive * dt, ddrive * d


ALL = [LSTM, LSTMP, GRU, GRUResetBefore, SimpleRNN, Driven, DrivenByHand, *CELLS]
each = pytest.mark.parametrize("equations", ALL, ids=lambda e: e.__name__)


@each
def test_braces_and_brackets_are_balanced(equations: type[Equations]) -> None:
    text = latex(equations)
    for opened, closed in ("{}", "()", "[]", (r"\begin{aligned}", r"\end{aligned}"), (r"\lfloor", r"\rfloor")):
        assert text.count(opened) == text.count(closed)
    for line in text.splitlines():
        depth = 0
        for mark in re.sub(r"\\[{}]", "", line):
            depth += {"{": 1, "}": -1}.get(mark, 0)
            assert depth >= 0, line
        assert depth == 0, line
        assert not line.startswith("["), line  # after \\\\ or \\begin{aligned} that is its optional argument


@each
def test_every_name_and_every_line_is_there(equations: type[Equations]) -> None:
    text = latex(equations)
    assert text.count(r"\begin{aligned}") == 3
    forward, backward = bodies(equations, ())
    d = describe(equations)
    cell = Notation([*forward.arguments, *forward.options, *(line.name for line in forward.lines)])
    for name in (*d.columns, *d.weights, *d.states, *(line.name for line in (*forward.lines, *backward.lines))):
        assert cell.symbol(name) in text, name
    products, there, back = text.split("\n\n")
    assert products.count("&=") == len(d.products)
    assert there.count("&=") == len(forward.lines)
    assert len(backward.lines) <= back.count("&=") <= len(backward.lines) + len(forward.arguments)
    assert not re.search(r"\b(sigma|phi|dsigma|dphi|dclip|stop)\b(?<!\\sigma)(?<!\\phi)", text)


@pytest.mark.parametrize(
    ("text", "typeset"),
    {"2": "2", "0.5": "0.5", "0.123456789": "0.123456789", "1234567": "1234567", "1e-07": r"1 \cdot 10^{-7}"}.items(),
)
def test_a_number_has_all_of_its_digits(text: str, typeset: str) -> None:
    assert Notation().formula(ast.parse(text, mode="eval").body) == typeset


@pytest.mark.parametrize(
    ("text", "typeset"),
    {
        "-(-a)": "-(-a)",
        "b - -a": "b - (-a)",
        "b + -a * c": r"b + (-a \circ c)",
        "-a * c": r"-a \circ c",
        "b * -a": r"b \circ (-a)",
        "-(a - b)": "-(a - b)",
        "-a - b": "-a - b",
        "a - (b - c)": "a - (b - c)",
    }.items(),
)
def test_no_sign_stands_before_a_sign(text: str, typeset: str) -> None:
    assert Notation().formula(ast.parse(text, mode="eval").body) == typeset


def test_the_equations_of_the_lstm() -> None:
    there = latex(LSTM).split("\n\n")[1]
    assert r"c_{\mathrm{new}} &= f \circ c + i \circ g \\" in there
    assert r"h_{\mathrm{new}} &= o \circ a" in there
    assert r"\mathrm{d}z_{i} &= \mathrm{d}i \circ \sigma'_{i}" in latex(LSTM)
    assert r"\partial\mathrm{loss}/\partial c &= \mathrm{d}c_{2} \circ f" in latex(LSTM)
    assert r"\left[ z_{i},\; z_{f},\; z_{g},\; z_{o} \right] &= x\, W + h\, U + b" in latex(LSTM)


def test_only_a_gradient_begins_with_an_upright_d() -> None:
    """Names of forward values that begin with d, and a name of backward that belongs to no value."""
    products, forward, backward = latex(Driven).split("\n\n")
    assert "mathrm{d}" not in products + forward
    assert r"d &= \sigma(\mathit{decay})" in forward
    assert r"\mathrm{d}\mathit{drive}" in backward
    assert r"\mathrm{d}\mathit{decay}" in backward
    by_hand = latex(DrivenByHand)
    assert r"\mathrm{d}d &= \mathrm{d}\mathit{drive} \circ \mathit{drive}" in by_hand
    assert r"\mathit{damping} &= \mathrm{d}d \circ \mathit{dt}" in by_hand


@each
def test_no_name_stands_for_two_gradients(equations: type[Equations]) -> None:
    back = latex(equations).split("\n\n")[2]
    made = [line.partition(" &= ")[0] for line in back.splitlines() if " &= " in line]
    assert len(made) == len(set(made))
    upstream = {Notation(describe(equations).states).symbol(name) for name in describe(equations).upstream}
    assert not upstream & set(made), "an upstream gradient is given, not made"


@each
def test_it_is_the_same_each_time(equations: type[Equations]) -> None:
    assert latex(equations) == latex(equations)
