"""Files of the repository as pages: every file that another page links to."""

from __future__ import annotations

import posixpath
from pathlib import Path

from docs.builder.links import ROOT, place

LANGUAGES = {".py": "python", ".toml": "toml", ".yml": "yaml", ".json": "json"}
UNSEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"  # a search for a word should find its explanation


def source_page(path: str) -> str:
    """Return the page of a file, or of a folder with its files.

    Args:
        path: path in the repository.
    """
    file = ROOT / path
    if file.is_dir():
        return f"{UNSEARCHED}# {path}\n\n" + "".join(f"- [`{p.name}`]({p.name}.md)\n" for p in shown_files(path))
    language = LANGUAGES.get(file.suffix, "text")
    marks = f'{language} linenums="1"' if language == "python" else language
    text = file.read_text("utf-8")
    fence = "````" if "```" in text else "```"
    return f"{UNSEARCHED}# {path}\n\n{fence} {marks}\n{text.rstrip()}\n{fence}\n"


def shown_files(folder: str) -> list[Path]:
    """Return the files of a folder that have a page."""
    return sorted(path for path in (ROOT / folder).iterdir() if path.suffix in LANGUAGES)


def source_pages(wanted: set[str]) -> dict[str, str]:
    """Return the pages of files and folders, and of the files in these folders, by their path on the site."""
    folders = [path for path in wanted if (ROOT / path).is_dir()]
    inside = {posixpath.join(folder, file.name) for folder in folders for file in shown_files(folder)}
    return {str(place(path)): source_page(path) for path in sorted(wanted | inside)}
