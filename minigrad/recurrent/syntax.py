"""Python's syntax trees, read by one thread at a time.

CPython 3.11 and 3.12 count the depth of a tree in one number for all threads. If garbage collection during `ast.parse`
lets another thread run that reads a text too, both calls fail with SystemError, "recursion depth mismatch".
"""

from __future__ import annotations

import ast
from typing import Any

from minigrad.engine.flow import new_lock

reading = new_lock()  # held by callers around what calls `ast.parse` itself: `arrays` and the backends' compilers


def parse(text: str) -> Any:
    """Return the syntax tree of statements, an `ast.Module`."""
    with reading:
        return ast.parse(text)


def parse_expression(text: str) -> ast.expr:
    """Return the syntax tree of an expression."""
    with reading:
        return ast.parse(text, mode="eval").body
