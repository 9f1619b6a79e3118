"""The command line: ``python -m lessons bundle FOLDER`` and ``python -m lessons lite FOLDER``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lessons.builder.folders import folder_to_write
from lessons.builder.lesson import Lesson
from lessons.bundle.archives import Files, require_portable, write_archive
from lessons.bundle.contents import kit_files, lecturer_files, students_files
from lessons.bundle.lite import write_site

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
    slides = "the folder that `python -m lessons slides SLIDES` wrote, for slides as PDF files too"
    bundle.add_argument("--slides", type=Path, metavar="SLIDES", help=slides)
    bundle.set_defaults(function=_bundle, lessons=[])
    lite = commands.add_parser(
        "lite",
        help="make a site on which the notebooks run in the browser",
        description="Writes the students' files as a JupyterLite site: static files, which any web server can offer. "
        "Python itself, Pyodide, comes from its public server, or from --pyodide.",
    )
    lite.add_argument("folder", type=Path, metavar="FOLDER", help="where the site is written")
    lite.add_argument("--pyodide", type=Path, metavar="FOLDER", help="an unpacked Pyodide, to be part of the site")
    lite.set_defaults(function=_lite, lessons=[])


def _bundle(chosen: list[Lesson], asked: argparse.Namespace) -> int:
    folder = folder_to_write(asked.folder)
    students = students_files()
    lecturer = lecturer_files(students, kit_files(asked.slides), not asked.no_outputs, print)
    require_portable(lecturer)
    for name, files in ((STUDENTS, students), (LECTURER, lecturer)):
        write_archive(folder / name, files)
        print(f"{folder / name}: {len(files)} files, {size_of(files):.1f} MB")
    return 0


def _lite(chosen: list[Lesson], asked: argparse.Namespace) -> int:
    folder = folder_to_write(asked.folder)
    write_site(students_files(), folder, asked.pyodide)
    print(f"{folder}: to try it, python -m http.server --directory {folder}")
    return 0


def size_of(files: Files) -> float:
    """Return the size of files in megabytes, before compression."""
    return sum(map(len, files.values())) / 1e6
