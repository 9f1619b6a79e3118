"""Simplification of expressions with absent parts.

An absent peephole is a vector of zeros, so ``z + w * c`` becomes z. An absent matrix or limit leaves a value unchanged,
so ``n @ P`` becomes n and ``clip(c, limit)`` becomes c. The result computes and stores nothing for an absent part.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from minigrad.recurrent.reader import Assignment, names


class _Absent:
    """A vector of zeros that is never made, or an absent matrix or limit."""


ABSENT: Final = _Absent()
Value = Any
"""An expression, or ABSENT."""


def simplified(e: ast.expr, known: Mapping[str, Value]) -> Value:
    """Return an expression without its absent parts.

    Args:
        e: an expression of a body.
        known: names that stand for another value: for ABSENT, or for an expression.
    """
    if isinstance(e, ast.Name):
        return known.get(e.id, e)
    if isinstance(e, ast.UnaryOp):
        v = simplified(e.operand, known)
        return v if v is ABSENT else ast.UnaryOp(e.op, v)
    if isinstance(e, ast.BinOp):
        return _binary(e, simplified(e.left, known), known)
    if isinstance(e, ast.Call):
        return _call(e, [simplified(a, known) for a in e.args])
    return e


def without_absent(lines: Iterable[Assignment], known: dict[str, Any]) -> list[Assignment]:
    """Return the lines without absent parts; names of absent values, and other names of a value, go into `known`."""
    found = []
    for line in lines:
        value = simplified(line.value, known)
        if value is ABSENT or (isinstance(value, ast.Name) and line.name.startswith("_")):
            known[line.name] = value
        else:
            found.append(Assignment(line.name, value, line.number))
    return found


def needed_lines(lines: Sequence[Assignment], wanted: Iterable[str]) -> list[Assignment]:
    """Return the lines that a wanted name depends on."""
    read, found = set(wanted), []
    for line in reversed(lines):
        if line.name in read:
            found.append(line)
            read |= set(names(line.value))
    return found[::-1]


def _binary(e: ast.BinOp, a: Value, known: Mapping[str, Value]) -> Value:
    if isinstance(e.op, ast.MatMult):
        matrix = e.right.value if isinstance(e.right, ast.Attribute) else e.right
        absent = isinstance(matrix, ast.Name) and known.get(matrix.id) is ABSENT
        return a if absent or a is ABSENT else ast.BinOp(a, e.op, e.right)
    b = simplified(e.right, known)
    if isinstance(e.op, ast.Mult) and ABSENT in (a, b):
        return ABSENT
    if isinstance(e.op, ast.Div):  # the reader refuses a division by 0.0
        return ABSENT if a is ABSENT and b is not ABSENT else ast.BinOp(written(a), e.op, written(b))
    if b is ABSENT and isinstance(e.op, (ast.Add, ast.Sub)):
        return a
    if a is ABSENT:
        return b if isinstance(e.op, ast.Add) else ast.UnaryOp(ast.USub(), b)
    return ast.BinOp(a, e.op, b)


def _call(e: ast.Call, given: list[Value]) -> Value:
    word = e.func.id if isinstance(e.func, ast.Name) else ""
    if word in ("clip", "dclip") and given[-1] is ABSENT:
        return given[0]
    if word in ("dsigma", "dphi", "dclip", "stop") and given[0] is ABSENT:
        return ABSENT
    return ast.Call(e.func, [written(v) for v in given], [])


def written(v: Value) -> ast.expr:
    """Return a value as an expression: ABSENT is 0."""
    if v is ABSENT:
        return ast.Constant(0.0)
    expression: ast.expr = v
    return expression
