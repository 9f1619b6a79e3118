"""The percent format: a Python file in which ``# %%`` begins a cell. Jupytext and most editors read it too.

A cell's header may say what it is, ``# %% [markdown]``, and carry options, ``# %% check="backward" points=2``:
names, and values in JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

HEADER = re.compile(r"^# %%(?:\s+(\[markdown\]))?(?:\s+(\w+=.*))?$")
NAME = re.compile(r"\s*(\w+)=")


class LessonError(Exception):
    """Raised when a lesson's source breaks the format."""


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        kind: ``"markdown"`` or ``"code"``.
        text: its content; of markdown, without the comment signs.
        options: what the header says.
        line: where in the source it begins.
    """

    kind: str
    text: str
    options: dict[str, Any] = field(default_factory=dict)
    line: int = 0

    def with_text(self, text: str) -> Cell:
        """Return the same cell with another text."""
        return replace(self, text=text)


def parse(source: str) -> list[Cell]:
    """Split a source into cells.

    Raises:
        LessonError: there is text before the first cell, or a header that cannot be read.

    >>> parse("# %% [markdown]\\n# One *word*.\\n# %% points=2\\nx = 1\\n")[1]
    Cell(kind='code', text='x = 1', options={'points': 2}, line=3)
    """
    cells: list[Cell] = []
    body: list[str] = []
    for number, line in enumerate(source.splitlines(), 1):
        if line.startswith("# %%"):
            _close(cells, body, number)
            found = HEADER.match(line)
            if not found:
                raise LessonError(f'line {number}: expected `# %%`, `# %% [markdown]` or `# %% name="value"`: {line!r}')
            cells.append(Cell("markdown" if found[1] else "code", "", _options(found[2] or "", number), number))
            body = []
        else:
            body.append(line)
    _close(cells, body, 0)
    return cells


def _close(cells: list[Cell], body: list[str], number: int) -> None:
    """Give the last cell its text."""
    if not cells:
        if "".join(body).strip():
            raise LessonError(f"line {number}: there is text before the first `# %%`")
        return
    if cells[-1].kind == "markdown":
        body = [re.sub(r"^# ?", "", line) for line in body]
    cells[-1] = cells[-1].with_text("\n".join(body).strip("\n"))


def _options(text: str, number: int) -> dict[str, Any]:
    """Read ``name=json name=json``."""
    options, at = {}, 0
    while at < len(text.rstrip()):
        name = NAME.match(text, at)
        try:
            if not name:
                raise ValueError
            options[name[1]], at = json.JSONDecoder().raw_decode(text, name.end())
        except ValueError:
            raise LessonError(f"line {number}: expected options as name=JSON, got {text!r}") from None
    return options
