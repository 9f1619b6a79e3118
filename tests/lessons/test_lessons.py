"""Each lesson: what students get holds no solution, its checks fail as shipped and pass solved, its outputs are new."""

from __future__ import annotations

import ast
import json
import re
import symtable
import sys
from typing import Any

import pytest

from lessons.builder import run
from lessons.builder.kernel import PLACES, images
from lessons.builder.lesson import BEGIN, END, FOLDER, LEFT_OUT, Lesson, diagnosis, lessons
from lessons.builder.mistakes import MISTAKES
from lessons.builder.notebook import MAY_RAISE, notebook_of

LESSONS = lessons()
NOT_OUTPUTS = ("outputs", "execution_count")


@pytest.fixture(params=LESSONS, ids=lambda lesson: lesson.name)
def lesson(request: pytest.FixtureRequest) -> Lesson:
    return request.param


def shipped(lesson: Lesson) -> dict[str, Any]:
    """The notebook that students open."""
    return json.loads(lesson.notebook.read_text("utf-8"))


# --- (a) no solution text -------------------------------------------------------------------------------------------


def test_the_students_notebook_holds_no_solution(lesson: Lesson) -> None:
    """Search everything in the file for each line that only solutions and mistakes have."""
    told = {line.strip() for text in hidden(lesson) for line in text.splitlines()}
    elsewhere = {line.strip() for line in outside(lesson).splitlines()}
    secret = {line for line in told - elsewhere if len(line) > 12}
    assert len(secret) >= len(lesson.exercises())
    inside = json.dumps(shipped(lesson), ensure_ascii=False, indent=0)
    lines = {line.strip().strip('",').removesuffix("\\n").strip() for line in inside.splitlines()}
    assert {json.dumps(line, ensure_ascii=False)[1:-1] for line in secret} & lines == set()
    assert json.dumps(outside(lesson).splitlines()[-1], ensure_ascii=False)[1:-1] in lines  # it would have been seen
    assert BEGIN not in inside
    assert END not in inside


def hidden(lesson: Lesson) -> list[str]:
    return [*lesson.solutions(), *(cell.text for cell in lesson.cells if set(LEFT_OUT) & set(cell.options))]


def outside(lesson: Lesson) -> str:
    return "\n".join(cell.text for cell in lesson.for_students())


# --- (b) and (c) the checks -----------------------------------------------------------------------------------------


def test_checks_fail_as_shipped_pass_solved_notice_mistakes_and_accept_variants(lesson: Lesson) -> None:
    as_shipped = run.run(lesson, lesson.for_students(), fast=True)
    assert as_shipped.broken() == []
    assert words(as_shipped.printed) == words(printed(shipped(lesson)))
    assert set(as_shipped.failed()) == set(lesson.exercises())
    assert {type(error) for error in as_shipped.failed().values()} <= {NotImplementedError}

    solved = run.run(lesson, lesson.solved(), fast=True)
    assert [f"line {cell.line}: {error!r}" for cell, error in solved.errors] == []

    assert {name for name, *_ in lesson.mistakes()} == set(lesson.exercises())
    assert run.unnoticed(lesson, solved) == []

    assert {name for name, *_ in lesson.variants()} == set(lesson.exercises())
    assert run.refused(lesson, solved) == []


def test_no_cell_needs_a_check(lesson: Lesson) -> None:
    """Use of names that are bound outside checks: a check may be skipped, or raise at its first line."""
    binds: dict[str, str | None] = {}  # each name: the check that bound it last, or None for another cell
    for cell in (cell for cell in lesson.solved() if cell.kind == "code"):
        check = cell.options.get("check")
        needed = {name: binds[name] for name in read_before_bound(cell.text) if binds.get(name)}
        assert {name: where for name, where in needed.items() if where != check} == {}, f"line {cell.line}"
        binds |= dict.fromkeys(names(cell.text)[0], check)


def names(code: str) -> tuple[set[str], set[str]]:
    """The names that code binds at its top level, and the global names that it reads anywhere."""
    top = symtable.symtable(code, "cell", "exec")
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    read, tables = set(), [top]
    for table in tables:
        tables += table.get_children()
        read |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (table is top or s.is_global())}
    return bound, read


def read_before_bound(code: str) -> set[str]:
    """The names that a cell takes from the cells before it."""
    needed: set[str] = set()
    seen: set[str] = set()
    for statement in ast.parse(code).body:
        bound, read = names(ast.unparse(statement))
        own = set() if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)) else bound  # a loop's target
        needed |= read - seen - own
        seen |= bound
    return needed


def test_a_name_that_only_a_check_binds_is_found() -> None:
    assert read_before_bound("x = draw + 1\nfor k in x: y = k\ny") == {"draw"}
    assert read_before_bound("x = x + 1\ndef f(a): return a + b") == {"x", "b"}


def words(text: str) -> list[str]:
    """The words of a text, each once and without numbers: these depend on how long a lesson trained, and how often."""
    plain = re.sub(r"-{3,}", "", re.sub(r"[-+−]?\d+(\.\d*)?(e[-+]?\d+)?", "#", text))
    return list(dict.fromkeys(plain.split()))


def printed(notebook: dict[str, Any]) -> str:
    return "".join("".join(o["text"]) for c in notebook["cells"] for o in c.get("outputs", ()) if "text" in o)


# --- hints and diagnoses ----------------------------------------------------------------------------------------------

DIAGNOSED = [one for one in LESSONS if one.exercises()]


@pytest.mark.parametrize("lesson", DIAGNOSED, ids=lambda lesson: lesson.name)
def test_each_exercise_has_two_hints_and_each_mistake_a_diagnosis(lesson: Lesson) -> None:
    hints = [cell.options["hint"] for cell in lesson.cells if "hint" in cell.options]
    assert hints == [name for name in lesson.exercises() for _ in range(2)]
    says = [diagnosis(wrong) for _, wrong, _ in lesson.mistakes()]
    assert all(len(one.split()) >= 5 and one.endswith((".", "?")) for one in says)
    assert len(set(says)) == len(says)
    text = "".join("".join(cell["source"]) for cell in shipped(lesson)["cells"])
    assert text.count("<details><summary>Hint 1</summary>\n\n") == len(lesson.exercises())
    assert text.count("<details><summary>Hint 2: nearly the answer</summary>\n\n") == len(lesson.exercises())


def test_the_file_of_mistakes_is_of_these_sources_and_holds_no_code() -> None:
    """If this fails: python -m lessons build"""
    text = MISTAKES.read_text("utf-8")
    known = json.loads(text)
    for lesson in LESSONS:
        expected = {diagnosis(wrong) for _, wrong, _ in lesson.mistakes()} - {""}
        assert {one["says"] for one in known.get(lesson.name, [])} == expected, lesson.name
    keys = {key for found in known.values() for one in found for key in one}
    assert keys == {"exercise", "place", "mark", "says"}
    told = {line.strip() for lesson in LESSONS for part in lesson.solutions() for line in part.splitlines()}
    assert [line for line in told if len(line) > 12 and json.dumps(line, ensure_ascii=False)[1:-1] in text] == []


# --- the notebook -----------------------------------------------------------------------------------------------------


def test_outputs_are_of_this_source(lesson: Lesson) -> None:
    """If this fails: python -m lessons build"""
    assert shipped(lesson)["metadata"]["minigrad"]["sha256"] == lesson.digest


def test_cells_ids_and_metadata_are_what_the_builder_makes(lesson: Lesson) -> None:
    made = notebook_of(lesson, lesson.for_students())
    found = shipped(lesson)
    assert found["metadata"] == made["metadata"]
    assert [without_outputs(cell) for cell in found["cells"]] == [without_outputs(cell) for cell in made["cells"]]
    ids = [cell["id"] for cell in made["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9-]{1,64}", id_) for id_ in ids)
    may_raise = {cell["id"] for cell in made["cells"] if MAY_RAISE in cell["metadata"].get("tags", ())}
    assert may_raise == {cell["id"] for cell in made["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")}


def without_outputs(cell: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in cell.items() if key not in NOT_OUTPUTS}


def test_it_was_run_from_top_to_bottom(lesson: Lesson) -> None:
    counts = [cell["execution_count"] for cell in shipped(lesson)["cells"] if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_every_image_has_alt_text(lesson: Lesson) -> None:
    notebook = shipped(lesson)
    figures = images(notebook)
    assert len(figures) == len(re.findall(r"^picture\(", outside(lesson), re.MULTILINE)) >= 1
    assert [id_ for id_, _, alt in figures if len(alt.split()) < 8] == []
    assert len({alt for *_, alt in figures}) == len(figures)
    words = json.dumps(notebook, ensure_ascii=False)
    assert words.count("<summary>This figure in words</summary>") == len(figures)  # for viewers that drop metadata
    assert re.findall(r"!\[\s*\]\(", outside(lesson)) == []
    assert "import matplotlib" not in outside(lesson)  # `picture` does it, and says what to do where it is missing


def test_no_paths_no_addresses_no_times(lesson: Lesson) -> None:
    for cell in shipped(lesson)["cells"]:
        for output in cell.get("outputs", ()):
            text = "".join(output.get("text", output.get("traceback", output.get("data", {}).get("text/plain", ""))))
            assert PLACES.search(text) is None
            assert output.get("name") != "stderr"
        assert set(cell["metadata"]) <= {"jupyter", "nbgrader", "tags"}  # Jupyter would put times there


# --- what it says ----------------------------------------------------------------------------------------------------


def test_front_matter_and_parts(lesson: Lesson) -> None:
    assert len(lesson.goals) == 3
    assert lesson.name.startswith(f"{lesson.number:02d}_")
    assert 20 <= lesson.minutes <= 120
    assert 2 <= len(lesson.exercises()) <= 4 or (lesson.number == 0 and not lesson.exercises())  # ready to run
    text = outside(lesson)
    for part in ("paper", "## To think about", "## Summary", "**In the source:**"):
        assert part in text


def test_links_lead_to_files(lesson: Lesson) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]+)?\)", outside(lesson))
    assert any(link.startswith("../minigrad/") for link in links)
    assert [link for link in links if not (FOLDER / link).exists()] == []


FIGURE = re.compile(r"^\| [^|]+ \| ((?:\[\d+\]\(\w+\.ipynb\)(?:, )?)+) \| ([^|]+) \|$", re.MULTILINE)


def test_the_figures_of_the_course_are_where_the_lecturer_is_told() -> None:
    """Check that each named section is in one of the named lessons, and has a figure."""
    rows = FIGURE.findall((FOLDER / "INSTRUCTOR.md").read_text("utf-8"))
    assert len(rows) == 17
    for links, sections in rows:
        named = {int(number) for number in re.findall(r"\[(\d+)\]", links)}
        text = "\n".join(outside(one) for one in LESSONS if one.number in named)
        parts = dict(part.partition("\n")[::2] for part in reversed(re.split(r"^## ", text, flags=re.MULTILINE)))
        assert [s for s in sections.split("; ") if not re.search(r"^picture\(", parts.get(s, ""), re.MULTILINE)] == []


def test_a_lesson_runs_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run without matplotlib: figures alone are missing, and `lesson_tools` says how to get them."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    lesson = next(one for one in LESSONS if "plot." in one.source)
    assert run.run(lesson, lesson.for_students(), fast=True).broken() == []


def test_the_course_is_complete() -> None:
    assert [one.number for one in LESSONS] == list(range(len(LESSONS)))
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {one.name for one in LESSONS}
