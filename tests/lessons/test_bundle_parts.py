"""Parts of the bundle that need neither Jupyter nor hatchling: archives, links, the first cell, the READMEs."""

from __future__ import annotations

import ast
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lessons.builder import folders
from lessons.builder.command import main
from lessons.builder.lesson import FOLDER, lessons
from lessons.builder.percent import LessonError
from lessons.bundle import contents, lite
from lessons.bundle.archives import require_portable, write_archive
from lessons.bundle.notebooks import FIRST, first_cell, for_bundle, with_links
from lessons.bundle.words import lecturer_readme, students_readme
from lessons.kit import marp, plans

WHEEL = "minigrad_bptt-0.1.0-py3-none-any.whl"


# --- archives ---------------------------------------------------------------------------------------------------------


def test_equal_files_give_equal_archives(tmp_path: Path) -> None:
    files = {"b.txt": b"2", "a/one.txt": b"1" * 5000}
    write_archive(tmp_path / "one.zip", files)
    write_archive(tmp_path / "two.zip", dict(reversed(files.items())))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == ["a/one.txt", "b.txt"]
        assert {entry.date_time for entry in archive.infolist()} == {(2020, 2, 2, 0, 0, 0)}
        assert {name: archive.read(name) for name in archive.namelist()} == files
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.zip", "two.zip"]


@pytest.mark.parametrize(
    "name",
    ["a:b.txt", "what?.md", "aux.md", "x/NUL", "x/con.txt", "end.", "end ", "a\\b", "fünf.md", "a//b", "/a", "x" * 121],
)
def test_a_name_that_windows_refuses(name: str) -> None:
    with pytest.raises(LessonError, match="not a file name on every system"):
        require_portable({name: b""})


def test_two_names_that_are_one_on_windows() -> None:
    require_portable({"README.md": b"", "kit/readme.md": b"", "console.md": b"", "com10.txt": b""})
    with pytest.raises(LessonError, match=r"'README.md' and 'readme.md' are one file"):
        require_portable({"README.md": b"", "readme.md": b""})


# --- notebooks --------------------------------------------------------------------------------------------------------


def test_links_out_of_the_bundle_become_text() -> None:
    text = "[a](../minigrad/x.py) [b](05_x.ipynb#top) [c](https://example.org/) [d](#here) ![e](../e.png) $a[i](b)$"
    kept = "a [b](05_x.ipynb#top) [c](https://example.org/) [d](#here) ![e](../e.png) $a"
    assert with_links(text, "", {"05_x.ipynb"}).startswith(kept)
    assert with_links("[b](05_x.ipynb)", "solutions", {"05_x.ipynb"}) == "b"
    assert with_links("[b](../05_x.ipynb)", "solutions", {"05_x.ipynb"}) == "[b](../05_x.ipynb)"


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_a_notebook_differs_by_its_first_cell_and_links_only(lesson: Any) -> None:
    before = json.loads(lesson.notebook.read_text("utf-8"))
    names = {one.notebook.name for one in lessons()}
    after = json.loads(for_bundle(before, "", names))
    assert after["cells"][0] == first_cell()
    assert [cell["id"] for cell in after["cells"][1:]] == [cell["id"] for cell in before["cells"]]
    ids = [cell["id"] for cell in after["cells"]]
    assert len(set(ids)) == len(ids)
    text = "".join("".join(cell["source"]) for cell in after["cells"] if cell["cell_type"] == "markdown")
    assert "](../" not in text
    assert "source/" not in json.dumps(after["metadata"])


def first_cell_run(monkeypatch: pytest.MonkeyPatch, missing: set[str], said: Callable[..., Any]) -> None:
    """Run the first cell where modules are missing; `said` is called in place of pip."""
    found = "from importlib.util import find_spec\n"
    assert found in FIRST
    hiding = f"find_spec = lambda name: None if name in {missing!r} else name\n"
    code = compile(FIRST.replace(found, hiding), "first", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    monkeypatch.setattr("subprocess.run", said)
    names: dict[str, Any] = {}
    returned = eval(code, names)
    if returned is not None:  # a coroutine, for it holds an `await`
        with pytest.raises(StopIteration):
            returned.send(None)


class Pip:
    """pip's exit status, and the commands."""

    def __init__(self, returncode: int = 0) -> None:
        self.returncode, self.stderr = returncode, "no network"
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], **options: Any) -> Pip:
        self.commands.append(command)
        return self


def test_the_first_cell_does_nothing_where_minigrad_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pip = Pip()
    first_cell_run(monkeypatch, set(), pip)
    assert pip.commands == []
    assert list(tmp_path.iterdir()) == []


def test_the_first_cell_installs_from_an_uploaded_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_archive(tmp_path / "minigrad-students.zip", {WHEEL: b"", "lesson_tools.py": b"", "05.ipynb": b"as shipped"})
    (tmp_path / "05.ipynb").write_bytes(b"with a student's answers")
    pip = Pip()
    first_cell_run(monkeypatch, {"minigrad", "lesson_tools"}, pip)
    assert pip.commands[0][1:] == ["-m", "pip", "install", "--quiet", f"{tmp_path.resolve() / WHEEL}[plot]"]
    assert (tmp_path / "lesson_tools.py").is_file()
    assert (tmp_path / "05.ipynb").read_bytes() == b"with a student's answers"


def test_the_first_cell_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"Upload minigrad-students.zip to the folder of this notebook"):
        first_cell_run(monkeypatch, {"minigrad", "lesson_tools"}, Pip())
    (tmp_path / WHEEL).touch()
    with pytest.raises(RuntimeError, match="pip could not install minigrad: no network"):
        first_cell_run(monkeypatch, {"minigrad"}, Pip(returncode=1))


# --- words ------------------------------------------------------------------------------------------------------------


def test_the_students_readme_has_ten_lines() -> None:
    assert len(students_readme(WHEEL, "00_first_net.ipynb").splitlines()) == 10


def test_the_lecturers_readme_names_each_lesson() -> None:
    text = lecturer_readme(WHEEL, lessons(), ())
    assert all(f"(solutions/{one.notebook.name})" in text for one in lessons())
    assert "kit/" not in text


@pytest.mark.parametrize("suffix", ["html", "md"])
def test_the_lecturers_readme_names_files_of_the_archive_only(suffix: str) -> None:
    names = [f"kit/slides/{marp.name_of(plan, 1)}.{suffix}" for plan in plans.plans()]
    text = lecturer_readme(WHEEL, lessons(), names)
    mentioned = set(re.findall(r"kit/slides/[\w-]+\.\w+", text))
    assert mentioned
    assert mentioned <= set(names)


# --- mistakes of the caller -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["bundle"], ["lite"], ["kit"], ["slides", "--markdown"], ["build", "2", "--markdown"]], ids=str
)
def test_a_folder_that_is_a_file(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "file/below"):
        assert main([*arguments, str(tmp_path / name)]) == 1
        assert re.search("expected (FOLDER|--markdown) to be a folder to write to, got", capsys.readouterr().err)


def test_a_folder_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(folders.os, "access", lambda *_: False)
    assert main(["bundle", str(tmp_path)]) == 1
    assert capsys.readouterr().err.endswith(f"got {tmp_path}: Permission denied\n")


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "plans.md")

    monkeypatch.setattr(Path, "write_text", full)
    assert main(["kit", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "lessons: plans.md: No space left on device\n"


def test_a_folder_of_slides_without_slides(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match="expected --slides to be a folder that"):
        contents.kit_files(tmp_path)


def test_the_kit_takes_the_slides_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_run_kit", lambda *arguments: None)
    (tmp_path / "2-sessions-01.html").write_text("a page")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "one.png").write_bytes(b"")
    expected = {"kit/slides/2-sessions-01.html": b"a page", "kit/slides/figures/one.png": b""}
    assert contents.kit_files(tmp_path) == expected


def test_a_site_needs_an_empty_folder_and_a_pyodide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite, "find_spec", lambda name: None)
    with pytest.raises(LessonError, match=r"is missing: python -m pip install -e '.\[lessons,lite\]'"):
        lite.write_site({}, tmp_path, None)
    monkeypatch.setattr(lite, "find_spec", lambda name: name)
    with pytest.raises(LessonError, match=r"expected --pyodide to be a folder with pyodide.mjs"):
        lite.write_site({}, tmp_path, tmp_path)
    (tmp_path / "mine.txt").touch()
    with pytest.raises(LessonError, match="holds other files: choose an empty folder"):
        lite.write_site({}, tmp_path, None)


def test_a_notebook_older_than_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = lessons()[0]
    notebook = json.loads(lesson.notebook.read_text("utf-8"))
    notebook["metadata"]["minigrad"]["sha256"] = "0"
    (tmp_path / lesson.notebook.name).write_text(json.dumps(notebook))
    monkeypatch.setattr("lessons.builder.lesson.FOLDER", tmp_path)
    with pytest.raises(LessonError, match=r"is older than its source: run `python -m lessons build 0`"):
        contents.shipped(lesson)


def test_what_is_beside_the_notebooks_is_there() -> None:
    assert [name for name in contents.BESIDE if not (FOLDER / name).is_file()] == []
