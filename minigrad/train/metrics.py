"""``metrics.jsonl``: one line of JSON for each training step, so that anything can plot it.

    {"step": 200, "loss": 2.61, "learning_rate": 0.004, "gradient_norm": 0.38,
     "validation": {"bits_per_character": 2.58, "standard_error": 0.006}}

`loss` is in the task's unit; null stands for a loss that was not finite; `validation` is there on
steps that were followed by an evaluation, with the standard error of how far the task's metric is
from its baseline. No line holds a time: two runs with the same options write the same bytes.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from minigrad.keras.files import cannot_write, write_atomically
from minigrad.train.errors import RunError


class Metrics:
    """The lines of one run.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: dict[str, Any]) -> None:
        """Adds a line.

        Raises:
            FileError: the file cannot be written, as where the disk is full.
        """
        try:
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(json.dumps(_finite(record), allow_nan=False) + "\n")
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def read(self) -> list[dict[str, Any]]:
        """Returns all lines; one cut short at the end, as a power cut leaves it, does not count.

        Raises:
            RunError: a line in the middle is not what `append` writes.
        """
        if not self.path.exists():
            return []
        try:
            lines = self.path.read_text("utf-8", errors="replace").split("\n")
        except OSError as error:
            raise RunError(f"{self.path}: cannot be read: {error.strerror or error}.") from None
        records = []
        for number, line in enumerate(lines[:-1], start=1):  # the last is empty, or cut short
            try:
                record = json.loads(line)
                record["step"] + 0
            except (ValueError, TypeError, KeyError):
                raise RunError(
                    f"{self.path}, line {number}: expected a JSON object with a step, got "
                    f"{line[:60]!r}. Delete the line, or start a new run."
                ) from None
            records.append(record)
        return records

    def keep_until(self, step: int) -> None:
        """Forgets the lines after a step: what a run did after the checkpoint it goes on from."""
        kept = [record for record in self.read() if record["step"] <= step]
        text = "".join(json.dumps(record) + "\n" for record in kept)
        write_atomically(self.path, lambda file: file.write(text.encode()))


def _finite(value: Any) -> Any:
    """The value with null for each number that JSON cannot hold."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
