"""Sources read as Jupytext reads them, and messages about mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lessons.builder.lesson import lessons, read
from lessons.builder.percent import Cell, LessonError, parse

FRONT = """\
# %% [markdown]
# # 3 · Title
#
# The subject in one line.
#
# **Minutes:** 60 · **Needs:** lesson 2
#
# After this lesson you can
#
# 1. do this;
# 2. do that, on
#    two lines;
# 3. do more.
"""
EXERCISE = """\
# %% exercise="twice"
def twice(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
"""
CHECK = '# %% check="twice" points=2\nassert twice(2) == 4\n'


def lesson_of(tmp_path: Path, text: str):
    path = tmp_path / "03_title.py"
    path.write_text(text, "utf-8")
    return read(path)


def test_cells_kinds_texts_and_options() -> None:
    cells = parse('# %% [markdown]\n# # One\n#\n#   two\n\n# %%\nx = 1\n\n\n# %% points=2 check="a b"\ny = 2\n')
    assert cells == [
        Cell("markdown", "# One\n\n  two", {}, 1),
        Cell("code", "x = 1", {}, 6),
        Cell("code", "y = 2", {"points": 2, "check": "a b"}, 10),
    ]


@pytest.mark.parametrize("header", ["# %% [markdwon]", "# %% points", "# %% points=two", "# %%x"])
def test_a_header_that_cannot_be_read(header: str) -> None:
    with pytest.raises(LessonError, match="line 1: expected"):
        parse(header + "\n")


def test_text_before_the_first_cell() -> None:
    with pytest.raises(LessonError, match="before the first"):
        parse("import os\n# %%\n")


def test_front_matter(tmp_path: Path) -> None:
    lesson = lesson_of(tmp_path, FRONT + EXERCISE + CHECK)
    assert (lesson.number, lesson.title, lesson.minutes, lesson.needs) == (3, "Title", 60, "lesson 2")
    assert lesson.line == "The subject in one line."
    assert lesson.goals == ("do this;", "do that, on two lines;", "do more.")


def test_the_students_and_the_lecturers_reading(tmp_path: Path) -> None:
    lesson = lesson_of(tmp_path, FRONT + EXERCISE + '# %% mistake="twice"\ndef twice(x):\n    return x\n' + CHECK)
    student, lecturer = lesson.for_students()[1].text, lesson.solved()[1].text
    assert student == (
        'def twice(x):\n    # your code here\n    raise NotImplementedError("exercise 1 is yours to write")'
    )
    assert "### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION" in lecturer
    assert len(lesson.for_students()) == len(lesson.solved()) == 3  # without the mistake
    assert [name for name, *_ in lesson.mistakes()] == ["twice"]
    assert lesson.solutions() == ["    return 2 * x\n"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (EXERCISE + CHECK, "the first cell must be markdown"),
        (FRONT.replace("**Minutes:** 60", "**Minutes:** long"), "the first cell must be markdown"),
        (FRONT + EXERCISE, "exercise 'twice' has no check"),
        (FRONT + EXERCISE + EXERCISE.replace('"twice"', '"thrice"') + CHECK, "exercise 'twice' has no check"),
        (FRONT + CHECK, "check='twice' must come after its exercise"),
        (FRONT + EXERCISE + CHECK + '# %% mistake="twice"\n', "mistake='twice' must come after its exercise"),
        (FRONT + EXERCISE.replace("    ### END SOLUTION\n", "") + CHECK, "must come in pairs"),
        (FRONT + EXERCISE.replace(' exercise="twice"', ""), "holds a solution, and no other does"),
        (FRONT + EXERCISE.replace("SOLUTION", "SOLUTIO"), "holds a solution, and no other does"),
        (FRONT + EXERCISE.replace("exercise=", "excercise=") + CHECK, "unknown options"),
    ],
)
def test_what_is_wrong_with_a_source(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(LessonError, match=says) as raised:
        lesson_of(tmp_path, text)
    assert str(raised.value).startswith("03_title.py: ")


def test_jupytext_reads_the_same_cells() -> None:
    jupytext = pytest.importorskip("jupytext", reason="Jupytext is not part of the tests' environment")
    for lesson in lessons():
        found = jupytext.reads(lesson.source, fmt="py:percent")["cells"]
        assert [(cell["cell_type"], cell["source"]) for cell in found] == [(c.kind, c.text) for c in lesson.cells]
        for cell, ours in zip(found, lesson.cells, strict=True):
            assert {k: v for k, v in cell["metadata"].items() if k != "lines_to_next_cell"} == ours.options
