"""The lessons as pages, made from the notebooks in lessons/ with their stored outputs and figures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from docs.builder.embedding import HEADS, frame
from docs.builder.formulas import with_formulas
from docs.builder.links import ROOT, Links
from docs.builder.pictures import with_large_pictures
from lessons.builder.lesson import BESIDE
from lessons.builder.markdown import write_markdown


def notebooks() -> list[Path]:
    """Return the notebooks, from the first lesson to the last."""
    return sorted((ROOT / "lessons").glob("[0-9][0-9]_*.ipynb"))


def write_lesson(notebook: Path, folder: Path, links: Links) -> Path:
    """Write a lesson's page, its figures, and the notebook to download with the files that it needs.

    Args:
        notebook: the file.
        folder: the lessons' folder of the site.
        links: of the site.
    """
    page = write_markdown(json.loads(notebook.read_text("utf-8")), notebook.stem, folder, "../")
    name = f"lessons/{notebook.stem}.md"
    title, _, rest = links.turned(page.read_text("utf-8"), name, name).partition("\n")
    files = ", ".join(f"[`{file}`]({file})" for file in BESIDE)
    away = f"[This lesson as a notebook, to run]({notebook.name}); put {files} next to it."
    head = f"{away}\n\n{frame('../playground.html')}\n" if notebook.stem in HEADS else f"{away}\n"
    page.write_text(f"{title}\n\n{head}{with_formulas(with_large_pictures(rest, folder))}", "utf-8")
    for file in (notebook, *map(notebook.with_name, BESIDE)):
        shutil.copyfile(file, folder / file.name)
    return page
