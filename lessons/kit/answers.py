"""Questions "To think about", with the lecturer's model answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lessons.builder.lesson import Lesson
from lessons.builder.percent import LessonError

FILE = Path(__file__).with_name("answers.md")
THINK = re.compile(r"^## To think about\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """A model answer.

    Attributes:
        keyword: a word of the question that it answers.
        text: Markdown.
    """

    keyword: str
    text: str


def questions(lesson: Lesson) -> list[str]:
    """Return the questions "To think about" of a lesson, in their order."""
    text = "\n\n".join(cell.text for cell in lesson.cells if cell.kind == "markdown")
    found = THINK.search(text)
    parts = re.split(r"^\d+\. ", found[1], flags=re.MULTILINE)[1:] if found else []
    return [" ".join(part.split()) for part in parts]


def answers() -> dict[int, list[Answer]]:
    """Return the model answers, by the number of the lesson."""
    parts = re.split(r"^## Lesson (\d+)$", FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {int(number): _read(text) for number, text in zip(parts[::2], parts[1::2], strict=True)}


def _read(text: str) -> list[Answer]:
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)[1:]
    return [Answer(word.strip(), said.strip()) for word, said in zip(parts[::2], parts[1::2], strict=True)]


def answered(lesson: Lesson) -> list[tuple[str, str]]:
    """Return the questions of a lesson, each with its answer.

    Raises:
        LessonError: a question has no answer, or its place holds the answer to another question.
    """
    asked, given = questions(lesson), answers().get(lesson.number, [])
    if len(asked) != len(given):
        raise LessonError(
            f"lesson {lesson.number} asks {len(asked)} questions, and kit/answers.md answers {len(given)}"
        )
    for question, answer in zip(asked, given, strict=True):
        if answer.keyword.lower() not in question.lower():
            raise LessonError(
                f"lesson {lesson.number}: kit/answers.md answers {answer.keyword!r}, a word that the question at its "
                f"place does not hold: {question!r}. Read the answer again and change its heading."
            )
    return [(question, answer.text) for question, answer in zip(asked, given, strict=True)]


def page(every: list[Lesson]) -> str:
    """Return all questions with their answers as one page."""
    parts = ['# Model answers to "To think about"', "For the lecturer."]
    for lesson in every:
        parts.append(f"## {lesson.number} · {lesson.title}")
        for k, (question, answer) in enumerate(answered(lesson), 1):
            parts += [f"**{k}. {question}**", answer]
    return "\n\n".join(parts) + "\n"
