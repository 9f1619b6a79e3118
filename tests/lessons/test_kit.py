"""The lecturer's kit: every question is answered, numbers are computed, bugs are found, plans add up."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import minigrad as mg
from lessons.builder.command import main
from lessons.builder.lesson import FOLDER, Lesson, lessons
from lessons.builder.percent import LessonError
from lessons.kit import answers, command, plans, questions, rubric

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


# --- plans ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", plans.scripts())
def test_a_script_takes_the_minutes_of_its_lesson(number: int) -> None:
    parts, lesson = plans.scripts()[number], LESSONS[number]
    assert sum(part.minutes for part in parts) == lesson.minutes
    places = [k for part in parts for k, one in enumerate(plans.headings(lesson)) if one.startswith(part.at)]
    assert len(places) == len(parts), f"a part begins no heading, or two: {plans.headings(lesson)}"
    assert places == sorted(places), "in the order of the lesson"


def test_each_lesson_has_a_script() -> None:
    assert set(plans.scripts()) == set(LESSONS)


@pytest.mark.parametrize("plan", plans.plans(), ids=lambda plan: plan.title)
def test_a_plan_adds_up(plan: plans.Plan) -> None:
    for session in plan.sessions:
        assert session.minutes == plan.minutes, session.title
        assert session.home
        assert len(session.parts()) == len(set(session.parts()))
        run = 0  # minutes since the last break
        for slot in session.slots:
            run = 0 if slot.rest else run + slot.minutes
            assert run <= 75, f"{session.title}: {run} minutes without a break"
    breaks = sum(slot.minutes for session in plan.sessions for slot in session.slots if slot.rest)
    assert breaks >= plan.minutes * len(plan.sessions) / 20
    taught = Counter(part for session in plan.sessions for part in session.parts())
    assert set(taught.values()) == {1}, "a part is taught twice"


@pytest.mark.parametrize("plan", plans.plans(), ids=lambda plan: plan.title)
def test_a_plan_begins_with_lesson_0_and_holds_what_is_unique(plan: plans.Plan) -> None:
    assert plan.sessions[0].parts()[0].lesson == 0
    assert set(plans.UNIQUE) <= plan.lessons()
    order = [part.lesson for session in plan.sessions for part in session.parts() if part.lesson != 12]
    assert order == sorted(order)


@pytest.mark.parametrize("plan", plans.plans(), ids=lambda plan: plan.title)
def test_minutes_are_honoured_or_the_difference_is_stated(plan: plans.Plan) -> None:
    said = plans.difference(plan, list(LESSONS.values()))
    taught = Counter[int]()
    for session in plan.sessions:
        for part in session.parts():
            taught[part.lesson] += part.minutes
    for number, lesson in LESSONS.items():
        if 0 < taught[number] < lesson.minutes:
            assert f"lesson {number} has {taught[number]} of its {lesson.minutes} minutes, without " in said
        elif taught[number] == 0:
            assert re.search(rf"not taught: [\d, ]*\b{number}\b", said)
        else:
            assert taught[number] == lesson.minutes
            assert f"lesson {number} has" not in said


def test_three_lengths() -> None:
    assert [(len(plan.sessions), plan.minutes) for plan in plans.plans()] == [(2, 180), (5, 120), (10, 90)]


def test_the_instructors_page_holds_the_plans() -> None:
    """`python -m lessons plans` writes them."""
    text = (FOLDER / "INSTRUCTOR.md").read_text("utf-8")
    assert command.with_plans(text, list(LESSONS.values())) == text


def test_a_part_that_no_script_holds_is_named() -> None:
    with pytest.raises(LessonError, match="lesson 6 has 0 parts that begin with 'The diea'"):
        plans._named(plans.scripts()[6], "The diea")


# --- the rubric -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)
def test_each_goal_is_shown_by_something(lesson: Lesson) -> None:
    found = rubric.criteria(lesson)
    for one in found:
        assert one.exercises or one.asked or one.task, one.goal
    exercises = [name for one in found for name in one.exercises]
    assert sorted(exercises) == sorted(rubric.points(lesson)), "each exercise shows one goal"


def test_the_scale() -> None:
    text = rubric.read()
    assert sum(text["shares"].values()) == 100
    assert list(text["scale"].values()) == sorted(text["scale"].values(), reverse=True)
    assert 0 < min(text["scale"].values()) < max(text["scale"].values()) < 100


def test_one_command_writes_every_page(tmp_path: Path) -> None:
    assert main(["kit", str(tmp_path / "kit")]) == 0
    found = {path.name: path.read_text("utf-8") for path in (tmp_path / "kit").iterdir()}
    assert found == command.pages(list(LESSONS.values()))


def test_the_pages_do_not_go_where_students_look(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kit", str(FOLDER / "kit" / "new")]) == 1
    assert "choose a folder outside" in capsys.readouterr().err
