"""A cell's equations as LaTeX, line by line as they stand in its file: for pages and slides."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from minigrad.recurrent.body import Body
from minigrad.recurrent.checked import bodies
from minigrad.recurrent.derived import Derived
from minigrad.recurrent.description import Description
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.reader import describe

WORDS = {"sigma": r"\sigma", "phi": r"\varphi"}


def latex(equations: type[Equations]) -> str:
    """Returns the products, the forward and the backward lines as one ``aligned`` block each, with blank lines between.

    A primed σ stands for the derivative of the gate that its index names: σ′_i d i is ``dsigma(di, i)``. ⌊h⌋ stands
    for ``stop(h)``, through which no gradient flows back.

    Args:
        equations: the cell.
    """
    d = describe(equations)
    forward, backward = bodies(equations, ())
    blocks = [_products(d), _body(forward), [*_body(backward), *_gradients(backward, forward.arguments, d.upstream)]]
    return "\n\n".join("\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}" for lines in blocks)


def _products(d: Description) -> list[str]:
    lines = []
    for p in d.products:
        terms = [rf"{symbol(t.source) if t.flows else stopped(symbol(t.source))}\, {symbol(t.matrix)}" for t in p.terms]
        terms += [symbol(p.bias)] if p.bias else []
        left = r",\; ".join(map(symbol, p.columns))
        left = left if len(p.columns) == 1 else rf"\left[ {left} \right]"  # a plain [ after \\ is an argument of it
        lines.append(f"{left} &= {' + '.join(terms)}")
    return lines


def _body(body: Body | Derived) -> list[str]:
    return [f"{symbol(line.name)} &= {formula(line.value)}" for line in body.lines]


def _gradients(body: Body | Derived, arguments: list[str], upstream: Sequence[str]) -> list[str]:
    """What is returned for each argument of forward, where it does not have that name already.

    Where dc is the upstream gradient, that of the old c is ∂loss/∂c.
    """
    lines = []
    for a, e in zip(arguments, body.returns, strict=True):
        if f"d{a}" in upstream:
            lines.append(rf"\partial\mathrm{{loss}}/\partial {symbol(a)} &= {formula(e)}")
        elif ast.unparse(e) != f"d{a}":
            lines.append(f"{symbol(f'd{a}')} &= {formula(e)}")
    return lines


def stopped(text: str) -> str:
    """Returns a term through which no gradient flows back."""
    return rf"\lfloor {text} \rfloor"


def symbol(name: str) -> str:
    r"""Returns a name as it is typeset; a star stands for an underscore at its end.

    >>> symbol("z_i"), symbol("dc_new"), symbol("forget_bias")
    ('z_{i}', '\\mathrm{d}c_{\\mathrm{new}}', '\\mathit{forget}_{\\mathrm{bias}}')
    >>> symbol("dc_new_")
    '\\mathrm{d}c_{\\mathrm{new},*}'
    """
    head, _, tail = name.partition("_")
    if not head:
        return rf"v_{{{tail}}}"
    prefix = ""
    if len(head) > 1 and head.startswith("d"):
        prefix, head = r"\mathrm{d}", head[1:]
    head = head if len(head) == 1 else rf"\mathit{{{head}}}"
    parts = [part if len(part) == 1 or part.isdigit() else rf"\mathrm{{{part}}}" for part in tail.split("_") if part]
    parts += ["*"] * (len(name) - len(name.rstrip("_")))
    return prefix + head + (f"_{{{','.join(parts)}}}" if parts else "")


def formula(e: ast.expr, rank: int = 0) -> str:
    """Returns an expression of a body as it is typeset."""
    if isinstance(e, ast.Name):
        return symbol(e.id)
    if isinstance(e, ast.Constant):
        return _number(float(str(e.value)))
    if isinstance(e, ast.Attribute):
        return f"{formula(e.value)}^{{\\top}}"
    if isinstance(e, ast.UnaryOp):
        return _inside(f"-{formula(e.operand, 3)}", 2, rank)
    if isinstance(e, ast.Call):
        return _call(e)
    if isinstance(e, ast.BinOp):
        return _binary(e, rank)
    return rf"\mathtt{{{re.sub('_', chr(92) + '_', ast.unparse(e))}}}"


def _number(value: float) -> str:
    """A number with all of its digits: 1e-07 is a power of ten."""
    digits, _, exponent = repr(value).partition("e")
    digits = digits.removesuffix(".0")
    return rf"{digits} \cdot 10^{{{int(exponent)}}}" if exponent else digits


def _binary(e: ast.BinOp, rank: int) -> str:
    if isinstance(e.op, ast.Div):
        return rf"\frac{{{formula(e.left)}}}{{{formula(e.right)}}}"
    plain = r"\," if isinstance(e.left, ast.Constant) else r" \circ "
    signs = {ast.Add: (" + ", 1), ast.Sub: (" - ", 1), ast.Mult: (plain, 2), ast.MatMult: (r"\, ", 3)}
    sign, own = signs[type(e.op)]
    left = formula(e.left, 0 if isinstance(e.left, ast.UnaryOp) else own)  # -a b is both (-a) b and -(a b)
    return _inside(f"{left}{sign}{formula(e.right, own + 1)}", own, rank)


def _inside(text: str, own: int, rank: int) -> str:
    """The text in parentheses where what stands around it binds tighter, or is a sign before its sign."""
    return f"({text})" if own < rank or (rank >= 2 and text.startswith("-")) else text


def _call(e: ast.Call) -> str:
    word, arguments = ast.unparse(e.func), e.args
    if word in WORDS:
        return f"{WORDS[word]}({formula(arguments[0])})"
    if word in ("dsigma", "dphi"):
        prime = rf"{WORDS[word[1:]]}'_{{{formula(arguments[1])}}}"
        return rf"{formula(arguments[0], 2)} \circ {prime}"
    if word == "clip":
        return rf"\mathrm{{clip}}_{{\pm {formula(arguments[1])}}}({formula(arguments[0])})"
    if word == "dclip":
        return rf"{formula(arguments[0], 2)}\,[\,|{formula(arguments[1])}| < {formula(arguments[2])}\,]"
    return stopped(formula(arguments[0]))
