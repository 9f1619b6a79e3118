"""Simplification of expressions with absent parts: the algebra of nothing.

A peephole that a cell lacks is a vector of zeros, so ``z + w * c`` is z. A matrix or a limit that it does not
have leaves a value as it is, so ``n @ P`` is n and ``clip(c, limit)`` is c. Written out this way, nothing is left of an
absent part, neither its arithmetic nor its memory.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from minigrad.recurrent.reader import Assignment, names


class _Nothing:
    """A vector of zeros that is never made, or a matrix or limit that is not there."""


NOTHING: Final = _Nothing()
Value = Any
"""An expression, or NOTHING."""


def simplified(e: ast.expr, known: Mapping[str, Value]) -> Value:
    """Return an expression without its absent parts.

    Args:
        e: an expression of a body.
        known: names that stand for another value: for NOTHING, or for an expression.
    """
    if isinstance(e, ast.Name):
        return known.get(e.id, e)
    if isinstance(e, ast.UnaryOp):
        v = simplified(e.operand, known)
        return v if v is NOTHING else ast.UnaryOp(e.op, v)
    if isinstance(e, ast.BinOp):
        return _binary(e, simplified(e.left, known), known)
    if isinstance(e, ast.Call):
        return _call(e, [simplified(a, known) for a in e.args])
    return e


def present(lines: Iterable[Assignment], known: dict[str, Any]) -> list[Assignment]:
    """Return the lines without absent parts; names of nothing, and other names of a value, go into `known`."""
    found = []
    for line in lines:
        value = simplified(line.value, known)
        if value is NOTHING or (isinstance(value, ast.Name) and line.name.startswith("_")):
            known[line.name] = value
        else:
            found.append(Assignment(line.name, value, line.number))
    return found


def live(lines: Sequence[Assignment], wanted: Iterable[str]) -> list[Assignment]:
    """Return the lines that lead to a wanted name."""
    read, found = set(wanted), []
    for line in reversed(lines):
        if line.name in read:
            found.append(line)
            read |= set(names(line.value))
    return found[::-1]


def _binary(e: ast.BinOp, a: Value, known: Mapping[str, Value]) -> Value:
    if isinstance(e.op, ast.MatMult):
        matrix = e.right.value if isinstance(e.right, ast.Attribute) else e.right
        absent = isinstance(matrix, ast.Name) and known.get(matrix.id) is NOTHING
        return a if absent or a is NOTHING else ast.BinOp(a, e.op, e.right)
    b = simplified(e.right, known)
    if isinstance(e.op, ast.Mult) and NOTHING in (a, b):
        return NOTHING
    if isinstance(e.op, ast.Div):  # by 0.0, it is left for the reader to refuse
        return NOTHING if a is NOTHING and b is not NOTHING else ast.BinOp(written(a), e.op, written(b))
    if b is NOTHING and isinstance(e.op, (ast.Add, ast.Sub)):
        return a
    if a is NOTHING:
        return b if isinstance(e.op, ast.Add) else ast.UnaryOp(ast.USub(), b)
    return ast.BinOp(a, e.op, b)


def _call(e: ast.Call, given: list[Value]) -> Value:
    word = e.func.id if isinstance(e.func, ast.Name) else ""
    if word in ("clip", "dclip") and given[-1] is NOTHING:
        return given[0]
    if word in ("dsigma", "dphi", "dclip", "stop") and given[0] is NOTHING:
        return NOTHING
    return ast.Call(e.func, [written(v) for v in given], [])


def written(v: Value) -> ast.expr:
    """Return a value as an expression: NOTHING is 0."""
    if v is NOTHING:
        return ast.Constant(0.0)
    expression: ast.expr = v
    return expression
