"""An activation's two rules as lines of text, read from its op, so that backends can print them in their own language.

`forward(xp, x)` and `backward(xp, dy, y, x)` of an op are formulas of an array namespace. Read here, ``xp.exp(-x)`` is
``exp(-x)``, another op's ``Sigmoid.forward(xp, x)`` is replaced by its lines, and constants by their numbers.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any

from minigrad.engine.ops.op import Op
from minigrad.recurrent.description import Line, Rule
from minigrad.recurrent.syntax import parse

WORDS = frozenset((
    "abs", "sign", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh", "erf", "floor", "maximum", "minimum",
    "clip", "where",
))  # fmt: skip
"""Functions of one number, or of several, that a rule can call."""


@cache
def rule_of(op: type[Op]) -> Rule | None:
    """Return the rule of an activation; None if it is not elementwise, or has no derivative rule."""
    if not hasattr(op, "backward"):
        return None
    try:
        forward, backward = _Lines(), _Lines()
        forward.add("y", forward.value(op, "forward", {"x": ast.Name("x")}))
        given: dict[str, ast.expr] = {name: ast.Name(name) for name in ("dy", "y")}
        given["x"] = ast.Constant(None) if op.from_output else ast.Name("x")
        backward.add("dx", backward.value(op, "backward", given))
    except _NotElementwiseError:
        return None
    return Rule(op.__name__, tuple(forward.lines), tuple(backward.lines), op.from_output)


class _NotElementwiseError(Exception):
    """Raised when a rule does more than arithmetic on one number."""


class _Lines:
    """Lines collected from rules; the names of intermediate values are _1, _2, …"""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def add(self, name: str, value: ast.expr) -> None:
        self.lines.append(Line(name, ast.unparse(ast.fix_missing_locations(value)), 0))

    def value(self, op: type[Op], which: str, given: dict[str, ast.expr]) -> ast.expr:
        """Add the lines of a rule, and return the expression of its result."""
        rule = op.formula if which == "forward" else op.backward
        tree: Any = parse(textwrap.dedent(inspect.getsource(rule))).body[0]
        known = {**{n: ast.Constant(v) for n, v in (rule.__kwdefaults__ or {}).items()}, **given}
        reader = _Reader(self, known, vars(sys.modules[rule.__module__]))
        for statement in _taken(tree.body, known):
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                known[statement.targets[0].id] = self.named(reader.visit(statement.value))
            elif isinstance(statement, ast.Return) and statement.value is not None:
                result: ast.expr = reader.visit(statement.value)
                return result
            elif not isinstance(statement, ast.Expr):
                break
        raise _NotElementwiseError

    def named(self, value: ast.expr) -> ast.expr:
        """A name for a value that is read more than once."""
        if isinstance(value, (ast.Name, ast.Constant, ast.Compare)):
            return value
        name = f"_{len(self.lines) + 1}"
        self.add(name, value)
        return ast.Name(name)


def _taken(statements: list[ast.stmt], known: dict[str, ast.expr]) -> Iterator[ast.stmt]:
    """Return the statements, with the branch taken in place of ``if x is None:``."""
    for statement in statements:
        if isinstance(statement, ast.If):
            yield from statement.body if _is_none(statement.test, known) else statement.orelse
        else:
            yield statement


def _is_none(test: ast.expr, known: dict[str, ast.expr]) -> bool:
    """Whether ``x is None`` holds."""
    if not (isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and isinstance(test.ops[0], ast.Is)):
        raise _NotElementwiseError
    value = known.get(test.left.id)
    return isinstance(value, ast.Constant) and value.value is None


class _Reader(ast.NodeTransformer):
    """A transformer from a rule's expressions to those of numbers."""

    def __init__(self, lines: _Lines, known: dict[str, ast.expr], module: dict[str, Any]) -> None:
        self.lines, self.known, self.module = lines, known, module

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.known:
            return self.known[node.id]
        if isinstance(self.module.get(node.id), (int, float)):
            return ast.Constant(self.module[node.id])
        raise _NotElementwiseError

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        value: ast.expr = self.visit(node.body if _is_none(node.test, self.known) else node.orelse)
        return value

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = node.func
        if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name) or node.keywords:
            raise _NotElementwiseError
        if function.value.id == "xp" and function.attr in WORDS:
            return ast.Call(ast.Name(function.attr), [self.visit(a) for a in node.args], [])
        other = self.module.get(function.value.id)
        if not (isinstance(other, type) and issubclass(other, Op)) or ast.unparse(node.args[0]) != "xp":
            raise _NotElementwiseError
        arguments = [self.lines.named(self.visit(a)) for a in node.args[1:]]
        names = ("x",) if function.attr == "forward" else ("dy", "y", "x")
        return self.lines.named(self.lines.value(other, function.attr, dict(zip(names, arguments, strict=True))))
