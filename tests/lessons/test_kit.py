"""The lecturer's kit: every question is answered, numbers are computed, bugs are found, plans add up."""

from __future__ import annotations

import re
from collections import Counter

import pytest

import minigrad as mg
from lessons.builder.lesson import Lesson, lessons
from lessons.builder.percent import LessonError
from lessons.kit import answers, questions

LESSONS = {lesson.number: lesson for lesson in lessons()}
QUESTIONS = questions.questions()


# --- model answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)
def test_each_question_has_an_answer(lesson: Lesson) -> None:
    for question, answer in answers.answered(lesson):
        assert len(question) > 20
        assert len(answer.split()) > 25, answer


def test_no_answer_is_left_over() -> None:
    assert set(answers.answers()) == {0} | {n for n, lesson in LESSONS.items() if answers.questions(lesson)}


def test_a_question_in_another_place_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers.questions(LESSONS[6])
    monkeypatch.setattr(answers, "questions", lambda lesson: asked[::-1])
    with pytest.raises(LessonError, match="does not hold"):
        answers.answered(LESSONS[6])


# --- the examination ------------------------------------------------------------------------------------------------


def test_thirty_questions_of_three_kinds() -> None:
    kinds = Counter(question.kind for question in QUESTIONS)
    assert sum(kinds.values()) == 30
    assert set(kinds) == set(questions.KINDS)
    assert min(kinds.values()) >= 8
    assert len({question.name for question in QUESTIONS}) == 30
    for question in QUESTIONS:
        assert 1 <= question.goal <= len(LESSONS[question.lesson].goals)
        assert 3 <= question.points <= 6


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q.kind != "bugs"], ids=lambda q: q.name)
def test_numbers_are_computed(question: questions.Question) -> None:
    asked, answer = questions.filled(question)
    assert "«" not in asked + answer
    assert questions.PLACE.search(question.answer), "an answer without a number that is computed"
    assert not re.search(r"\bnan\b", asked + answer)


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q.kind == "bugs"], ids=lambda q: q.name)
def test_bugs_are_caught_and_mended(question: questions.Question) -> None:
    with pytest.raises(mg.errors.GradientCheckError):
        questions.run(question.code["bug"], question.code["proof"])
    questions.run(question.code["fix"], question.code["proof"])


def test_the_questions_hold_no_answer() -> None:
    plain, solved = questions.pages()
    assert "```diff" not in plain
    assert len(re.findall(r"^\*\*\d+\.\*\*", plain, re.MULTILINE)) == 30
    assert all(f"**{k}.**" in solved for k in range(1, 31))
