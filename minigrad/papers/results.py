"""Results: a JSON file with every trial, each sealed by a hash, and the hash of the code that made them.

A trial is of a version of the code (`machinery.code_hash`), and of a row's data (`machinery.row_hash`). Its seal is a
hash of its content and of the code.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from minigrad.engine.files import write_atomically
from minigrad.papers.machinery import code_hash
from minigrad.train.errors import RunError
from minigrad.train.json_files import read_json

FORMAT = 1


def sealed(trial: dict[str, Any], code: str) -> dict[str, Any]:
    """Return the record of a trial with its seal: a hash of its content and of the code."""
    return {**trial, "seal": _seal(trial, code)}


def _seal(trial: dict[str, Any], code: str) -> str:
    content = {name: value for name, value in trial.items() if name not in ("seal", "seconds")}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{code}\n{text}".encode()).hexdigest()[:16]


Key = tuple[int, str, str, int, int, int]


def key_of(trial: dict[str, Any]) -> Key:
    """Return the table, row, reading, number, seed and cap of a trial: no two trials of a file share them."""
    return (trial["table"], trial["row"], trial["reading"], trial["number"], trial["seed"], trial["cap"])


class Results:
    """The trials of a file. They are written after each, so an interruption loses none that has ended.

    Args:
        file: the file; it may not exist yet.
        paper: the name of the paper.

    Raises:
        RunError: the file has trials of another version of the code, or trials that were edited.
    """

    def __init__(self, file: Path, paper: str) -> None:
        self.file, self.paper, self.trials = file, paper, dict[Key, dict[str, Any]]()
        self.begun = datetime.now(UTC).isoformat(timespec="seconds")
        if file.exists():
            values = read_results(file)
            if values["paper"] != paper:
                raise RunError(
                    f"{file}: expected results of {paper}, got those of {values['paper']}. Name another file."
                )
            if values["code"] != code_hash(paper):
                raise RunError(
                    f"{file}: its trials are of another version of the code ({values['code'][:12]}, now "
                    f"{code_hash(paper)[:12]}), and are not mixed. Name another file with --out, or move this one away."
                )
            self.begun = values["begun"]
            self.trials = {key_of(trial): trial for trial in values["trials"]}

    def has(self, key: Key, data: str) -> bool:
        """Return whether the trial is there.

        Args:
            key: see `key_of`.
            data: the hash of the row's data.

        Raises:
            RunError: it is there, with other data of the row.
        """
        if key not in self.trials:
            return False
        if self.trials[key]["data"] != data:
            raise RunError(
                f"{self.file}: trial {key[3]} of table {key[0]}, {key[1]}, reading {key[2]!r} was run with other "
                "numbers of the row or the reading, and is not mixed. Name another file with --out, or remove its line."
            )
        return True

    def add(self, trial: dict[str, Any]) -> None:
        """Add a trial, and write the file."""
        self.trials[key_of(trial)] = sealed(trial, code_hash(self.paper))
        self.write()

    def write(self) -> None:
        """Write the file atomically."""
        values = {
            "format": FORMAT, "paper": self.paper, "code": code_hash(self.paper), "begun": self.begun,
            "ended": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(),
            "trials": [self.trials[key] for key in sorted(self.trials)],
        }  # fmt: skip
        self.file.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(_lines(values)) + "\n"
        write_atomically(self.file, lambda file: file.write(text.encode()))


def _lines(values: dict[str, Any]) -> Iterator[str]:
    """Yield JSON with one line for each trial."""
    head = {name: value for name, value in values.items() if name != "trials"}
    yield from json.dumps(head, indent=1, ensure_ascii=False).splitlines()[:-1]
    yield ' , "trials": ['
    trials = [json.dumps(trial, ensure_ascii=False) for trial in values["trials"]]
    yield from (f"  {text}{',' if k < len(trials) - 1 else ''}" for k, text in enumerate(trials))
    yield " ]"
    yield "}"


def read_results(file: Path) -> dict[str, Any]:
    """Return the content of a results file, after checking each trial's seal.

    Raises:
        RunError: the file has no results, or a trial was edited.
    """
    values = read_json(file)
    missing = [name for name in ("format", "paper", "code", "begun", "trials") if name not in values]
    if missing or values["format"] != FORMAT:
        raise RunError(
            f"{file}: expected results of `minigrad papers`, got a file without {', '.join(missing) or 'its format'}."
        )
    for trial in values["trials"]:
        if trial.get("seal") != _seal(trial, values["code"]):
            raise RunError(
                f"{file}: trial {trial.get('number')} of table {trial.get('table')}, {trial.get('row')}, was edited: "
                "its hash does not fit. Remove its line, and run the command again."
            )
    return values


def machine() -> str:
    """Return the processor and system in a few words."""
    return f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
