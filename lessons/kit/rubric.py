"""A point scale and a rubric: for each goal of each lesson, what shows it and what earns the points."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lessons.builder.lesson import Lesson
from lessons.kit.questions import questions

FILE = Path(__file__).with_name("rubric.toml")


@dataclass(frozen=True)
class Criterion:
    """A goal of a lesson and what shows that a student has reached it.

    Attributes:
        goal: of the lesson, in the lesson's words.
        exercises: names of exercises and their points.
        asked: numbers of examination questions and their points.
        task: something else that shows it, or nothing.
        whole: what earns all points of an answer in words.
        half: what earns half of them.
    """

    goal: str
    exercises: dict[str, int]
    asked: dict[int, int]
    task: str
    whole: str
    half: str


def read() -> dict[str, Any]:
    """Return the rubric's file."""
    return tomllib.loads(FILE.read_text("utf-8"))


def points(lesson: Lesson) -> dict[str, int]:
    """Return the points of each exercise of a lesson."""
    return {c.options["check"]: c.options.get("points", 1) for c in lesson.cells if "check" in c.options}


def criteria(lesson: Lesson) -> list[Criterion]:
    """Return a criterion for each goal of a lesson."""
    given = points(lesson)
    found = []
    for number, (goal, entry) in enumerate(zip(lesson.goals, read()["lesson"][str(lesson.number)], strict=True), 1):
        asked = {
            k: question.points
            for k, question in enumerate(questions(), 1)
            if (question.lesson, question.goal) == (lesson.number, number)
        }
        exercises = {name: given[name] for name in entry.get("exercises", ())}
        found.append(Criterion(goal, exercises, asked, entry.get("task", ""), entry["whole"], entry["half"]))
    return found


def page(every: list[Lesson]) -> str:
    """Return the scale and the rubric as Markdown."""
    text = read()
    shares = ", ".join(f"{name} {percent} %" for name, percent in text["shares"].items())
    total, exam = sum(sum(points(lesson).values()) for lesson in every), sum(q.points for q in questions())
    scale = "\n".join(f"| {percent} % | {name} |" for name, percent in text["scale"].items())
    parts = [
        "# Points and rubric",
        (
            f"The exercises of all lessons have {total} points together, the thirty questions {exam}. Take what was "
            f"taught and asked as 100 %. Parts of the result: {shares}. The explanation is a line of the student's own "
            "code, chosen by the lecturer."
        ),
        f"| from | grade |\n|---|---|\n{scale}",
    ]
    for lesson in every:
        parts += [f"## {lesson.number} · {lesson.title}", _table(criteria(lesson))]
    return "\n\n".join(parts) + "\n"


def _table(found: list[Criterion]) -> str:
    lines = ["| goal: the student can | shown by | all points | half of them |", "|---|---|---|---|"]
    for one in found:
        shown = [f"`{name}` ({n})" for name, n in one.exercises.items()]
        shown += [f"question {k} ({n})" for k, n in one.asked.items()] + ([one.task] if one.task else [])
        lines.append(f"| {one.goal.rstrip(';.')} | {'; '.join(shown)} | {one.whole} | {one.half} |")
    return "\n".join(lines)
