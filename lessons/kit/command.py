"""Commands of the lecturer's kit: ``python -m lessons plans``, ``… kit FOLDER`` and ``… slides FOLDER``."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from lessons.builder.folders import folder_to_write
from lessons.builder.lesson import FOLDER, Lesson
from lessons.builder.percent import LessonError
from lessons.kit import answers, marp, plans, questions, rubric

PLANS = re.compile(r"(?<=<!-- the plans: `python -m lessons plans` writes them -->\n).*?(?=<!-- end -->)", re.DOTALL)


def add_commands(commands: Any) -> None:
    """Add the kit's commands to the parser's."""
    table = commands.add_parser("plans", help="write the plans into INSTRUCTOR.md")
    table.set_defaults(function=_plans, lessons=[])
    kit = commands.add_parser(
        "kit",
        help="make the lecturer's pages",
        description="Writes the plans by the minute, the model answers, the examination without and with answers, the "
        "rubric and the slides, as Markdown, into a folder; where Marp is installed, the slides as pages too.",
    )
    kit.add_argument("folder", type=Path, metavar="FOLDER")
    kit.set_defaults(function=_kit, lessons=[])
    slides = commands.add_parser(
        "slides",
        help="make slides for each session",
        description="Makes slides for each session of a plan, as a page and as a PDF file, with presenter's notes. "
        f"It needs Marp, a tool of Node.js: `{marp.INSTALL}`.",
    )
    slides.add_argument("folder", type=Path, metavar="FOLDER")
    slides.add_argument("--sessions", type=int, choices=[2, 5, 10], help="of the plan; all plans, if it is left out")
    slides.add_argument("--markdown", action="store_true", help="as Markdown only, without Marp")
    slides.set_defaults(function=_slides, lessons=[])


def with_plans(text: str, every: list[Lesson]) -> str:
    """Return INSTRUCTOR.md with the plans in short."""
    return PLANS.sub(lambda _: f"\n{plans.overview(every)}\n\n", text)


def _plans(every: list[Lesson], asked: argparse.Namespace) -> int:
    page = FOLDER / "INSTRUCTOR.md"
    page.write_text(with_plans(page.read_text("utf-8"), every), "utf-8")
    return 0


def pages(every: list[Lesson]) -> dict[str, str]:
    """Return the lecturer's pages: the name of each file, and its text."""
    plain, solved = questions.pages()
    return {
        "plans.md": plans.page(every),
        "answers.md": answers.page(every),
        "exam.md": plain,
        "exam-with-answers.md": solved,
        "rubric.md": rubric.page(every),
    }


def _outside(folder: Path) -> None:
    """Make a folder for the lecturer.

    Raises:
        LessonError: students would see it, or it cannot be written to.
    """
    if folder.resolve().is_relative_to(FOLDER):
        raise LessonError("the kit holds answers: choose a folder outside of lessons/")
    folder_to_write(folder)


def _kit(every: list[Lesson], asked: argparse.Namespace) -> int:
    _outside(asked.folder)
    for name, text in pages(every).items():
        (asked.folder / name).write_text(text, "utf-8")
        print(asked.folder / name)
    numbered = {lesson.number: lesson for lesson in every}
    files = marp.write_markdown(plans.plans(), numbered, asked.folder / "slides")
    if marp.installed():
        files = marp.export(files, pdf=False)
    print(*files, sep="\n")
    return 0


def _slides(every: list[Lesson], asked: argparse.Namespace) -> int:
    _outside(asked.folder)
    if not asked.markdown:
        marp.marp()  # before the work
    chosen = [plan for plan in plans.plans() if asked.sessions in (None, len(plan.sessions))]
    files = marp.write_markdown(chosen, {lesson.number: lesson for lesson in every}, asked.folder)
    for file in files if asked.markdown else marp.export(files):
        print(file)
    return 0
