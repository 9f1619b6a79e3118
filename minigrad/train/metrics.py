"""``metrics.jsonl``: one line of JSON for each training step, so that any program can plot it.

    {"step": 200, "loss": 2.61, "learning_rate": 0.004, "gradient_norm": 0.38,
     "validation": {"bits_per_character": 2.58, "standard_error": 0.006}}

`loss` is in the task's unit; null stands for a loss that was not finite. Steps followed by an evaluation have
`validation`, with the standard error of the difference between the task's metric and its baseline. No line holds
a time: two runs with the same options write the same bytes.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from minigrad.engine.files import cannot_write, read_file, write_atomically
from minigrad.train.errors import RunError
from minigrad.train.json_files import parse

MAX_BYTES = 1 << 32  # bytes
MAX_STEP = 2**53
NUMBERS = ("loss", "learning_rate", "gradient_norm")


class Metrics:
    """The metrics file of one run.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: dict[str, Any]) -> None:
        """Append a line. It is safe from a power cut only after `sync`.

        Raises:
            FileError: the file cannot be written, for example because the disk is full.
        """
        try:
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(json.dumps(finite_json(record), allow_nan=False) + "\n")
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def sync(self) -> None:
        """Flush all lines to the disk: a checkpoint that is written after this has all its lines.

        Raises:
            FileError: the lines cannot be written.
        """
        try:
            with self.path.open("r+b") as file:
                os.fsync(file.fileno())
        except FileNotFoundError:  # no step was made yet
            return
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def read(self) -> list[dict[str, Any]]:
        """Return all lines; an incomplete last line, left by a kill, is skipped.

        Raises:
            RunError: a line is not of the form that `append` writes, or its step is not larger than the one before.
        """
        records: list[dict[str, Any]] = []
        for number, line, record in self._lines():
            if record is None or (records and record["step"] <= records[-1]["step"]):
                raise self._damaged(number, line, records)
            records.append(record)
        return records

    def keep_until(self, step: int) -> list[tuple[int, int]]:
        """Delete the lines after a step: those of steps after the checkpoint.

        Returns:
            The first and the last step of each gap in the remaining lines. A power cut makes gaps.

        Raises:
            RunError: a line up to that step is damaged, and is not the last of them.
        """
        remaining: list[dict[str, Any]] = []
        damaged: RunError | None = None  # raised only if a valid line up to `step` follows
        for number, line, record in self._lines():
            if record is not None and record["step"] > step:
                continue
            if record is None or (remaining and record["step"] <= remaining[-1]["step"]):
                damaged = damaged or self._damaged(number, line, remaining)
            elif damaged:
                raise damaged
            else:
                remaining.append(record)
        text = "".join(json.dumps(record) + "\n" for record in remaining)
        write_atomically(self.path, lambda file: file.write(text.encode()))
        steps = [0, *(record["step"] for record in remaining), step + 1]
        return [(before + 1, after - 1) for before, after in pairwise(steps) if after > before + 1]

    def _lines(self) -> Iterator[tuple[int, bytes, dict[str, Any] | None]]:
        """Yield the number, the text and the record of each complete line; None for an invalid record."""
        if not os.path.lexists(self.path):
            return
        lines = read_file(self.path, RunError, most=MAX_BYTES).split(b"\n")
        for number, line in enumerate(lines[:-1], start=1):  # the last is empty, or cut short
            try:
                record = parse(line)
            except ValueError:
                record = None
            yield number, line, record if _is_record(record) else None

    def _damaged(self, number: int, line: bytes, before: list[dict[str, Any]]) -> RunError:
        after = f" above {before[-1]['step']}" if before else ""
        return RunError(
            f"{self.path}, line {number}: expected a JSON object with a step{after}, got "
            f"{line[:60].decode('utf-8', 'replace')!r}. Delete the line, or start a new run."
        )


def describe_gaps(gaps: list[tuple[int, int]]) -> str:
    """Return gaps in words: ``steps 3 to 5, 9``.

    >>> describe_gaps([(3, 5), (9, 9)])
    'steps 3 to 5, 9'
    """
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in gaps]
    return (
        f"{'step' if shown == [str(gaps[0][0])] else 'steps'} {', '.join(shown[:5])}{' and others' if gaps[5:] else ''}"
    )


def _is_record(record: Any) -> bool:
    if not isinstance(record, dict) or type(record.get("step")) is not int or not 0 < record["step"] <= MAX_STEP:
        return False
    validation = record.get("validation", {})
    numbers = [record.get(name) for name in NUMBERS]
    return isinstance(validation, dict) and all(map(_is_number, [*numbers, *validation.values()]))


def _is_number(value: Any) -> bool:
    """True for null and for a number that fits into a float64."""
    return value is None or type(value) is float or (type(value) is int and abs(value) <= MAX_STEP)


def finite_json(value: Any) -> Any:
    """Return a value with None for each NaN or infinity, which JSON lacks."""
    if isinstance(value, dict):
        return {key: finite_json(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
