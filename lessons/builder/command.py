"""The command line: ``python -m lessons build``, ``check``, ``bundle`` and ``lite``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from lessons.builder.folders import folder_to_write
from lessons.builder.kernel import executed, solutions_to
from lessons.builder.lesson import FOLDER, Lesson, lessons
from lessons.builder.markdown import write_markdown
from lessons.builder.mistakes import write_mistakes
from lessons.builder.mynet import write_skeleton
from lessons.builder.notebook import notebook_of, write
from lessons.builder.percent import LessonError
from lessons.builder.run import refused, run, unnoticed
from lessons.bundle import command as bundle
from lessons.kit import command as kit

TABLE = re.compile(r"(?<=<!-- the table: `python -m lessons build` writes it -->\n).*?(?=<!-- end -->)", re.DOTALL)


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    asked = _parser().parse_args(arguments)
    try:
        chosen = [one for one in lessons() if not asked.lessons or one.number in asked.lessons]
        unknown = set(asked.lessons) - {one.number for one in chosen}
        if unknown:
            raise LessonError(f"there is no lesson {', '.join(map(str, sorted(unknown)))}")
        return asked.function(chosen, asked)
    except LessonError as error:
        print(f"lessons: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a file of another user
        print(f"lessons: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lessons", description="Builds and checks the lessons.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    build = commands.add_parser(
        "build",
        help="make notebooks",
        description="Makes the students' notebooks, executed, in lessons/. With --solutions or --markdown it makes "
        "those, in the folder given, and leaves lessons/ alone.",
    )
    build.add_argument("lessons", nargs="*", type=int, help="their numbers; all, if none is given")
    build.add_argument("--solutions", type=Path, metavar="FOLDER", help="the lecturer's notebooks, for nbgrader too")
    build.add_argument("--markdown", type=Path, metavar="FOLDER", help="pages with pictures, for a site")
    build.add_argument("--links", metavar="URL", help="with --markdown: where links to the repository's files lead")
    build.set_defaults(function=_build)
    check = commands.add_parser(
        "check",
        help="run them as plain Python",
        description="Runs each lesson, without Jupyter: as shipped, where every check must fail; solved, "
        "where all must pass; with each mistake of its source, which the check must notice; and with each other right "
        "answer, which it must accept.",
    )
    check.add_argument("lessons", nargs="*", type=int, help="their numbers; all, if none is given")
    check.add_argument("--fast", action="store_true", help="with fewer training steps, as the tests do")
    check.set_defaults(function=_check)
    kit.add_commands(commands)
    bundle.add_commands(commands)
    return parser


def _build(chosen: list[Lesson], asked: argparse.Namespace) -> int:
    solutions = solutions_to(asked.solutions) if asked.solutions else None
    if asked.markdown:
        folder_to_write(asked.markdown, "--markdown")
    if not solutions and not asked.markdown:
        write_skeleton()  # lesson 0 checks it
    for lesson in chosen:
        if solutions:
            notebook = executed(notebook_of(lesson, lesson.solved()), unsolved=False)
            write(notebook, solutions / f"{lesson.name}.ipynb")
        else:
            notebook = executed(notebook_of(lesson, lesson.for_students()), unsolved=True)
            if asked.markdown:
                write_markdown(notebook, lesson.name, asked.markdown, asked.links)
            else:
                write(notebook, lesson.notebook)
                write_mistakes(lesson)
        print(f"lesson {lesson.number}: {lesson.name}")
    if not solutions and not asked.markdown:
        page = FOLDER / "README.md"
        page.write_text(with_table(page.read_text("utf-8"), lessons()), "utf-8")
    return 0


def with_table(page: str, every: list[Lesson]) -> str:
    """Return the README with the table of the lessons."""
    head = ["", "| lesson | what it teaches | minutes | needs |", "|---|---|---|---|"]
    rows = [f"| [{o.number} · {o.title}]({o.name}.ipynb) | {o.line} | {o.minutes} | {o.needs} |" for o in every]
    table = "\n".join([*head, *rows, "", ""])
    return TABLE.sub(lambda _: table, page)


def problems(lesson: Lesson, fast: bool) -> tuple[list[str], float]:
    """Return the faults of a lesson, and the seconds of the student's and the solved version together."""
    found = []
    shipped = run(lesson, lesson.for_students(), fast)
    found += shipped.broken()
    found += [f"{lesson.name}: the check of {name!r} passes as shipped" for name in _not_in(lesson, shipped.failed())]
    solved = run(lesson, lesson.solved(), fast)
    found += [f"{lesson.name}: solved, {type(e).__name__}: {e} (line {cell.line})" for cell, e in solved.errors]
    found += unnoticed(lesson, solved) + refused(lesson, solved)
    return found, shipped.seconds + solved.seconds


def _not_in(lesson: Lesson, failed: dict[str, Exception]) -> list[str]:
    return [name for name in lesson.exercises() if name not in failed]


def _check(chosen: list[Lesson], asked: argparse.Namespace) -> int:
    found: list[str] = []
    for lesson in chosen:
        wrong, seconds = problems(lesson, asked.fast)
        print(f"lesson {lesson.number}: {seconds / 2:5.1f} s a run, {'in order' if not wrong else 'NOT in order'}")
        found += wrong
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0
