"""The archives to hand out, as users get them. Needs `pip install -e '.[lessons,lite]'` and an index."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lessons.builder.command import main
from lessons.builder.lesson import BEGIN, BESIDE, END, FOLDER, LEFT_OUT, Lesson, lessons
from lessons.builder.notebook import MAY_RAISE

pytestmark = pytest.mark.slow
pytest.importorskip("nbclient", reason="Jupyter is not part of the tests' environment")
pytest.importorskip("hatchling", reason="hatchling is not part of the tests' environment")
pytest.importorskip("jupyterlite_pyodide_kernel", reason="JupyterLite is not part of the tests' environment")
LESSONS = lessons()
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

# Runs one notebook in a new kernel; prints the errors of each cell, and where minigrad was imported from.
RUN = """
import json, sys
import nbclient, nbformat

node = nbformat.read(sys.argv[1], as_version=4)
node.cells.append(nbformat.v4.new_code_cell("import minigrad; print(minigrad.__file__)"))
nbclient.NotebookClient(node, timeout=300, kernel_name="python3", resources={"metadata": {"path": "."}}).execute()
raised = {c.id: o.ename for c in node.cells for o in c.get("outputs", ()) if o.output_type == "error"}
print(json.dumps([raised, node.cells[-1].outputs[0].text.strip()]))
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two archives."""
    folder = tmp_path_factory.mktemp("bundle")
    assert main(["bundle", str(folder / "new"), "--no-outputs"]) == 0
    return folder / "new"


@pytest.fixture(scope="module")
def unpacked(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The students' archive in an empty folder."""
    folder = tmp_path_factory.mktemp("students")
    shutil.unpack_archive(bundle / "minigrad-students.zip", folder)
    return folder


# --- contents ---------------------------------------------------------------------------------------------------------


def test_two_archives_and_nothing_else(bundle: Path) -> None:
    assert sorted(path.name for path in bundle.iterdir()) == ["minigrad-lecturer.zip", "minigrad-students.zip"]


def test_equal_archives_at_every_build(bundle: Path, tmp_path: Path) -> None:
    assert main(["bundle", str(tmp_path), "--no-outputs"]) == 0
    for path in bundle.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_what_students_get(unpacked: Path) -> None:
    notebooks = {lesson.notebook.name for lesson in LESSONS}
    wheels = {path.name for path in unpacked.glob("*.whl")}
    assert len(wheels) == 1
    assert {path.name for path in unpacked.iterdir()} == {"README.md", *BESIDE, *notebooks, *wheels}
    readme = (unpacked / "README.md").read_text("utf-8")
    assert len(readme.splitlines()) == 10
    assert wheels.pop() in readme


def every_file(archive: bytes, inside: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file, those of wheels too; a notebook's strings as they are read."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for name in opened.namelist():
            content = opened.read(name)
            if name.endswith((".whl", ".zip")):
                yield from every_file(content, f"{inside}{name}/")
            else:
                text = content.decode("utf-8", errors="replace")
                yield inside + name, text + "\n".join(strings(json.loads(text))) if is_json(name) else text


def is_json(name: str) -> bool:
    return name.endswith((".ipynb", ".json"))


def strings(value: object) -> Iterator[str]:
    """Yield each string in a value of JSON, and each list of lines as one string."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        if value and all(isinstance(part, str) for part in value):
            yield "".join(value)
        for part in value:
            yield from strings(part)


def secrets(lesson: Lesson) -> set[str]:
    """The lines that only solutions, mistakes and variants have."""
    hidden = [*lesson.solutions(), *(cell.text for cell in lesson.cells if set(LEFT_OUT) & set(cell.options))]
    shown = {line.strip() for one in LESSONS for cell in one.for_students() for line in cell.text.splitlines()}
    shown |= {line.strip() for name in BESIDE for line in (FOLDER / name).read_text("utf-8").splitlines()}
    told = {line.strip() for text in hidden for line in text.splitlines()}
    return {line for line in told - shown if len(line) > 12 and not line.startswith("#")}


def regions(lesson: Lesson) -> set[str]:
    """Whole solutions of two lines or more, without their indentation."""
    texts = ("\n".join(line.strip() for line in text.strip().splitlines()) for text in lesson.solutions())
    return {text for text in texts if "\n" in text}


def found_in(texts: dict[str, str], lesson: Lesson) -> set[str]:
    """The files in which a solution of the lesson is found: by a line, and in the wheel by a whole solution."""
    found = set()
    for name, text in texts.items():
        lines = [line.strip() for line in text.splitlines()]
        if ".whl/" in name:
            whole = "\n".join(lines)
            found |= {name for region in regions(lesson) if region in whole}
        elif secrets(lesson) & set(lines):
            found.add(name)
    return found


def test_no_solution_anywhere_in_the_students_archive(bundle: Path) -> None:
    texts = dict(every_file((bundle / "minigrad-students.zip").read_bytes()))
    assert any(".whl/minigrad/recurrent/" in name for name in texts)
    assert [name for name in texts if "source" in name.split("/")[:-1] or "solution" in name.lower()] == []
    assert [name for name, text in texts.items() if BEGIN in text or END in text] == []
    assert {lesson.name: files for lesson in LESSONS if (files := found_in(texts, lesson))} == {}


def test_the_search_finds_each_solution_in_the_lecturers_archive(bundle: Path) -> None:
    texts = dict(every_file((bundle / "minigrad-lecturer.zip").read_bytes()))
    for lesson in LESSONS:
        if lesson.exercises():
            assert f"solutions/{lesson.notebook.name}" in found_in(texts, lesson)


def test_the_lecturers_archive_holds_the_students(bundle: Path) -> None:
    students = set(zipfile.ZipFile(bundle / "minigrad-students.zip").namelist())
    lecturers = set(zipfile.ZipFile(bundle / "minigrad-lecturer.zip").namelist())
    assert students < lecturers
    assert {f"solutions/{lesson.notebook.name}" for lesson in LESSONS} < lecturers
    assert {"INSTRUCTOR.md", "mynet_solution.py"} < lecturers - students
    assert any(name.startswith("kit/") for name in lecturers)


# --- in the browser ---------------------------------------------------------------------------------------------------


def test_the_site_holds_the_students_files_and_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    """Build of the site without a network; every file is there, and the kernel looks for the wheel in the site."""
    pyodide = tmp_path / "pyodide"
    pyodide.mkdir()
    for name in ("pyodide.mjs", "pyodide-lock.json"):
        (pyodide / name).write_text("{}")
    assert main(["lite", str(tmp_path / "site"), "--pyodide", str(pyodide)]) == 0
    site = tmp_path / "site"
    for path in unpacked.iterdir():
        place = site / ("pypi" if path.suffix == ".whl" else "files") / path.name
        assert place.read_bytes() == path.read_bytes(), path.name
    wheels = json.loads((site / "pypi" / "all.json").read_text("utf-8"))
    assert "minigrad-bptt" in wheels
    page = json.loads((site / "jupyter-lite.json").read_text("utf-8"))["jupyter-config-data"]
    kernel = page["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert kernel["pyodideUrl"] == "./static/pyodide/pyodide.mjs"
    assert any(url.startswith("./pypi/all.json") for url in kernel["pipliteUrls"])
    assert (site / "static" / "pyodide" / "pyodide.mjs").is_file()
    assert "@jupyterlite/pyodide-kernel-extension" in {one["name"] for one in page["federated_extensions"]}


# --- in Jupyter -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def python(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that knows the wheel of the archive only, installed as the README says."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    wheel = next(unpacked.glob("*.whl"))
    command = [python, "-m", "pip", "install", "--quiet", f"./{wheel.name}[lessons]"]
    subprocess.run(command, check=True, cwd=unpacked, env=ENVIRONMENT)
    return python


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_run_all_in_an_empty_folder(lesson: Lesson, unpacked: Path, python: Path) -> None:
    done = subprocess.run(
        [python, "-c", RUN, lesson.notebook.name], cwd=unpacked, capture_output=True, text=True, encoding="utf-8",
        env={**ENVIRONMENT, "MINIGRAD_LESSON_FAST": "1"}, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    raised, where = json.loads(done.stdout.splitlines()[-1])
    checks = json.loads((unpacked / lesson.notebook.name).read_text("utf-8"))["cells"]
    assert raised == {
        cell["id"]: "NotImplementedError" for cell in checks if MAY_RAISE in cell["metadata"].get("tags", ())
    }
    assert Path(where).is_relative_to(python.parents[1])
