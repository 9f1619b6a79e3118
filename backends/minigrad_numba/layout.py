"""The layout of printed text: lines of at most 120 characters, and comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

WIDE = 120


def indented(depth: int, lines: Iterable[str]) -> Iterator[str]:
    """Yields the lines, deeper."""
    return ("    " * depth + line for line in lines)


def wrapped(line: str) -> Iterator[str]:
    r"""Yields a line, or where it is too long, the call in it with its arguments on lines of their own.

    >>> print(*wrapped("    f(" + "a" * 60 + ", b[1, 2], " + "c" * 60 + ")"), sep="\n")  # doctest: +ELLIPSIS
        f(
            aaa..., b[1, 2],
            ccc...,
        )
    """
    match = re.fullmatch(r"( *)(.*?(?:\w| import )\()(.*)(\):?)", line)
    if len(line) <= WIDE or match is None or "(" in match[2][:-1] or not _whole(match[3]):
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


def _whole(inside: str) -> bool:
    """True if the bracket before this text is closed by the one behind it: it is all one call."""
    depth = 0
    for letter in inside:
        depth += (letter in "([") - (letter in ")]")
        if depth < 0:
            return False
    return True


def _arguments(text: str) -> Iterator[str]:
    """The arguments of a call; a comma in brackets separates none."""
    depth, now = 0, ""
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            yield now.strip()
            now = ""
        else:
            now += letter
    yield now.strip()
