"""All pages of the site, written into one folder, which MkDocs and Zensical read."""

from __future__ import annotations

import filecmp
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from docs.builder import reference
from docs.builder.embedding import PLAYGROUND, frame
from docs.builder.formulas import with_formulas
from docs.builder.lessons import notebooks, write_lesson
from docs.builder.links import MADE, OWN, ROOT, Links, place
from docs.builder.pictures import with_large_pictures
from docs.builder.program import shown
from docs.builder.sources import source_pages
from minigrad.playground.builder import playground

FOLDER = ROOT / "build" / "pages"  # docs_dir of zensical.yml; hook.py sets it for MkDocs


def written_by_hand() -> list[str]:
    """Return the pages that are files of the repository, by their path there."""
    return [*OWN, *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))]


def build(folder: Path = FOLDER) -> list[Path]:
    """Make the site's pages again and return them. Unchanged files are not touched.

    Args:
        folder: files in it that are not pages of the site are removed, hidden files excepted.

    Raises:
        ProgramError: the Python of a page fails.
        LinkError: a link leads nowhere.
    """
    with TemporaryDirectory() as fresh:
        write(Path(fresh))
        _take_over(Path(fresh), folder)
    return sorted(folder.rglob("*.md"))


def write(folder: Path) -> None:
    """Write all pages into an empty folder."""
    links = Links()
    shutil.copytree(ROOT / "docs" / "assets", folder / "assets")

    def by_hand(source: str) -> None:
        page = str(place(source))
        text = links.turned((ROOT / source).read_text("utf-8"), source, page)
        at = (folder / page).with_suffix("")
        text = shown(text.replace(PLAYGROUND, frame("playground.html")), at.name, at.parent)
        _put(folder / page, with_formulas(with_large_pictures(text, at.parent)))

    with ThreadPoolExecutor(2) as several:
        list(several.map(by_hand, written_by_hand()))
    for notebook in notebooks():
        write_lesson(notebook, folder / "lessons", links)
    every = reference.pages()
    for page in every:
        _put(folder / page.place, reference.written(page, links))
    _put(folder / "reference" / "index.md", reference.overview(every))
    for name, text in source_pages(links.files).items():
        _put(folder / name, text)
    _put(folder / MADE["minigrad/playground"], playground(home="index.html"))


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _take_over(fresh: Path, folder: Path) -> None:
    """Make a folder equal to a fresh one with as few changes as possible."""
    new = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    for path in [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]:
        if path.relative_to(folder) not in new:
            path.unlink()
    for name in new:
        at = folder / name
        if not at.exists() or not filecmp.cmp(fresh / name, at, shallow=False):
            at.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fresh / name, at)
