"""JSON files of a run: read strictly, written atomically."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from minigrad.engine.files import read_file, write_atomically
from minigrad.engine.untrusted import parse_json
from minigrad.train.errors import RunError

MAX_BYTES = 1 << 20  # of a JSON file; a config.json has about a thousand
MAX_DEPTH = 16  # nesting of objects and lists


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
        values = parse(read_file(path, RunError, most=MAX_BYTES))
    except ValueError as error:  # not UTF-8, not JSON
        raise RunError(f"{path}: expected JSON, but: {error}.") from None
    if not isinstance(values, dict):
        raise RunError(f"{path}: expected a JSON object, got {type(values).__name__}.")
    return values


def parse(text: bytes) -> Any:
    """Return the value of a strict JSON text: finite numbers, unique names, nesting of at most `MAX_DEPTH`.

    Raises:
        ValueError: the text is not such JSON; the message gives the reason.

    >>> parse(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: the key 'a' occurs twice
    """
    return parse_json(text, len(text), len(text), MAX_DEPTH, constants=False, surrogates=True)
