"""The layout of printed text: indentation, and lines of at most 120 characters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

WIDE = 120


def indented(depth: int, lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines, indented by `depth` levels."""
    return ("    " * depth + line for line in lines)


def wrapped(line: str) -> Iterator[str]:
    r"""Yield a line; if it is too long, with the arguments of its call on separate lines.

    >>> print(*wrapped("    f(" + "a" * 60 + ", b[1, 2], " + "c" * 60 + ")"), sep="\n")  # doctest: +ELLIPSIS
        f(
            aaa..., b[1, 2],
            ccc...,
        )
    """
    match = re.fullmatch(r"( *)(.*?(?:\w| import )\()(.*)(\):?)", line)
    if len(line) <= WIDE or match is None or "(" in match[2][:-1] or not _is_balanced(match[3]):
        yield line
        return
    space, call, inside, end = match.groups()
    yield space + call
    now = ""
    for argument in _arguments(inside):
        if now and len(space) + 4 + len(now) + 2 + len(argument) > WIDE:
            yield f"{space}    {now}"
            now = ""
        now += f"{' ' if now else ''}{argument},"
    yield f"{space}    {now}"
    yield space + end


def wrapped_import(line: str) -> Iterator[str]:
    """Yield an import, in parentheses if it is too long."""
    module, names = line.split(" import ")
    return iter([line]) if len(line) <= WIDE else wrapped(f"{module} import ({names})")


def _is_balanced(inside: str) -> bool:
    """Return True if the text is the whole inside of one call: its brackets are balanced."""
    depth = 0
    for letter in inside:
        depth += (letter in "([") - (letter in ")]")
        if depth < 0:
            return False
    return True


def _arguments(text: str) -> Iterator[str]:
    """Yield the arguments of a call; a comma in brackets does not separate arguments."""
    depth, now = 0, ""
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            yield now.strip()
            now = ""
        else:
            now += letter
    yield now.strip()
