"""Lessons run as plain Python, in this process and without Jupyter: fast enough for the tests."""

from __future__ import annotations

import io
import linecache
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from lessons.builder.lesson import BESIDE, FOLDER, Lesson, diagnosis
from lessons.builder.percent import Cell
from lessons.builder.variants import made_from
from minigrad.keras.backend import clear_session

FAST = "MINIGRAD_LESSON_FAST"


@dataclass
class Run:
    """Result of a run.

    Attributes:
        lesson: which lesson.
        names: the names that its cells defined.
        errors: the cells that raised, and what.
        printed: all that they printed.
        seconds: what it took.
    """

    lesson: Lesson
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    errors: list[tuple[Cell, Exception]] = field(default_factory=list)
    printed: str = ""
    seconds: float = 0.0

    def cell(self, cell: Cell) -> Exception | None:
        """Run one cell; return its exception, or None."""
        where = f"{self.lesson.name}.py, cell of line {cell.line}"
        keep_source(where, cell.text)
        out, began = io.StringIO(), time.perf_counter()
        try:
            with redirect_stdout(out):
                exec(compile(cell.text, where, "exec"), self.names)  # noqa: S102  (that is what a lesson is for)
        except Exception as error:  # noqa: BLE001  (any error of a lesson is an answer)
            self.errors.append((cell, error))
            return error
        finally:
            self.printed += out.getvalue()
            self.seconds += time.perf_counter() - began
        return None

    def failed(self) -> dict[str, Exception]:
        """The checks that failed, by the exercise's name."""
        return {cell.options["check"]: error for cell, error in self.errors if "check" in cell.options}

    def broken(self) -> list[str]:
        """Return the errors outside of exercises and checks; a correct lesson has none."""
        return [
            f"{self.lesson.name}.py:{cell.line}: {type(error).__name__}: {error}"
            for cell, error in self.errors
            if not {"check", "exercise"} & set(cell.options)
        ]


def keep_source(where: str, text: str) -> None:
    """Let `inspect` and tracebacks find the text of a cell, as Jupyter does: cells of equations are read as text."""
    linecache.cache[where] = (len(text), None, text.splitlines(keepends=True), where)


def run(lesson: Lesson, cells: list[Cell], fast: bool = False) -> Run:
    """Run all code cells, also after errors; layers get the names of a separate program."""
    done = Run(lesson)
    clear_session()
    with at_hand(fast):
        for cell in cells:
            if cell.kind == "code":
                done.cell(cell)
    return done


def unnoticed(lesson: Lesson, solved: Run) -> list[str]:
    """Put each mistake of the source in the solution's place; return those that the check accepts.

    Also the checks that the solution does not pass again after all later cells: these fail for every answer.
    """
    right = {cell.options["exercise"]: cell for cell in lesson.solved() if "exercise" in cell.options}
    passed = [cell for cell in lesson.solved() if cell.options.get("check", "") in set(right) - set(solved.failed())]
    found = []
    with at_hand(True):
        for check in passed:
            if (error := solved.cell(check)) is not None:
                name = check.options["check"]
                found.append(f"{lesson.name}.py:{check.line}: the check of {name!r} passes once only: {error!r}")
        for name, wrong, check in lesson.mistakes():
            solved.cell(wrong)
            error, says = solved.cell(check), diagnosis(wrong)
            if error is None:
                found.append(f"{lesson.name}.py:{wrong.line}: the check of {name!r} lets this mistake through")
            elif says and says not in str(error):
                found.append(f"{lesson.name}.py:{wrong.line}: this mistake of {name!r} gets another diagnosis: {error}")
            solved.cell(right[name])
    return found


def refused(lesson: Lesson, solved: Run) -> list[str]:
    """Put other right answers in each solution's place; return those that the check rejects.

    These are the variants of the source, and those that `made_from` makes of every solution.
    """
    right = {cell.options["exercise"]: cell for cell in lesson.solved() if "exercise" in cell.options}
    checks = {cell.options["check"]: cell for cell in lesson.solved() if "check" in cell.options}
    found = []
    with at_hand(True):
        for name in [name for name, check in checks.items() if solved.cell(check) is not None]:
            del right[name]  # its own solution does not pass: `unnoticed` says so
        for name, variant, check in lesson.variants():
            if name not in right:
                continue
            error = solved.cell(variant) or solved.cell(check)
            if error is not None:
                found.append(f"{lesson.name}.py:{variant.line}: the check of {name!r} refuses this variant: {error!r}")
            solved.cell(right[name])
        for name, exercise in right.items():
            for label, functions in made_from(exercise, solved.names):
                solved.names.update(functions)
                if (error := solved.cell(checks[name])) is not None:
                    found.append(f"{lesson.name}.py:{exercise.line}: {name!r} with {label} is refused: {error!r}")
                solved.cell(exercise)
    return found


def _forget_tools() -> None:
    """Drop the modules next to the notebooks, so that they are imported again."""
    for name in BESIDE:
        sys.modules.pop(name.removesuffix(".py"), None)


@contextmanager
def at_hand(fast: bool) -> Iterator[None]:
    """Let a lesson find `lesson_tools`, and set whether its trainings are short."""
    before = os.environ.get(FAST)
    os.environ[FAST] = "1" if fast else "0"
    sys.path.insert(0, str(FOLDER))
    _forget_tools()
    try:
        yield
    finally:
        sys.path.remove(str(FOLDER))
        _forget_tools()
        if before is None:
            del os.environ[FAST]
        else:
            os.environ[FAST] = before
