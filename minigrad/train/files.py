"""The files of a run: read with their size and kind looked at first, written whole or not at all, JSON in both."""

from __future__ import annotations

import json
import math
import os
import reprlib
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from minigrad.engine.errors import MinigradError
from minigrad.engine.files import special, write_atomically
from minigrad.train.errors import RunError

MOST = 1 << 20  # bytes of a JSON file; a config.json has about a thousand
DEEPEST = 16  # objects and lists in one another
PIECE = 1 << 20

_short = reprlib.Repr()
_short.maxstring = _short.maxlong = _short.maxother = 80


def shown(value: Any) -> str:
    """Return a value as Python writes it, cut where it is long or deep: for errors about what a file holds.

    >>> shown([[[[[[[[]]]]]]]])
    '[[[[[[[...]]]]]]]'
    """
    return _short.repr(value)


def refuse_special(path: str | Path, error: type[MinigradError], name: str = "", most: int | None = None) -> None:
    """Look at a path without opening it.

    Args:
        path: what is to be read.
        error: what to raise.
        name: what to call it in the error; the path by default.
        most: the largest size allowed, in bytes.

    Raises:
        MinigradError: an `error`. There is no regular file, it may not be looked at, or it is too large.
    """
    name = name or str(path)
    try:
        kind, size = special(path), os.stat(path).st_size
    except OSError as failure:
        raise error(f"{name}: cannot be read: {failure.strerror or failure}.") from None
    except ValueError:  # a zero byte, a lone surrogate
        raise error(f"{name!r}: no file can have such a name.") from None
    if kind == "a folder":
        raise error(f"{name}: cannot be read: it is a folder.")
    if kind:
        raise error(f"{name}: cannot be read: expected a file, got {kind}. Copy its content into a file first.")
    if most is not None and size > most:
        raise error(f"{name}: cannot be read: expected at most {most:,} bytes, got {size:,}.")


def read_file(
    path: str | Path, error: type[MinigradError], name: str = "", *, most: int, first: int | None = None
) -> bytes:
    """Return the content of a regular file; the arguments are those of `refuse_special`.

    Args:
        path: the file.
        error: what to raise.
        name: what to call it in the error.
        most: the largest size allowed, in bytes.
        first: read only so many bytes of it, however large it is.
    """
    refuse_special(path, error, name, most if first is None else None)
    limit = most + 1 if first is None else first
    content = bytearray()
    try:
        with open(path, "rb") as file:
            while len(content) < limit and (piece := file.read(min(PIECE, limit - len(content)))):
                content += piece
    except OSError as failure:
        raise error(f"{name or path}: cannot be read: {failure.strerror or failure}.") from None
    if first is None and len(content) > most:  # it says another size, or grows
        raise error(f"{name or path}: cannot be read: expected at most {most:,} bytes, got more.")
    return bytes(content)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write values as JSON that a person can read, atomically."""
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode("utf-8", "surrogatepass")))


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        RunError: the file is missing, or is not a JSON object.
    """
    try:
        values = parse(read_file(path, RunError, most=MOST))
    except ValueError as error:  # not UTF-8, not JSON
        raise RunError(f"{path}: expected JSON, but: {error}.") from None
    if not isinstance(values, dict):
        raise RunError(f"{path}: expected a JSON object, got {type(values).__name__}.")
    return values


def parse(text: bytes) -> Any:
    """Return the value of a JSON text that holds finite numbers, each name once, and is not nested deeply.

    Raises:
        ValueError: it is none.

    >>> parse(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: the name 'a' stands there twice
    """
    try:
        value = json.loads(
            text.decode("utf-8", "surrogatepass"),
            parse_constant=_no_number,
            parse_float=_finite,
            object_pairs_hook=_once,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list)))
        level = [each for values in inner for each in values if isinstance(each, (dict, list))]
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON's")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"the name {shown(counts.most_common(1)[0][0])} stands there twice")
    return values
