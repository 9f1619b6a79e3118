"""HTML and PDF of slides by Marp, a tool of Node.js: ``npm ci --prefix lessons/kit/slides`` installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lessons.builder.lesson import Lesson
from lessons.builder.percent import LessonError
from lessons.kit.plans import Plan
from lessons.kit.slides import FOLDER, deck

INSTALL = "npm ci --prefix lessons/kit/slides"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "firefox")
SECONDS = 900


def installed() -> str | None:
    """Return the path of Marp's command, if there is one."""
    return shutil.which("marp", path=str(FOLDER / "node_modules" / ".bin")) or shutil.which("marp")


def marp() -> str:
    """Return the path of Marp's command.

    Raises:
        LessonError: it is not installed.
    """
    found = installed()
    if found is None:
        raise LessonError(f"the slides need Marp, a tool of Node.js: run `{INSTALL}`. Without it: --markdown")
    return found


def name_of(plan: Plan, number: int) -> str:
    """Return the name of a session's files: ``"10-sessions-03"``."""
    return f"{len(plan.sessions)}-sessions-{number:02}"


def write_markdown(plans: Sequence[Plan], every: dict[int, Lesson], folder: Path) -> list[Path]:
    """Write the slides of every session as Markdown, with their pictures; return the files."""
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    files = []
    for plan in plans:
        for number in range(1, len(plan.sessions) + 1):
            text, pictures = deck(plan, number, every)
            files.append(folder / f"{name_of(plan, number)}.md")
            files[-1].write_text(text, "utf-8")
            for name, content in pictures.items():
                (folder / name).write_bytes(content)
    return files


def export(files: Sequence[Path], pdf: bool = True) -> list[Path]:
    """Make an HTML page and, if `pdf`, a PDF file next to each Markdown file; return them.

    The page is for the presenter: the key P opens the notes. The PDF file holds them as annotations.

    Raises:
        LessonError: Marp or the browser that it needs for PDF failed.
    """
    kinds: dict[str, list[str]] = {".html": []}
    if pdf:
        kinds[".pdf"] = ["--pdf", "--pdf-notes", "--pdf-outlines", "--allow-local-files"]
    made = []
    for suffix, options in kinds.items():
        _run([marp(), "--no-stdin", "--html", *options, *map(str, files)])
        made += [file.with_suffix(suffix) for file in files]
    if missing := [file.name for file in made if not file.is_file()]:
        raise LessonError(f"Marp made no {', '.join(missing)}")
    return made


def _run(command: list[str]) -> None:
    environment = dict(os.environ)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser and not Path(browser).name.startswith("firefox"):
        environment.setdefault("CHROME_PATH", browser)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        environment.setdefault("CHROME_NO_SANDBOX", "1")  # Chromium refuses its sandbox to root
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise LessonError(f"Marp gave no answer within {SECONDS // 60} minutes") from None
    if done.returncode:
        raise LessonError(f"Marp failed: {done.stderr[-600:]}\nA PDF file needs Chromium, Chrome, Edge or Firefox.")
