"""Notebooks run in Jupyter, with tidied outputs: the same source gives the same file on every machine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lessons.builder.folders import folder_to_write
from lessons.builder.lesson import BESIDE, FOLDER
from lessons.builder.notebook import MAY_RAISE, Notebook
from lessons.builder.percent import LessonError

PLACES = re.compile(r"(?<![\w.])/(?:home|root|tmp|usr|work|Users|var|opt|mnt)/|[A-Z]:\\\\|0x[0-9a-f]{6,}")
ANNOUNCED = re.compile(r"(numba: compiling .*\n?)+")  # on stderr, where Numba's cache holds no such loop yet
QUIET = ["--log-level=ERROR"]  # ipykernel warns of its transport at each start
SECONDS = 600


def executed(notebook: Notebook, unsolved: bool) -> Notebook:
    """Return the notebook with its outputs.

    Args:
        notebook: as `notebook_of` makes it.
        unsolved: checks may raise.

    Raises:
        LessonError: another cell raised, or an output would differ from machine to machine.
    """
    try:
        import nbclient
        import nbformat
    except ImportError:
        raise LessonError("to run notebooks takes Jupyter: python -m pip install -e '.[lessons]'") from None
    node = nbformat.reads(json.dumps(notebook), as_version=4)
    where: dict[str, Any] = {"metadata": {"path": str(FOLDER)}}
    client = nbclient.NotebookClient(
        node, timeout=SECONDS, kernel_name="python3", allow_errors=False, record_timing=False, coalesce_streams=True,
        extra_arguments=QUIET, resources=where,
    )  # fmt: skip
    try:
        client.execute()  # as "Run All" does: it ends at the first error in a cell that may not raise
    except nbclient.exceptions.CellExecutionError as error:
        raise LessonError(f"a cell raised {error.ename}: {error.evalue}\n{error}") from None
    cells = []
    for before, after in zip(notebook["cells"], node["cells"], strict=True):
        cells.append(before)
        if before["cell_type"] == "code":
            outputs = [tidy(dict(output)) for output in after["outputs"] if not announced(output)]
            cells[-1] = {**before, "execution_count": after["execution_count"], "outputs": outputs}
            require_in_order(cells[-1], unsolved)
    return {**notebook, "cells": cells}


def announced(output: dict[str, Any]) -> bool:
    """Return whether an output says only that Numba compiles, which depends on the machine's cache."""
    return output.get("name") == "stderr" and ANNOUNCED.fullmatch(output["text"]) is not None


def tidy(output: dict[str, Any]) -> dict[str, Any]:
    """Return an output without colour codes and tracebacks, its text as a list of lines."""
    if output["output_type"] == "error":
        line = f"{output['ename']}: {output['evalue']}"
        return {**output, "traceback": line.split("\n")}
    if output["output_type"] == "stream":
        return {**output, "text": output["text"].splitlines(keepends=True)}
    data = {kind: v.splitlines(keepends=True) if kind != "image/png" else v for kind, v in output["data"].items()}
    return {**output, "data": data, "metadata": dict(output["metadata"])}


def require_in_order(cell: dict[str, Any], unsolved: bool) -> None:
    """Raise if an output names this machine, or if a cell that must not fail has failed."""
    for output in cell["outputs"]:
        text = "".join(output.get("text", output.get("traceback", output.get("data", {}).get("text/plain", ""))))
        if output["output_type"] == "error" and not (unsolved and MAY_RAISE in cell["metadata"].get("tags", ())):
            raise LessonError(f"cell {cell['id']!r} raised {text}")
        if found := PLACES.search(text):
            raise LessonError(f"cell {cell['id']!r} puts out a path or an address, {found[0]!r}: {text[:200]}")
        if output.get("name") == "stderr":
            raise LessonError(f"cell {cell['id']!r} writes to stderr: {text[:200]}")


def images(notebook: Notebook) -> list[tuple[str, str, str]]:
    """Return every image among the outputs: the cell's id, its MIME type, its alt text."""
    return [
        (cell["id"], kind, output.get("metadata", {}).get(kind, {}).get("alt", ""))
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        for kind in output.get("data", {})
        if kind.startswith("image/")
    ]


def solutions_to(folder: Path) -> Path:
    """Make the folder for the lecturer's notebooks, with the files that they need.

    Raises:
        LessonError: the folder is the students' own, or cannot be made.
    """
    if folder.resolve() == FOLDER:
        raise LessonError("the solutions would overwrite the students' notebooks: choose another folder")
    folder_to_write(folder, "--solutions")
    for name in BESIDE:
        (folder / name).write_text((FOLDER / name).read_text("utf-8"), "utf-8")
    return folder
