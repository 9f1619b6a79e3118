"""Contents of the two archives: for students, and for the lecturer."""

from __future__ import annotations

import argparse
import io
import json
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from lessons.builder.kernel import executed
from lessons.builder.lesson import BESIDE, FOLDER, Lesson, lessons
from lessons.builder.mynet import SOLUTION
from lessons.builder.notebook import Notebook, notebook_of
from lessons.builder.percent import LessonError
from lessons.bundle.archives import Files
from lessons.bundle.notebooks import for_bundle, with_links
from lessons.bundle.words import lecturer_readme, students_readme
from lessons.kit import command as kit

Progress = Callable[[str], None]


def students_files() -> Files:
    """Return the files for students: the wheel, the notebooks, the files that these need, a README.

    Raises:
        LessonError: a notebook is older than its source, or the wheel cannot be built.
    """
    wheel, content = built_wheel()
    every = lessons()
    names = {"README.md", wheel, *BESIDE, *(lesson.notebook.name for lesson in every)}
    files = {wheel: content, "README.md": students_readme(wheel, every[0].notebook.name).encode()}
    files |= {name: (FOLDER / name).read_bytes() for name in BESIDE}
    files |= {lesson.notebook.name: for_bundle(shipped(lesson), "", names) for lesson in every}
    return files


def lecturer_files(students: Files, pages: Files, execute: bool, progress: Progress) -> Files:
    """Return the files for the lecturer: all of the students', the solved notebooks, and the kit.

    Args:
        students: the files for students.
        pages: the kit: pages and slides.
        execute: whether the solved notebooks are run, for their outputs.
        progress: called with a line after each lesson.
    """
    every = lessons()
    solved = {f"solutions/{lesson.notebook.name}": lesson for lesson in every}
    beside = {f"solutions/{name}": students[name] for name in BESIDE}
    names = {*students, *solved, *pages, *beside, "INSTRUCTOR.md"}
    files = {**students, **pages, **beside, "README.md": lecturer_readme(wheel_of(students), every, pages).encode()}
    files["INSTRUCTOR.md"] = (FOLDER / "INSTRUCTOR.md").read_bytes()
    files["mynet_solution.py"] = SOLUTION.read_bytes()
    for name in [name for name in files if name.endswith(".md") and name != "README.md"]:
        files[name] = with_links(files[name].decode(), name.rpartition("/")[0], names).encode()
    for name, lesson in solved.items():
        notebook = notebook_of(lesson, lesson.solved())
        files[name] = for_bundle(executed(notebook, unsolved=False) if execute else notebook, "solutions", names)
        progress(f"lesson {lesson.number}: {lesson.name}")
    return files


def shipped(lesson: Lesson) -> Notebook:
    """Return the student's notebook of the repository, executed.

    Raises:
        LessonError: it is older than its source.
    """
    notebook: Notebook = json.loads(lesson.notebook.read_text("utf-8"))
    if notebook["metadata"]["minigrad"]["sha256"] != lesson.digest:
        raise LessonError(
            f"{lesson.notebook.name} is older than its source: run `python -m lessons build {lesson.number}`"
        )
    return notebook


def kit_files(slides: Path | None = None) -> Files:
    """Return the lecturer's pages and slides.

    Args:
        slides: the folder that ``python -m lessons slides`` wrote; None leaves the slides to ``python -m lessons kit``.

    Raises:
        LessonError: `slides` is another folder.
    """
    if slides is not None and not any(slides.glob("*.html")):
        raise LessonError(f"expected --slides to be a folder that `python -m lessons slides` wrote, got {slides}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run_kit(str(folder))
        pages = _below(folder, "kit/")
        return {**pages, **_below(slides, "kit/slides/")} if slides else pages


def _run_kit(folder: str) -> None:
    """Run ``python -m lessons kit FOLDER``, without its output."""
    parser = argparse.ArgumentParser()
    kit.add_commands(parser.add_subparsers())
    asked = parser.parse_args(["kit", folder])
    with redirect_stdout(io.StringIO()):
        asked.function(lessons(), asked)


def _below(folder: Path, where: str) -> Files:
    """Return all files of a folder."""
    return {
        f"{where}{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def wheel_of(files: Files) -> str:
    """Return the name of the wheel among the files."""
    return next(name for name in files if name.endswith(".whl"))


def built_wheel() -> tuple[str, bytes]:
    """Return the name and the content of minigrad's wheel, built here without a network.

    Raises:
        LessonError: hatchling is missing.
    """
    try:
        from hatchling.builders.wheel import WheelBuilder
    except ImportError:
        raise LessonError("to build the wheel takes hatchling: python -m pip install -e '.[lessons]'") from None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(next(WheelBuilder(str(FOLDER.parent)).build(directory=folder, versions=["standard"])))
        return path.name, path.read_bytes()
