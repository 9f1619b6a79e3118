"""The lecturer's kit: every question is answered, numbers are computed, bugs are found, plans add up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import minigrad as mg
from lessons.builder.command import main
from lessons.builder.lesson import FOLDER, Lesson, lessons
from lessons.builder.percent import LessonError
from lessons.kit import answers, command, marp, plans, questions, references, rubric, slides

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


def test_one_command_writes_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marp, "installed", lambda: None)
    assert main(["kit", str(tmp_path / "kit")]) == 0
    assert len(list((tmp_path / "kit" / "slides").glob("*.md"))) == 17
    found = {path.name: path.read_text("utf-8") for path in (tmp_path / "kit").glob("*.md")}
    assert found == command.pages(list(LESSONS.values()))


def test_the_pages_do_not_go_where_students_look(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kit", str(FOLDER / "kit" / "new")]) == 1
    assert "choose a folder outside" in capsys.readouterr().err


# --- slides ---------------------------------------------------------------------------------------------------------

DECKS = [(plan, number) for plan in plans.plans() for number in range(1, len(plan.sessions) + 1)]


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)
def test_the_slides_of_a_lesson_can_be_made(lesson: Lesson) -> None:
    """Every figure, formula and table that a slide names is in the lesson; every figure has a description."""
    found = slides.slides(lesson)
    assert sum(slide.core for slide in found) >= 3
    for slide in found:
        assert len(slide.note.split()) >= 5, slide.title
        for kind, name in slides.REFERENCE.findall(slide.body):
            shown = getattr(references, kind)(lesson, name)
            assert len(shown.alt if kind == "figure" else shown) > 5
        assert "{" not in slides.REFERENCE.sub("", slide.body) or "$" in slide.body, "a reference in another form"


@pytest.mark.parametrize(("plan", "number"), DECKS, ids=lambda one: getattr(one, "title", one))
def test_a_session_has_a_slide_for_each_part_and_each_break(plan: plans.Plan, number: int) -> None:
    text, pictures = slides.deck(plan, number, LESSONS)
    shown = text.split("\n---\n")[2:]
    assert 12 <= len(shown) <= 31
    assert len(shown) / plan.minutes <= 1 / 5
    for one in shown:
        assert one.count("<!--") == one.count("-->") == 1, "one note for each slide"
    for time, slot, part in plans.clock(plan.sessions[number - 1]):
        what = part.what if part else "Break" if slot.rest else slot.what
        assert any(f"<!--\n{time}: {what}." in one for one in shown), f"no slide at {time} for {what}"
    tags = re.findall(r"<img ([^>]*)>", text)
    assert len(tags) == len(pictures) >= 1
    for tag in tags:
        assert len(re.search(r'alt="([^"]+)"', tag)[1].split()) >= 8
        assert re.search(r'src="([^"]+)"', tag)[1] in pictures


def test_lecturers_read_how_many_slides_a_session_has() -> None:
    words = {
        90: "ninety minutes has {} to {} of them",
        120: "one of two hours {} to {}",
        180: "one of three hours {} to {}",
    }
    says = " ".join((FOLDER / "INSTRUCTOR.md").read_text("utf-8").split())
    for plan in plans.plans():
        counts = [sum(map(len, slides.of_session(one, LESSONS).values())) for one in plan.sessions]
        assert words[plan.minutes].format(min(counts), max(counts)) in says
        parts = [slides.of_session(one, LESSONS) for one in plan.sessions]
        exercises = [sum(part.at.startswith("Exercise") for part in shown) for shown in parts]
        assert max(exercises) <= 6


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)
def test_no_slide_ends_before_what_it_announces(lesson: Lesson) -> None:
    for slide in slides.slides(lesson):
        assert not re.search(r":\n\n(```python|\d+ minutes)", slide.body), f"{slide.title}: nothing after the colon"


def test_slides_hold_no_solution() -> None:
    text = "\n".join(slides.deck(plan, number, LESSONS)[0] for plan, number in DECKS)
    shown = {line.strip() for line in re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL).splitlines()}
    for lesson in LESSONS.values():
        given = {line.strip() for cell in lesson.for_students() for line in cell.text.splitlines()}
        for part in lesson.solutions():
            for line in part.splitlines():
                known = line.strip() in given or len(line.strip()) < 13
                assert known or line.strip() not in shown, f"lesson {lesson.number}: {line}"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: references.formula(LESSONS[6], "The idea 2"), "'The idea' has 1 formulas, so there is no"),
        (lambda: references.formula(LESSONS[6], "The end"), "0 headings begin with 'The end'"),
        (lambda: references.figure(LESSONS[6], "cel"), r"lesson 6 has no figure 'cel'; there are \['cell'"),
    ],
)
def test_a_wrong_reference_is_named(call: Callable[[], object], says: str) -> None:
    with pytest.raises(LessonError, match=says):
        call()


def test_slides_without_marp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(marp.shutil, "which", lambda *args, **options: None)
    assert main(["slides", str(tmp_path), "--sessions", "2"]) == 1
    assert "npm ci --prefix lessons/kit/slides" in capsys.readouterr().err
    assert main(["slides", str(tmp_path), "--sessions", "2", "--markdown"]) == 0
    assert sorted(path.name for path in tmp_path.glob("*.md")) == ["2-sessions-01.md", "2-sessions-02.md"]
