"""Notebooks of the bundle: a first cell that installs minigrad, and links that lead to files of the bundle only."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection
from typing import Any

from lessons.builder.notebook import Notebook

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s#:]+)(#[^)\s]*)?\)")

# Hidden in Jupyter until the reader opens it.
FIRST = """\
# Installs minigrad where it is missing, as in a hosted notebook service. Elsewhere this cell does nothing.
import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

BUNDLE = Path("minigrad-students.zip")

if sys.platform == "emscripten":  # JupyterLite: Python in the browser
    import piplite

    await piplite.install("minigrad-bptt[plot]")
elif find_spec("minigrad") is None or find_spec("lesson_tools") is None:
    if BUNDLE.is_file():
        with ZipFile(BUNDLE) as archive:
            archive.extractall(members=[name for name in archive.namelist() if not Path(name).exists()])
    if find_spec("minigrad") is None:
        wheels = [*Path().glob("minigrad_bptt-*.whl"), *Path("..").glob("minigrad_bptt-*.whl")]
        if not wheels:
            raise FileNotFoundError(
                "minigrad is not installed. Upload minigrad-students.zip to the folder of this notebook, "
                "and run this cell again."
            )
        pip = [sys.executable, "-m", "pip", "install", "--quiet", f"{wheels[0].resolve()}[plot]"]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"pip could not install minigrad: {done.stderr.strip()}")
    importlib.invalidate_caches()
"""


def first_cell() -> dict[str, Any]:
    """Return the cell that installs minigrad where it is missing."""
    return {
        "cell_type": "code", "execution_count": None, "id": "minigrad-setup", "outputs": [],
        "metadata": {"jupyter": {"source_hidden": True}, "tags": ["setup"]}, "source": FIRST.splitlines(keepends=True),
    }  # fmt: skip


def for_bundle(notebook: Notebook, folder: str, names: Collection[str]) -> bytes:
    """Return a notebook as a file of the bundle.

    Args:
        notebook: as the builder makes it, executed or not.
        folder: the folder of the bundle where it lies; ``""`` is the top.
        names: all files of the bundle.
    """
    cells = [first_cell()]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = with_links("".join(cell["source"]), folder, names)
            cell = {**cell, "source": text.splitlines(keepends=True)}
        cells.append(cell)
    metadata = {**notebook["metadata"], "minigrad": {"sha256": notebook["metadata"]["minigrad"]["sha256"]}}
    whole = {**notebook, "cells": cells, "metadata": metadata}
    return (json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def with_links(text: str, folder: str, names: Collection[str]) -> str:
    """Return Markdown in which a link to a file outside the bundle is plain text."""

    def link(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, found[2]))
        return found[0] if target in names else found[1]

    return LINK.sub(link, text)
