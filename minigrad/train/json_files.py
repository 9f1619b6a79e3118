"""JSON files of a run: read strictly, written atomically."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from minigrad.engine.files import read_file, write_atomically
from minigrad.train.errors import RunError, shortened

MOST = 1 << 20  # bytes of a JSON file; a config.json has about a thousand
DEEPEST = 16  # nesting of objects and lists


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write values as indented JSON, atomically."""
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
    """Return the value of a strict JSON text: finite numbers, unique names, nesting of at most `DEEPEST`.

    Raises:
        ValueError: the text is no such JSON; the message says why.

    >>> parse(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: the name 'a' occurs twice
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
    raise ValueError(f"{text} is not a number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"the name {shortened(counts.most_common(1)[0][0])} occurs twice")
    return values
