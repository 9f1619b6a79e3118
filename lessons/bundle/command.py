"""The command line: ``python -m lessons bundle FOLDER`` and ``python -m lessons lite FOLDER``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lessons.builder.lesson import Lesson
from lessons.builder.percent import LessonError
from lessons.bundle.archives import Files, require_portable, write_archive
from lessons.bundle.contents import lecturer_files, students_files

STUDENTS, LECTURER = "minigrad-students.zip", "minigrad-lecturer.zip"


def add_commands(commands: Any) -> None:
    """Add the commands to the parser of ``python -m lessons``."""
    bundle = commands.add_parser(
        "bundle",
        help="make the archives to hand out",
        description=f"Writes {STUDENTS} (minigrad's wheel, the notebooks, no solutions) and {LECTURER} (the same, the "
        "solved notebooks, and the lecturer's kit). It needs no network; the same commit gives the same bytes.",
    )
    bundle.add_argument("folder", type=Path, metavar="FOLDER", help="where the two archives are written")
    bundle.add_argument("--no-outputs", action="store_true", help="do not run the solved notebooks: a minute less")
    bundle.set_defaults(function=_bundle, lessons=[])


def _bundle(chosen: list[Lesson], asked: argparse.Namespace) -> int:
    folder = folder_to_write(asked.folder)
    students = students_files()
    lecturer = lecturer_files(students, not asked.no_outputs, print)
    require_portable(lecturer)
    for name, files in ((STUDENTS, students), (LECTURER, lecturer)):
        write_archive(folder / name, files)
        print(f"{folder / name}: {len(files)} files, {size_of(files):.1f} MB")
    return 0


def folder_to_write(folder: Path) -> Path:
    """Make a folder; return it.

    Raises:
        LessonError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LessonError(f"expected FOLDER to be a folder to write to, got {folder}: {error.strerror}") from None
    return folder


def size_of(files: Files) -> float:
    """Return the size of files in megabytes, before compression."""
    return sum(map(len, files.values())) / 1e6
