"""References to figures, formulas, tables and exercises of the lessons, by lesson and name."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from lessons.builder.lesson import Lesson
from lessons.builder.percent import LessonError

HEADING = re.compile(r"^###? (.+)$", re.MULTILINE)
FORMULA = re.compile(r"\$\$.+?\$\$", re.DOTALL)
TABLE = re.compile(r"(?:^\|.*\|$\n?)+", re.MULTILINE)
DRAWS = re.compile(r"def draw_(\w+)\(")
SUFFIXES = {"image/png": "png", "image/svg+xml": "svg"}


@dataclass(frozen=True)
class Figure:
    """A figure of a lesson's notebook.

    Attributes:
        name: ``"unrolled"``, if ``draw_unrolled`` draws it.
        alt: the description in words.
        suffix: ``"png"`` or ``"svg"``.
        data: the file's content.
    """

    name: str
    alt: str
    suffix: str
    data: bytes


def sections(lesson: Lesson) -> list[tuple[str, str]]:
    """Return the headings of a lesson, each with the text below it."""
    text = "\n\n".join(cell.text for cell in lesson.cells if cell.kind == "markdown")
    parts = HEADING.split(text)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def section(lesson: Lesson, beginning: str) -> str:
    """Return the text below the heading that begins so.

    Raises:
        LessonError: no heading does, or several do.
    """
    found = [text for heading, text in sections(lesson) if heading.startswith(beginning)]
    if len(found) != 1:
        headings = "; ".join(heading for heading, _ in sections(lesson))
        raise LessonError(
            f"lesson {lesson.number}: {len(found)} headings begin with {beginning!r}; there are: {headings}"
        )
    return found[0]


def formula(lesson: Lesson, name: str) -> str:
    """Return a displayed formula: ``"The idea"`` is the first one below that heading, ``"The idea 2"`` the second."""
    return _nth(FORMULA, "formula", lesson, name)


def table(lesson: Lesson, name: str) -> str:
    """Return a table, named as formulas are."""
    return _nth(TABLE, "table", lesson, name)


def _nth(pattern: re.Pattern[str], what: str, lesson: Lesson, name: str) -> str:
    split = re.fullmatch(r"(.+?)(?: (\d))?", name)
    assert split is not None
    beginning, number = split[1], int(split[2] or 1)
    found = pattern.findall(section(lesson, beginning))
    if len(found) < number:
        raise LessonError(f"lesson {lesson.number}: {beginning!r} has {len(found)} {what}s, so there is no {name!r}")
    return found[number - 1].strip()


def figures(lesson: Lesson) -> dict[str, Figure]:
    """Return the figures of a lesson, as its notebook in the repository holds them."""
    found = {}
    for cell in json.loads(lesson.notebook.read_text("utf-8"))["cells"]:
        name = DRAWS.search("".join(cell["source"]))
        for output in cell.get("outputs", ()) if name else ():
            for kind, suffix in SUFFIXES.items():
                if name and kind in output.get("data", {}):
                    found[name[1]] = _figure(name[1], output, kind, suffix)
    return found


def _figure(name: str, output: dict[str, Any], kind: str, suffix: str) -> Figure:
    image = output["data"][kind]
    data = b64decode(image) if suffix == "png" else "".join(image).encode()
    return Figure(name, output["metadata"].get(kind, {}).get("alt", ""), suffix, data)


def figure(lesson: Lesson, name: str) -> Figure:
    """Return a figure of a lesson.

    Raises:
        LessonError: there is no figure of this name, or it has no description.
    """
    found = figures(lesson)
    if name not in found:
        raise LessonError(f"lesson {lesson.number} has no figure {name!r}; there are {sorted(found)}")
    if len(found[name].alt.split()) < 8:
        raise LessonError(f"lesson {lesson.number}: figure {name!r} has no description in words")
    return found[name]


def signatures(lesson: Lesson, heading: str) -> str:
    """Return the first lines of the functions that an exercise asks for, with their docstrings."""
    numbers = {name: k for k, name in enumerate(lesson.exercises(), 1)}
    number = int(re.findall(r"\d+", heading)[0])
    cell = next(c for c in lesson.for_students() if numbers.get(c.options.get("exercise", "")) == number)
    found = re.findall(r'^( *(?:class|def) [^\n]*:\n(?: *"""[^"\n]*"""\n)?)', cell.text, re.MULTILINE)
    return "\n".join(part.rstrip() for part in found)


def opening(lesson: Lesson, beginning: str) -> str:
    """Return the first paragraph below a heading, with what its colon announces; nothing where code follows it."""
    cell = next(
        c for c in lesson.cells if c.kind == "markdown" and re.search(rf"^## {re.escape(beginning)}", c.text, re.M)
    )
    text = re.split(rf"^## {re.escape(beginning)}.*$", cell.text, maxsplit=1, flags=re.MULTILINE)[1]
    first, *others = text.strip().split("\n\n")
    whole = " ".join(first.split())
    return f"{whole}\n\n{others[0].strip()}" if whole.endswith(":") and others else whole
