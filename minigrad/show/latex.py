"""A cell's equations as LaTeX, one line for each line of its source file: for pages and slides."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

from minigrad.layers.equation_cell import read_equations
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.compiler.body import CheckedBody
from minigrad.recurrent.compiler.checked import bodies
from minigrad.recurrent.compiler.derived import Derived
from minigrad.recurrent.description import Description
from minigrad.recurrent.equations import Equations

GREEK = {"sigma": r"\sigma", "phi": r"\varphi"}


def latex(equations: type[Equations]) -> str:
    """Return the products, the forward and the backward lines as one ``aligned`` block each, with blank lines between.

    A primed σ stands for the derivative of the gate that its index names: σ′_i d i is ``dsigma(di, i)``. ⌊h⌋ stands
    for ``stop(h)``, through which no gradient flows.

    Args:
        equations: the cell.
    """
    equations = read_equations("latex: `equations`", equations)
    d = describe(equations)
    forward, backward = bodies(equations, ())
    cell = Notation([*d.states, *d.weights, *forward.arguments, *forward.options, *(a.name for a in forward.lines)])
    blocks = [
        _products(cell, d),
        _lines(cell, forward),
        [*_lines(cell, backward), *_gradients(cell, d, forward, backward)],
    ]
    return "\n\n".join("\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}" for lines in blocks)


def _products(cell: Notation, d: Description) -> list[str]:
    lines = []
    for p in d.products:
        sources = [cell.symbol(t.source) if t.flows else stopped(cell.symbol(t.source)) for t in p.terms]
        terms = [rf"{source}\, {cell.symbol(t.matrix)}" for source, t in zip(sources, p.terms, strict=True)]
        terms += [cell.symbol(p.bias)] if p.bias else []
        left = r",\; ".join(map(cell.symbol, p.columns))
        left = (
            left if len(p.columns) == 1 else rf"\left[ {left} \right]"
        )  # LaTeX reads a plain [ after \\ as its option
        lines.append(f"{left} &= {' + '.join(terms)}")
    return lines


def _lines(cell: Notation, body: CheckedBody | Derived) -> list[str]:
    return [f"{cell.symbol(line.name)} &= {cell.formula(line.value)}" for line in body.lines]


def _gradients(cell: Notation, d: Description, forward: CheckedBody, backward: CheckedBody | Derived) -> list[str]:
    """The gradient returned for each argument of forward, unless a line assigns it to that name already.

    Where dc is the upstream gradient, the gradient of the old c is written ∂loss/∂c.
    """
    lines = []
    for a, e in zip(forward.arguments, backward.returns, strict=True):
        if f"d{a}" in d.upstream:
            lines.append(rf"\partial\mathrm{{loss}}/\partial {cell.symbol(a)} &= {cell.formula(e)}")
        elif ast.unparse(e) != f"d{a}":
            lines.append(f"{cell.symbol(f'd{a}')} &= {cell.formula(e)}")
    return lines


def stopped(text: str) -> str:
    """Return a term through which no gradient flows."""
    return rf"\lfloor {text} \rfloor"


class Notation:
    """Typeset names and expressions of one cell.

    Args:
        names: the names in the cell's forward equations. A name that is not among them is a gradient if it is a d
            before one of them, or before a single letter: with ``decay`` among them, ``decay`` is a value and
            ``ddecay`` its gradient.
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        self.names = frozenset(names)

    def is_gradient(self, name: str) -> bool:
        """Return True if a name stands for a gradient."""
        of, head = name[1:], name.partition("_")[0]
        if not name.startswith("d") or not of or name in self.names:
            return False
        return len(head) == 2 or any(of == known or of.startswith(f"{known}_") for known in self.names)

    def symbol(self, name: str) -> str:
        r"""Return a name as LaTeX; an underscore at its end becomes a star.

        >>> cell = Notation(["decay"])
        >>> cell.symbol("z_i"), cell.symbol("dc_new"), cell.symbol("forget_bias")
        ('z_{i}', '\\mathrm{d}c_{\\mathrm{new}}', '\\mathit{forget}_{\\mathrm{bias}}')
        >>> cell.symbol("dc_new_"), cell.symbol("decay"), cell.symbol("ddecay")
        ('\\mathrm{d}c_{\\mathrm{new},*}', '\\mathit{decay}', '\\mathrm{d}\\mathit{decay}')
        """
        if self.is_gradient(name):
            return rf"\mathrm{{d}}{_letters(name[1:])}"
        return _letters(name)

    def formula(self, e: ast.expr, rank: int = 0) -> str:
        """Return an expression of a body as LaTeX."""
        if isinstance(e, ast.Name):
            return self.symbol(e.id)
        if isinstance(e, ast.Constant):
            return _number(float(str(e.value)))
        if isinstance(e, ast.Attribute):
            return f"{self.formula(e.value)}^{{\\top}}"
        if isinstance(e, ast.UnaryOp):
            return _in_parentheses(f"-{self.formula(e.operand, 3)}", 2, rank)
        if isinstance(e, ast.Call):
            return self._call(e)
        if isinstance(e, ast.BinOp):
            return self._binary(e, rank)
        return rf"\mathtt{{{re.sub('_', chr(92) + '_', ast.unparse(e))}}}"

    def _binary(self, e: ast.BinOp, rank: int) -> str:
        if isinstance(e.op, ast.Div):
            return rf"\frac{{{self.formula(e.left)}}}{{{self.formula(e.right)}}}"
        times = r"\," if isinstance(e.left, ast.Constant) else r" \circ "
        signs = {ast.Add: (" + ", 1), ast.Sub: (" - ", 1), ast.Mult: (times, 2), ast.MatMult: (r"\, ", 3)}
        sign, precedence = signs[type(e.op)]
        left_rank = 0 if isinstance(e.left, ast.UnaryOp) else precedence  # -a b is both (-a) b and -(a b)
        text = f"{self.formula(e.left, left_rank)}{sign}{self.formula(e.right, precedence + 1)}"
        return _in_parentheses(text, precedence, rank)

    def _call(self, e: ast.Call) -> str:
        word, (first, *more) = ast.unparse(e.func), e.args
        if word in GREEK:
            return f"{GREEK[word]}({self.formula(first)})"
        if word in ("dsigma", "dphi"):
            return rf"{self.formula(first, 2)} \circ {GREEK[word[1:]]}'_{{{self.formula(more[0])}}}"
        if word == "clip":
            return rf"\mathrm{{clip}}_{{\pm {self.formula(more[0])}}}({self.formula(first)})"
        if word == "dclip":
            return rf"{self.formula(first, 2)}\,[\,|{self.formula(more[0])}| < {self.formula(more[1])}\,]"
        return stopped(self.formula(first))


def _letters(name: str) -> str:
    """A name without its d: the part before the first underscore, and the others as indices."""
    head, _, tail = name.partition("_")
    if not head:
        return rf"v_{{{tail}}}"
    parts = [part if len(part) == 1 or part.isdigit() else rf"\mathrm{{{part}}}" for part in tail.split("_") if part]
    parts += ["*"] * (len(name) - len(name.rstrip("_")))
    head = head if len(head) == 1 else rf"\mathit{{{head}}}"
    return head + (f"_{{{','.join(parts)}}}" if parts else "")


def _number(value: float) -> str:
    """A number with all of its digits; 1e-07 becomes a power of ten."""
    digits, _, exponent = repr(value).partition("e")
    digits = digits.removesuffix(".0")
    return rf"{digits} \cdot 10^{{{int(exponent)}}}" if exponent else digits


def _in_parentheses(text: str, precedence: int, rank: int) -> str:
    """The text, in parentheses if the operator around it binds tighter or would put a sign before its sign."""
    return f"({text})" if precedence < rank or (rank >= 2 and text.startswith("-")) else text
