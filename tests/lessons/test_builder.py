"""Notebooks, runs, pages and the command line, on a lesson of two exercises."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from lessons.builder import command, kernel
from lessons.builder.lesson import FOLDER, Lesson, lessons, read
from lessons.builder.markdown import figure, write_markdown
from lessons.builder.notebook import MAY_RAISE, cell_ids, notebook_of, slug, write
from lessons.builder.percent import Cell, LessonError
from lessons.builder.run import refused, run, unnoticed

SVG = {"image/svg+xml": {"alt": "Drawn."}}
SOURCE = """\
# %% [markdown]
# # 1 · Twice
#
# Doubling.
#
# **Minutes:** 30 · **Needs:** nothing
#
# After this lesson you can
#
# 1. double;
# 2. halve;
# 3. rest.

# %% [markdown]
# ## To double

# %%
import numpy as np

from lesson_tools import ask, same

print("hello")

# %% exercise="twice"
def twice(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% mistake="twice"
def twice(x):
    return x * x

# %% variant="twice"
def twice(x):
    x += x
    return x

# %% check="twice" points=2
right = 2 * np.arange(3.0)
same("twice", ask(twice, np.arange(3.0)), right)
# %% exercise="half"
def half(x):
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION

# %% check="half"
same("half(3)", half(3), 1.5)
"""

ASKED = 'same("twice", ask(twice, np.arange(3.0)), right)'


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    return lesson_of(tmp_path, SOURCE)


def lesson_of(tmp_path: Path, source: str) -> Lesson:
    path = tmp_path / "01_twice.py"
    path.write_text(source, "utf-8")
    return read(path)


# --- running ----------------------------------------------------------------------------------------------------------


def test_as_shipped_every_check_fails(lesson: Lesson) -> None:
    done = run(lesson, lesson.for_students(), fast=True)
    assert set(done.failed()) == {"twice", "half"}
    assert done.broken() == []
    assert done.printed == "hello\n"


def test_solved_every_check_passes(lesson: Lesson) -> None:
    done = run(lesson, lesson.solved(), fast=True)
    assert done.errors == []
    assert unnoticed(lesson, done) == []
    assert refused(lesson, done) == []
    assert done.names["twice"](5) == 10  # the right answer is back in its place


def test_a_check_that_sees_nothing_is_found(tmp_path: Path) -> None:
    blind = lesson_of(tmp_path, SOURCE.replace(ASKED, "twice(2) == 4 or twice(0)"))
    wrong, _ = command.problems(blind, fast=True)
    assert wrong == ["01_twice.py:30: the check of 'twice' lets this mistake through"]


def test_a_check_that_a_later_cell_spoils_is_found(tmp_path: Path) -> None:
    """A check that fails for every input, and so seems to notice every mistake."""
    spoilt = lesson_of(tmp_path, SOURCE + "\n# %%\nsame = None\n")
    wrong, _ = command.problems(spoilt, fast=True)
    assert [w.partition(":")[2].partition("once")[0] for w in wrong] == [
        "39: the check of 'twice' passes ",
        "48: the check of 'half' passes ",
    ]
    assert "TypeError" in wrong[0]


def test_a_check_that_refuses_right_answers_is_found(tmp_path: Path) -> None:
    """It hands out the array with which it compares, and a list has no `sum`."""
    hard = lesson_of(tmp_path, SOURCE.replace(ASKED, 'x = np.arange(3.0)\nsame("twice", twice(x).sum(), 2 * x.sum())'))
    solved = run(hard, hard.solved(), fast=True)
    assert solved.errors == []
    assert unnoticed(hard, solved) == []
    found = refused(hard, solved)
    assert [one.partition(": ")[0] for one in found] == ["01_twice.py:34", "01_twice.py:24", "01_twice.py:24"]
    assert "the check of 'twice' refuses this variant: CheckError" in found[0]
    assert "'twice' with arguments written over is refused: CheckError" in found[1]
    assert "'twice' with lists is refused: AttributeError" in found[2]


def test_a_check_that_passes_as_shipped_is_found(tmp_path: Path) -> None:
    empty = lesson_of(tmp_path, SOURCE.replace('same("half(3)", half(3), 1.5)', "half"))
    assert command.problems(empty, fast=True)[0] == ["01_twice: the check of 'half' passes as shipped"]


def test_a_wrong_solution_and_a_broken_cell_are_found(tmp_path: Path) -> None:
    broken = lesson_of(tmp_path, SOURCE.replace("return x / 2", "return x").replace('print("hello")', "1 / 0"))
    wrong, _ = command.problems(broken, fast=True)
    assert wrong[0] == "01_twice.py:17: ZeroDivisionError: division by zero"
    assert any("solved, CheckError: half(3): 1 of 1 numbers differ, most: yours 3, expected 1.5" in w for w in wrong)


# --- the notebook -----------------------------------------------------------------------------------------------------


def test_nbgraders_metadata(lesson: Lesson) -> None:
    cells = {cell["id"]: cell for cell in notebook_of(lesson, lesson.solved())["cells"]}
    assert list(cells) == ["1-twice-1", "to-double-1", "to-double-2", "twice", "check-twice", "half", "check-half"]
    assert cells["twice"]["metadata"]["nbgrader"] == {
        "grade": False, "grade_id": "twice", "locked": False, "schema_version": 3, "solution": True, "task": False,
    }  # fmt: skip
    assert cells["check-twice"]["metadata"]["nbgrader"] == {
        "grade": True, "grade_id": "check_twice", "locked": True, "points": 2, "schema_version": 3, "solution": False,
        "task": False,
    }  # fmt: skip
    assert "### BEGIN SOLUTION" in "".join(cells["twice"]["source"])
    assert cells["to-double-2"]["metadata"] == {}


def test_a_cell_put_in_changes_the_ids_of_its_section_only() -> None:
    one, two, code = Cell("markdown", "## One"), Cell("markdown", "## Two"), Cell("code", "1")
    before, after = cell_ids([one, code, two, code]), cell_ids([one, code, code, two, code])
    assert before == ["one-1", "one-2", "two-1", "two-2"]
    assert after == ["one-1", "one-2", "one-3", "two-1", "two-2"]


def test_ids_of_long_and_of_equal_names_differ() -> None:
    """Titles that differ beyond the 48th character, or not at all, get different ids, the same ones every time."""
    long = "A section whose title goes on and on until it is longer than an id may be"
    cells = [
        Cell("markdown", f"## {long}, first"), Cell("code", "1"), Cell("code", "2"),
        Cell("markdown", f"## {long}, second"), Cell("code", "3"),
        Cell("markdown", "## A third"), Cell("code", "", {"exercise": "a-third-1"}),
        Cell("code", "", {"exercise": "x" * 60}), Cell("code", "", {"check": "x" * 60}),
        Cell("code", "", {"exercise": "x" * 60 + "y"}), Cell("code", "", {"check": "x" * 60 + "y"}),
        Cell("code", "", {"exercise": "x" * 60 + "z"}),
    ]  # fmt: skip
    ids = cell_ids(cells)
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9-]{1,64}", id_) for id_ in ids)
    assert ids == cell_ids(cells)
    assert ids[:5] == [f"{slug(long)}-{n}" for n in range(1, 6)]
    assert ids[5:7] == ["a-third-1", "a-third-1-2"]


def test_the_code_of_figures_is_folded_up(tmp_path: Path) -> None:
    drawn = lesson_of(tmp_path, SOURCE + "\n# %%\ndef draw(ax):\n    pass\n")
    *_, before, last = notebook_of(drawn, drawn.for_students())["cells"]
    assert last["metadata"] == {"jupyter": {"source_hidden": True}, "tags": ["picture"]}
    assert "jupyter" not in before["metadata"]


def test_slug() -> None:
    assert slug("Über ‖∂h_T/∂h_t‖, again") == "uber-h-t-h-t-again"
    assert slug("→") == "section"


def test_the_same_source_gives_the_same_file(lesson: Lesson, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(notebook_of(lesson, lesson.for_students()), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    nbformat = pytest.importorskip("nbformat", reason="Jupyter is not part of the tests' environment")
    nbformat.validate(json.loads((tmp_path / "a").read_text("utf-8")))


# --- what Jupyter puts out --------------------------------------------------------------------------------------------


def test_tracebacks_become_one_sentence() -> None:
    error = {"output_type": "error", "ename": "CheckError", "evalue": "no", "traceback": ["\x1b[31m/somewhere/x.py"]}
    assert kernel.tidy(error)["traceback"] == ["CheckError: no"]
    assert kernel.tidy({"output_type": "stream", "name": "stdout", "text": "a\nb"})["text"] == ["a\n", "b"]


def test_what_numba_says_of_its_cache_is_left_out() -> None:
    lines = ["numba: compiling the loop for float32, once.\n"] * 2
    assert kernel.announced({"output_type": "stream", "name": "stderr", "text": "".join(lines)})
    assert not kernel.announced({"output_type": "stream", "name": "stderr", "text": f"{lines[0]}Traceback\n"})
    assert not kernel.announced({"output_type": "stream", "name": "stdout", "text": lines[0]})
    assert not kernel.announced({"output_type": "error", "ename": "E", "evalue": "", "traceback": []})


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ({"output_type": "stream", "name": "stdout", "text": ["/home/me/x"]}, "a path or an address"),
        ({"output_type": "stream", "name": "stdout", "text": ["<object at 0x7f3a12345678>"]}, "a path or an address"),
        ({"output_type": "stream", "name": "stderr", "text": ["a warning"]}, "stderr"),
        ({"output_type": "error", "ename": "E", "evalue": "", "traceback": ["E: no"]}, "raised E: no"),
    ],
)
def test_an_output_that_differs_from_machine_to_machine(output: dict[str, Any], says: str) -> None:
    cell = {"id": "one", "metadata": {}, "outputs": [output]}
    with pytest.raises(LessonError, match=says):
        kernel.require_in_order(cell, unsolved=True)


def test_a_check_may_raise_as_shipped_only() -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["E: no"]}
    cell = {"id": "one", "metadata": {"tags": [MAY_RAISE]}, "outputs": [error]}
    kernel.require_in_order(cell, unsolved=True)
    with pytest.raises(LessonError, match="raised"):
        kernel.require_in_order(cell, unsolved=False)


def test_solutions_never_overwrite_the_students_notebooks(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match="choose another folder"):
        kernel.solutions_to(FOLDER / "source" / "..")
    folder = kernel.solutions_to(tmp_path / "new" / "folder")
    assert (folder / "lesson_tools.py").exists()
    with pytest.raises(LessonError, match=r"expected --solutions to be a folder to write to, got .*: Not a directory"):
        kernel.solutions_to(folder / "lesson_tools.py" / "below")


# --- pages ------------------------------------------------------------------------------------------------------------


def test_a_page_has_pictures_with_alt_text(lesson: Lesson, tmp_path: Path) -> None:
    notebook = notebook_of(lesson, lesson.for_students())
    picture = {"image/png": base64.b64encode(b"png").decode(), "text/plain": ["Figure"]}
    notebook["cells"][2]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": ["hello\n"]},
        {"output_type": "display_data", "data": picture, "metadata": {"image/png": {"alt": "Two curves."}}},
        {"output_type": "display_data", "data": {"image/svg+xml": ["<svg>", "</svg>"]}, "metadata": SVG},
        {"output_type": "display_data", "data": {"text/html": ["<details>"], "text/plain": [""]}, "metadata": {}},
    ]
    (tmp_path / "01_twice").mkdir()
    (tmp_path / "01_twice" / "figure-7.png").write_bytes(b"of an older run")
    page = write_markdown(notebook, lesson.name, tmp_path).read_text("utf-8")
    assert (
        "```text\nhello\n```\n\n![Two curves.](01_twice/figure-1.png)\n\n"
        "![Drawn.](01_twice/figure-2.svg)\n\n```python\ndef twice" in page
    )
    assert sorted(path.name for path in (tmp_path / "01_twice").iterdir()) == ["figure-1.png", "figure-2.svg"]
    assert (tmp_path / "01_twice" / "figure-2.svg").read_text("utf-8") == "<svg></svg>"
    assert [found[1:] for found in kernel.images(notebook)] == [
        ("image/png", "Two curves."),
        ("image/svg+xml", "Drawn."),
    ]


def test_brackets_in_alt_text_are_no_links() -> None:
    assert figure("at step 16 ('[')", "a/b.png") == "![at step 16 ('\\[')](a/b.png)"


def test_links_on_a_page(lesson: Lesson, tmp_path: Path) -> None:
    notebook = notebook_of(lesson, lesson.for_students())
    notebook["cells"][0]["source"] = ["[`tape.py`](../minigrad/engine/tape.py), [two](02_two.ipynb), [a](https://b.c)"]
    page = write_markdown(notebook, lesson.name, tmp_path).read_text("utf-8")
    assert page.startswith("`tape.py`, [two](02_two.md), [a](https://b.c)\n")
    page = write_markdown(notebook, lesson.name, tmp_path, "https://x.y/main/").read_text("utf-8")
    assert page.startswith("[`tape.py`](https://x.y/main/minigrad/engine/tape.py), ")


# --- the command ------------------------------------------------------------------------------------------------------


def test_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["check", "--fast", "2"]) == 0
    assert "in order" in capsys.readouterr().out


def test_an_unknown_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["check", "77"]) == 1
    assert capsys.readouterr().err == "lessons: there is no lesson 77\n"
    assert command.main(["check", "--fast", "2", "77", "15"]) == 1
    assert capsys.readouterr().err == "lessons: there is no lesson 15, 77\n"


def test_the_readme_has_the_table() -> None:
    """If this fails: python -m lessons build"""
    page = (FOLDER / "README.md").read_text("utf-8")
    assert command.with_table(page, lessons()) == page
    for lesson in lessons():
        assert f"[{lesson.number} · {lesson.title}]({lesson.name}.ipynb)" in page
