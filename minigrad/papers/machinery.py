"""The code that trials of a paper depend on, and its hash; and the hash of a row's data."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from minigrad.papers.row import Row
from minigrad.recurrent import syntax

TASKS = ("long_lags", "marked_pairs", "order", "reber", "two_sequences")
KERNEL = ("build", "full", "loops", "names", "printing")
MACHINERY: dict[str, tuple[str, ...]] = {
    "hochreiter97": (
        "batch.py", "equations.py", "net.py", "trial.py", *(f"kernel/{name}.py" for name in KERNEL),
        *(f"tasks/{name}.py" for name in TASKS),
    ),
    "gers00": (
        *(f"gers00/{name}.py" for name in ("equations", "loops", "net", "stream", "trainer", "trial")),
        "kernel/printing.py", "tasks/reber.py",
    ),
}  # fmt: skip
"""For each paper, the modules that draw its sequences and first weights, run its nets, and count their sequences.

Rows and readings are data. Their numbers are sealed with each trial, so new readings leave trials as they are.
"""


@cache
def code_hash(paper: str) -> str:
    """Return the hash of the statements of a paper's modules; comments, docstrings and layout do not count."""
    folder, whole = Path(__file__).parent, hashlib.sha256()
    for name in MACHINERY[paper]:
        tree = syntax.parse((folder / name).read_text("utf-8"))
        whole.update(f"{name}\n{list(_plain(tree))}\n".encode())
    return whole.hexdigest()


def _plain(node: Any) -> Iterator[Any]:
    """Yield a syntax tree as nested lists; strings that are statements are left out."""
    if not isinstance(node, ast.AST):
        yield repr(node)
        return
    yield type(node).__name__
    for name, value in ast.iter_fields(node):
        parts = value if isinstance(value, list) else [value]
        kept = [list(_plain(part)) for part in parts if not (part is None or _is_text(part))]
        if kept:
            yield name, kept


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def row_hash(row: Row) -> str:
    """Return the hash of a row's data that its trials depend on: task, net, first weights, learning, stops, caps."""
    stops = [(m.name, _values(m.stop), m.cap) for m in row.milestones]
    data = (
        _values(row.task), _values(row.net), _values(row.start), row.rate, row.update, stops, row.test, row.groups,
        _values(row.grows),
    )  # fmt: skip
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def _values(part: Any) -> Any:
    """Return a dataclass as its name and fields."""
    if part is None:
        return None
    fields = {f.name: getattr(part, f.name) for f in dataclasses.fields(part) if f.compare}
    return type(part).__name__, {name: repr(value) for name, value in fields.items()}
