"""Run All in Jupyter, and nbgrader's points, on real kernels. Needs `pip install -e '.[lessons,grading]'`."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lessons.builder.kernel import solutions_to
from lessons.builder.lesson import FOLDER, Lesson, lessons
from lessons.builder.notebook import MAY_RAISE, notebook_of, write
from lessons.builder.percent import Cell
from lessons.bundle import contents

pytestmark = pytest.mark.slow
LESSON = next(one for one in lessons() if one.number == 2)  # a short one, whose exercises use arrays
POINTS = {"check_unbroadcast": 3, "check_dense_backward": 3, "check_embedding_backward": 2}
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIGRAD_LESSON_FAST", "1")


# --- Jupyter ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", [one for one in lessons() if one.number in {2, 3, 8}], ids=lambda one: one.name)
def test_run_all_comes_to_the_end(lesson: Lesson, tmp_path: Path) -> None:
    """Errors in tagged cells only, which raise because they are not solved."""
    nbclient = pytest.importorskip("nbclient", reason="Jupyter is not part of the tests' environment")
    nbformat = pytest.importorskip("nbformat")
    solutions_to(tmp_path)  # lesson_tools.py
    write(notebook_of(lesson, lesson.for_students()), tmp_path / "lesson.ipynb")
    node = nbformat.read(tmp_path / "lesson.ipynb", as_version=4)
    options = {"allow_errors": False, "kernel_name": "python3", "resources": {"metadata": {"path": str(tmp_path)}}}
    nbclient.NotebookClient(node, timeout=300, **options).execute()
    raised = {
        cell.id: output.ename
        for cell in node.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    }
    assert raised == {
        cell.id: "NotImplementedError" for cell in node.cells if MAY_RAISE in cell.metadata.get("tags", ())
    }
    assert len(raised) == len(lesson.exercises())
    code = [cell.execution_count for cell in node.cells if cell.cell_type == "code"]
    assert code == list(range(1, len(code) + 1))


# --- nbgrader ---------------------------------------------------------------------------------------------------------


def answered(cells: dict[str, Cell | None]) -> Change:
    """Replace exercises by answers."""

    def change(notebook: dict[str, Any]) -> None:
        for cell in notebook["cells"]:
            answer = cells.get(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))
            if answer is not None:
                cell["source"] = answer.text

    return change


def edited(notebook: dict[str, Any]) -> None:
    """A student who empties the checks."""
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["source"] = "pass"


RIGHT: dict[str, Cell | None] = {c.options["exercise"]: c for c in LESSON.solved() if "exercise" in c.options}
WRONG = {name: cell for name, cell, _ in LESSON.mistakes()}
OTHERS = {name: cell for name, cell, _ in LESSON.variants()}
NONE = dict.fromkeys(POINTS, 0)
SUBMISSIONS: dict[str, tuple[Change, dict[str, int]]] = {
    "untouched": (lambda notebook: None, NONE),
    "checks_emptied": (edited, NONE),
    "solved": (answered(RIGHT), POINTS),
    "other_right_answers": (answered(dict(OTHERS)), POINTS),
    "mistaken": (answered(dict(WRONG)), NONE),
    "one_solved": (answered({"dense_backward": RIGHT["dense_backward"]}), {**NONE, "check_dense_backward": 3}),
    "one_mistake": (answered({**RIGHT, "unbroadcast": WRONG["unbroadcast"]}), {**POINTS, "check_unbroadcast": 0}),
}


@pytest.mark.filterwarnings("ignore")  # nbgrader's and SQLAlchemy's own
def test_nbgraders_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbgrader = pytest.importorskip("nbgrader", reason="nbgrader is not part of the tests' environment")
    from nbgrader.api import Gradebook
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    scripts = Path(nbgrader.__file__).parents[4] / "bin"  # it calls `alembic`, which a venv that is not active hides
    monkeypatch.setenv("PATH", str(scripts), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    source = solutions_to(tmp_path / "source" / "lesson")
    write(notebook_of(LESSON, LESSON.solved()), source / f"{LESSON.name}.ipynb")
    config = Config()
    config.CourseDirectory.root = str(tmp_path)
    config.CourseDirectory.db_url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    api = NbGraderAPI(config=config)
    assert api.generate_assignment("lesson")["success"]
    released = tmp_path / "release" / "lesson"
    notebook = json.loads((released / f"{LESSON.name}.ipynb").read_text("utf-8"))
    assert "SOLUTION" not in json.dumps(notebook)
    for student, (change, _) in SUBMISSIONS.items():
        folder = solutions_to(tmp_path / "submitted" / student / "lesson")
        theirs = json.loads(json.dumps(notebook))
        change(theirs)
        write(theirs, folder / f"{LESSON.name}.ipynb")
        done = api.autograde("lesson", student)
        assert done["success"], done
    with Gradebook(config.CourseDirectory.db_url) as book:
        for student, (_, points) in SUBMISSIONS.items():
            graded = book.find_submission_notebook(LESSON.name, "lesson", student).grades
            assert {grade.name: grade.auto_score for grade in graded} == points, student


# --- as printed for lecturers -----------------------------------------------------------------------------------------

PRINTED = re.compile(r"<!-- nbgrader: (\w+) -->\n\n```sh\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("where", ["archive", "release"])
def test_nbgrader_as_printed(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of INSTRUCTOR.md, word for word, with three submissions; in the lecturer's archive, or a clone."""
    pytest.importorskip("nbgrader", reason="nbgrader is not part of the tests' environment")
    printed = dict(PRINTED.findall((FOLDER / "INSTRUCTOR.md").read_text("utf-8")))
    first, *release = printed[where].splitlines()
    if where == "release":  # the first command installs, as `.ci/run` has done
        ran = (FOLDER.parent / ".ci" / "run").read_text("utf-8").replace(" --quiet", "")
        assert first.removeprefix("python ") in ran
        folder = FOLDER.parent
    else:
        assert first == "source .venv/bin/activate"
        folder = unpacked(tmp_path / "archive")
    for name, command in (("python", ""), ("nbgrader", "-m nbgrader")):  # of this environment, active or not
        (tmp_path / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n', "utf-8")
        (tmp_path / name).chmod(0o755)
    import nbgrader

    scripts = Path(nbgrader.__file__).parents[4] / "bin"  # `alembic`
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), str(scripts), os.environ["PATH"]]))
    monkeypatch.setenv("HOME", str(tmp_path))
    in_a_shell(release, folder)
    course = tmp_path / "course"
    for student in ("untouched", "solved", "mistaken"):
        shutil.copytree(course / "release" / "lesson02", course / "submitted" / student / "lesson02")
        path = course / "submitted" / student / "lesson02" / f"{LESSON.name}.ipynb"
        theirs = json.loads(path.read_text("utf-8"))
        SUBMISSIONS[student][0](theirs)
        write(theirs, path)
    in_a_shell(printed["grade"].splitlines(), folder)
    with (course / "grades.csv").open(encoding="utf-8") as file:
        points = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert points == {"untouched": 0, "solved": 8, "mistaken": 0}


def unpacked(folder: Path) -> Path:
    """Write the lecturer's archive to a folder, its notebooks not run."""
    pytest.importorskip("hatchling", reason="hatchling is not part of the tests' environment")
    for name, content in contents.lecturer_files(contents.students_files(), {}, False, print).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def in_a_shell(lines: list[str], folder: Path) -> None:
    done = subprocess.run(
        ["bash", "-ec", "\n".join(lines)], cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
