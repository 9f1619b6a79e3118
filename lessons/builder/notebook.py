"""Notebooks written as JSON, with stable ids and the metadata that nbgrader reads."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

from lessons.builder.lesson import Lesson
from lessons.builder.percent import Cell

Notebook = dict[str, Any]
HINTS = ("Hint 1", "Hint 2: nearly the answer")
MAY_RAISE = "raises-exception"  # Jupyter's tag for a cell whose error stops nothing


def notebook_of(lesson: Lesson, cells: list[Cell]) -> Notebook:
    """Return a notebook that has not run yet."""
    ids = cell_ids(cells)
    return {
        "cells": [_cell(cell, id_) for cell, id_ in zip(_hints_folded(cells), ids, strict=True)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "minigrad": {"source": f"source/{lesson.name}.py", "sha256": lesson.digest},
            "title": f"{lesson.number} · {lesson.title}",
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(cell: Cell, id_: str) -> dict[str, Any]:
    common = {"id": id_, "metadata": _metadata(cell), "source": cell.text.splitlines(keepends=True)}
    if cell.kind == "markdown":
        return {"cell_type": "markdown", **common}
    return {"cell_type": "code", "execution_count": None, **common, "outputs": []}


def _hints_folded(cells: list[Cell]) -> list[Cell]:
    """Return the cells with each hint shown as its title alone, until the reader opens it."""
    found, seen = [], Counter[str]()
    for cell in cells:
        if "hint" in cell.options:
            title = HINTS[seen[cell.options["hint"]]]
            seen[cell.options["hint"]] += 1
            cell = cell.with_text(f"<details><summary>{title}</summary>\n\n{cell.text}\n\n</details>")
        found.append(cell)
    return found


def _metadata(cell: Cell) -> dict[str, Any]:
    """Return the metadata of a cell: nbgrader's for exercises and checks, Jupyter's to fold cells that draw.

    A check may raise: its tag makes Jupyter's "Run All" and nbclient continue with the next cell. nbgrader gives no
    points for a check that raised.
    """
    says = cell.options
    if "hint" in says:
        return {"tags": ["hint"]}
    common = {"schema_version": 3, "task": False}
    if "exercise" in says:
        mine = {"grade": False, "grade_id": says["exercise"], "locked": False, "solution": True}
        return {"nbgrader": {**mine, **common}, "tags": ["exercise"]}
    if "check" in says:
        mine = {"grade": True, "grade_id": f"check_{says['check']}", "locked": True, "solution": False}
        return {"nbgrader": {**mine, **common, "points": says.get("points", 1)}, "tags": ["check", MAY_RAISE]}
    if cell.text.startswith("def draw"):
        return {"jupyter": {"source_hidden": True}, "tags": ["picture"]}
    return {}


def cell_ids(cells: list[Cell]) -> list[str]:
    """Return an id for each cell: its exercise's name, or its section's and its number in it.

    An inserted cell changes the ids of its section only. All ids differ, even if names agree in their first 48 letters.
    """
    ids: list[str] = []
    section, count = "top", Counter[str]()
    for cell in cells:
        headings = re.findall(r"^##? (.+)", cell.text, re.MULTILINE) if cell.kind == "markdown" else []
        section = slug(headings[0]) if headings else section
        name = cell.options.get("exercise", "")
        name = name or next((f"{kind}-{cell.options[kind]}" for kind in ("check", "hint") if kind in cell.options), "")
        if not name:
            count[section] += 1
        ids.append(_unlike(ids, slug(name) if name else f"{section}-{count[section]}"))
        section = slug(headings[-1]) if headings else section
    return ids


def _unlike(taken: list[str], id_: str) -> str:
    """Return the id, with a number after it if it is taken."""
    numbered = (f"{id_}-{n}" for n in range(2, len(taken) + 3))
    return next(each for each in (id_, *numbered) if each not in taken)


def slug(text: str) -> str:
    """Return a text as an id: ASCII letters, digits and hyphens, 48 at most.

    >>> slug("5 · The error cliff, and ‖∂h_T/∂h_t‖")
    '5-the-error-cliff-and-h-t-h-t'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].rstrip("-") or "section"


def write(notebook: Notebook, path: Path) -> None:
    """Write a notebook in Jupyter's form."""
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
