"""Simplification of expressions with an absent part, and the lines of a body that remain."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from minigrad.recurrent import Equations, EquationsError, phi, sigma
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.compiler.simplify import ABSENT, needed_lines, simplified, without_absent, written
from minigrad.recurrent.reader import Assignment

KNOWN: dict[str, Any] = {"w": ABSENT, "P": ABSENT, "limit": ABSENT, "alias": ast.Name("z")}


def parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


LEFT = {
    "z": "z",
    "alias": "z",
    "w": None,
    "-w": None,
    "-z": "-z",
    "z + w": "z",
    "w + z": "z",
    "z - w": "z",
    "w - z": "-z",
    "w + w": None,
    "w - w": None,
    "z * w": None,
    "w * z": None,
    "w / z": None,
    "z / c": "z / c",
    "z + w * c": "z",
    "z + c * (w + b)": "z + c * b",
    "n @ P": "n",
    "dp @ P.T": "dp",
    "w @ Q": None,
    "n @ Q": "n @ Q",
    "alias @ Q": "z @ Q",
    "clip(c + w, limit)": "c",
    "clip(c, bound)": "clip(c, bound)",
    "dclip(dy, y, limit)": "dy",
    "dclip(w, y, bound)": None,
    "dsigma(w, y)": None,
    "dphi(w * c, y)": None,
    "dphi(dy + w, y)": "dphi(dy, y)",
    "stop(w)": None,
    "stop(z + w)": "stop(z)",
    "sigma(z + w * c)": "sigma(z)",
    "sigma(w)": "sigma(0.0)",
    "2.5": "2.5",
}


@pytest.mark.parametrize(("text", "left"), LEFT.items(), ids=LEFT)
def test_what_is_left(text: str, left: str | None) -> None:
    value = simplified(parsed(text), KNOWN)
    assert (None if value is ABSENT else ast.unparse(ast.fix_missing_locations(value))) == left


@pytest.mark.parametrize("text", [text for text in LEFT if "@" not in text])
def test_it_is_what_zeros_give(text: str) -> None:
    """Equal values with 0 for absent names; an absent matrix or limit leaves its operand unchanged."""
    words = {
        "clip": lambda v, limit: v if limit == 0 else max(min(v, limit), -limit),
        "dclip": lambda dy, y, limit: dy if limit == 0 else dy * (abs(y) < limit),
        "sigma": lambda z: 3.0 + z, "dsigma": lambda dy, y: dy * y, "dphi": lambda dy, y: 2 * dy * y,
        "stop": lambda v: v,
    }  # fmt: skip
    numbers = {"z": 0.3, "alias": 0.3, "c": -1.2, "b": 0.8, "n": 0.4, "dp": 0.9, "dy": -0.5, "y": 0.2, "bound": 0.7}
    expected = eval(text, words, {**numbers, "w": 0.0, "limit": 0.0})
    value = written(simplified(parsed(text), KNOWN))
    found = eval(ast.unparse(ast.fix_missing_locations(value)), words, numbers)
    assert found == pytest.approx(expected)


def lines(text: str) -> list[Assignment]:
    return [Assignment(s.targets[0].id, s.value, s.lineno) for s in ast.parse(text).body]


def test_lines_of_nothing_and_of_another_name_go() -> None:
    known: dict[str, Any] = {"w": ABSENT}
    left = without_absent(lines("p = w * c\n_1 = z\nq = _1 + p\nr = z"), known)
    assert [(line.name, ast.unparse(line.value), line.number) for line in left] == [("q", "z", 3), ("r", "z", 4)]
    assert known["p"] is ABSENT
    assert ast.unparse(known["_1"]) == "z"


def test_lines_that_lead_to_what_is_wanted() -> None:
    body = lines("a = z\nb = a * c\nd = c\ne = b + 1")
    assert [line.name for line in needed_lines(body, ["e"])] == ["a", "b", "e"]
    assert [line.name for line in needed_lines(body, ["d", "a"])] == ["a", "d"]
    assert needed_lines(body, ["c"]) == []


def test_nothing_is_divided_by_what_is_absent() -> None:
    class Divided(Equations):
        products = "z = x W + h U"

        def forward(z, h, p):
            return phi(z) / p + h

    class Both(Divided):
        def forward(z, h, p):
            return z + p / p

    with pytest.raises(EquationsError, match=r"`0\.0 / 0\.0` divides by"):
        describe(Both, frozenset(["p"]))

    with pytest.raises(
        EquationsError,
        match=r"Divided\.forward, line \d+ of .*`phi\(z\) / 0\.0` divides by .* absent,.* Give it",
    ):
        describe(Divided, frozenset(["p"]))


@pytest.mark.parametrize("word", ["sigma", "phi"])
def test_no_activation_of_what_is_absent_alone(word: str) -> None:
    """A vector that a number cannot replace: softmax of four zeros is ¼, of a number 1."""

    class Faded(Equations):
        products = "z = x W + h U"

        def forward(z, h, p):
            k = phi(p * h) + sigma(p * h)
            return phi(z) + k * h

    class Gated(Equations):
        products = "z = x W + h U"

        def forward(z, h, p):
            return phi(z) + sigma(p * h) * h

    cell = Faded if word == "phi" else Gated
    with pytest.raises(EquationsError, match=rf"line \d+ of .*`{word}\(p \* h\)` is absent.*Give it a value"):
        describe(cell, frozenset(["p"]))
    describe(cell)
