"""Links of pages in the repository, turned into links of the site.

In the repository a link leads to a file, and so it works where the repository is shown. On the site a file that is a
page leads to that page, and any other to a page that shows the file.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from docs.builder.program import BLOCK

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<![!\\])\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s]+)\)")
OWN = {  # path in the repository → page of the site
    "README.md": "start.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "lessons/README.md": "lessons/index.md",
    "lessons/INSTRUCTOR.md": "lessons/instructor.md",
}
MADE = {"minigrad/playground": "playground.html"}  # folder → page that its program writes
HIDDEN = "lessons/source"  # it has the solutions


class LinkError(Exception):
    """Raised when a link leads nowhere."""


def place(path: str) -> str | None:
    """Return the page of the site that shows a file of the repository, or None if there is none.

    >>> place("docs/masks.md"), place("lessons/09_masks.ipynb"), place("minigrad/engine/tape.py")
    ('masks.md', 'lessons/09_masks.md', 'source/minigrad/engine/tape.py.md')
    >>> place("minigrad/recurrent"), place("lessons/source")
    ('source/minigrad/recurrent/index.md', None)
    """
    if path in OWN or path in MADE:
        return OWN.get(path) or MADE[path]
    if path.startswith("docs/") and path.endswith(".md"):
        return path.removeprefix("docs/")
    if path.startswith("lessons/") and path.endswith((".ipynb", ".md")):
        return posixpath.splitext(path)[0] + ".md"
    if path.startswith(HIDDEN):
        return None
    return f"source/{path}/index.md" if (ROOT / path).is_dir() else f"source/{path}.md"


class Links:
    """Turn the links of pages, and record the linked files of the repository.

    Attributes:
        files: linked files without a separate page, by their path in the repository.
    """

    def __init__(self) -> None:
        self.files: set[str] = set()

    def turned(self, text: str, source: str, page: str) -> str:
        """Return a page with the site's links; its blocks of code stay unchanged.

        Args:
            text: the page.
            source: its path in the repository.
            page: its path on the site.

        Raises:
            LinkError: a link leads to nothing in the repository.
        """
        parts, end = [], 0
        for block in BLOCK.finditer(text):
            parts += [self._turned(text[end : block.start()], source, page), block[0]]
            end = block.end()
        return "".join([*parts, self._turned(text[end:], source, page)])

    def _turned(self, text: str, source: str, page: str) -> str:
        return LINK.sub(lambda link: self._link(link[1], link[2], source, page), text)

    def _link(self, words: str, to: str, source: str, page: str) -> str:
        if re.match(r"[a-z]+:|#", to):
            return f"[{words}]({to})"
        to, _, anchor = to.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), to))
        at = place(path)
        if at is None:
            return words
        notebook = (ROOT / path).with_suffix(".ipynb")  # a lesson's page says .md of the others already
        if not ((ROOT / path).exists() or notebook.exists()):
            raise LinkError(f"{source}: the link to {to} leads to nothing")
        if at.startswith("source/"):
            self.files.add(path)
        relative = posixpath.relpath(at, posixpath.dirname(page) or ".")
        return f"[{words}]({relative}{'#' + anchor if anchor else ''})"
