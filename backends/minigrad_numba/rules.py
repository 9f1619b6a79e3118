"""An activation's rule as text: two scalar functions for compiled loops.

tanh, the logistic sigmoid and the hard sigmoid have vectorized functions in `minigrad_numba.activations`, which are
printed instead of their rules. Any other activation is printed line by line.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from minigrad_numba import scalar_functions
from minigrad_numpy.activations import name_of

FAST = {
    "tanh": ("tanh({})", "{dy} * (real(1) - {y} * {y})"),
    "sigmoid": ("gate({}, False)", "{dy} * gate_slope({y}, False)"),
    "hard_sigmoid": ("gate({}, True)", "{dy} * gate_slope({y}, True)"),
}


class UnknownFunctionError(Exception):
    """A rule or a line calls an unknown function."""


def rule_text(word: str, rule: Any) -> list[str]:
    """Return an activation and its derivative: ``sigma(x)`` and ``dsigma(dy, y)``, or ``dsigma(dy, y, x)``.

    Args:
        word: "sigma" or "phi".
        rule: `minigrad.recurrent.description.Rule`.
    """
    name = name_of(rule)
    if name:
        forward, backward = FAST[name]
        forward, backward = forward.format("x"), backward.format(dy="dy", y="y")
        y, dx = [f"    return {forward}"], [f"    return {backward}"]
    else:
        y, dx = _lines(rule.forward), _lines(rule.backward)
    third = "" if rule.from_output else ", x"
    return ["@inlined", f"def {word}(x):", *y, "", "", "@inlined", f"def d{word}(dy, y{third}):", *dx]


def _lines(lines: Sequence[Any]) -> list[str]:
    *others, last = [(line.name, number_text(ast.parse(line.text, mode="eval").body)) for line in lines]
    return [*(f"    {name} = {text}" for name, text in others), f"    return {last[1]}"]


def number_text(e: ast.expr) -> str:
    """Return an expression of arrays as one of scalars, whose literals are ``real(…)``."""
    return ast.unparse(ast.fix_missing_locations(_Number().visit(e)))


class _Number(ast.NodeTransformer):
    """Replacement of literals by ``real(…)`` and of e^y for y ≤ 0 by the fast version; `stop` is dropped."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = int(node.value) if isinstance(node.value, float) and node.value.is_integer() else node.value
        return _call("real", ast.Constant(value))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        word = node.func.id if isinstance(node.func, ast.Name) else ""
        if word == "stop":
            return node.args[0]
        if word == "clip" and len(node.args) == 3:
            return _call("minimum", _call("maximum", *node.args[:2]), node.args[2])
        if word == "exp" and ast.unparse(node.args[0]).startswith("-abs("):
            return _call("exponential", *node.args)
        if word not in {*scalar_functions.__all__, "abs", "sigma", "phi", "dsigma", "dphi"}:
            raise UnknownFunctionError(word)
        return node


def _call(word: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(word, ast.Load()), list(arguments), [])
