"""JSON that a person can read, in files that are whole or not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from minigrad.keras.files import write_atomically
from minigrad.train.errors import RunError


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Writes values as JSON that a person can read, atomically."""
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode("utf-8")))


def read_json(path: Path) -> dict[str, Any]:
    """Returns the object in a JSON file.

    Raises:
        RunError: the file is missing, or is not a JSON object.
    """
    try:
        values = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except ValueError as error:  # not UTF-8, not JSON
        raise RunError(f"{path}: expected JSON, but: {error}.") from None
    if not isinstance(values, dict):
        raise RunError(f"{path}: expected a JSON object, got {type(values).__name__}.")
    return values
