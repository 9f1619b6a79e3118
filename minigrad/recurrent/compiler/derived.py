"""The backward body of a cell, derived from its forward body line by line.

It is reverse-mode differentiation on text. Each line of `forward` is read once, the last first. At that point all terms
of the gradient of its name are known. Their sum is the upstream gradient, from which each part of the line gets its
gradient:

    v = a + b      da = dv            db = dv
    v = a * b      da = dv * b        db = dv * a
    v = σ(z)       dz = dsigma(dv, v)
    v = s @ M      ds = dv @ M.T

The tape differentiates recorded operations; this module differentiates lines of text before any of them runs.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Sequence

from minigrad.recurrent.compiler.body import CheckedBody
from minigrad.recurrent.reader import Assignment, names
from minigrad.recurrent.syntax import parse_expression


class Derived:
    """A backward body, in the form of `minigrad.recurrent.compiler.body.CheckedBody`.

    Args:
        forward: the forward body.
        states: names of the states.
        taken: names that stand for other values, those of states and weights.

    Attributes:
        where, file, number, error, in_text: those of the forward body, for messages.
        arguments: ∂loss/∂(each new state), then the names of `forward` that are read.
        options: those of `forward`.
        lines: the assignments.
        returns: one gradient for each positional argument of `forward`; 0 where nothing flows.
    """

    def __init__(self, forward: CheckedBody, states: Sequence[str], taken: Collection[str] = ()) -> None:
        self.where, self.file, self.number = forward.where, forward.file, forward.number
        self.error, self.in_text, self.options = forward.error, forward.in_text, forward.options
        self._taken = {*taken, *forward.arguments, *forward.options, *(line.name for line in forward.lines)}
        self._terms: dict[str, list[str]] = defaultdict(list)
        self.lines: list[Assignment] = []
        upstream = [self._new(f"d{s}_new") for s in states]
        for e, d in zip(forward.returns, upstream, strict=True):
            self._send(e, d, forward)
        for line in reversed(forward.lines):
            if terms := self._terms[line.name]:
                named = len(terms) == 1 and terms[0].isidentifier()
                d = terms[0] if named else self._line(f"d{line.name}", " + ".join(terms), line.number)
                self._send(line.value, d, forward)
        self.returns = [parse_expression(" + ".join(self._terms[a]) or "0.0") for a in forward.arguments]
        read = {n for e in (*(line.value for line in self.lines), *self.returns) for n in names(e)}
        known = [n for n in (*forward.arguments, *forward.options, *(line.name for line in forward.lines)) if n in read]
        self.arguments = [*upstream, *known]

    def _new(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def _line(self, name: str, text: str, number: int) -> str:
        name = self._new(name)
        self.lines.append(Assignment(name, parse_expression(text), number))
        return name

    def _send(self, e: ast.expr, d: str, forward: CheckedBody) -> None:
        """Add the gradient d of e to the gradients of e's parts."""
        if isinstance(e, ast.Name):
            if e.id not in self.options:
                self._terms[e.id].append(d)
        elif isinstance(e, ast.UnaryOp):
            self._send(e.operand, f"(-{d})", forward)
        elif isinstance(e, ast.BinOp):
            self._binary(e, d, forward)
        elif isinstance(e, ast.Call):
            self._call(e, d, forward)

    def _binary(self, e: ast.BinOp, d: str, forward: CheckedBody) -> None:
        a, b = ast.unparse(e.left), ast.unparse(e.right)
        if isinstance(e.op, ast.MatMult):
            self._terms[a].append(self._line(f"d{a}", f"{d} @ {b}.T", e.lineno))
            return
        if isinstance(e.op, (ast.Add, ast.Sub)):
            self._send(e.left, d, forward)
            self._send(e.right, d if isinstance(e.op, ast.Add) else f"(-{d})", forward)
        elif isinstance(e.op, ast.Mult):
            self._send(e.left, f"{d} * ({b})", forward)
            self._send(e.right, f"{d} * ({a})", forward)
        else:
            self._send(e.left, f"{d} / ({b})", forward)
            self._send(e.right, f"(-{d}) * ({a}) / (({b}) * ({b}))", forward)

    def _call(self, e: ast.Call, d: str, forward: CheckedBody) -> None:
        word = e.func.id if isinstance(e.func, ast.Name) else ""
        if word == "stop":
            return
        v = next((line.name for line in forward.lines if line.value is e), None)
        if word == "clip" and v is None:
            v = ast.unparse(e)  # a clip inside a larger expression is read again
        if v is None or word not in ("sigma", "phi", "clip"):
            raise self.error(e.lineno, f"`{self.in_text(e)}` cannot be differentiated", "write `backward` by hand")
        limit = f", {ast.unparse(e.args[1])}" if word == "clip" else ""
        dz = f"d{word}({d}, {v}{limit})"
        if not isinstance(e.args[0], ast.Name):  # several parts read it
            dz = self._line(f"d{v}_in" if v.isidentifier() else "d_in", dz, e.lineno)
        self._send(e.args[0], dz, forward)
