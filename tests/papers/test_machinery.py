"""The hashes of the code and of a row's data: what changes them, and what does not."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from minigrad.papers import machinery
from minigrad.papers.hochreiter97.rows import ROWS
from minigrad.papers.machinery import MACHINERY, code_hash, row_hash

TEXT = '"""A module."""\n\n\ndef f(x):\n    """2 x"""\n    return 2 * x  # twice\n'
FOLDER = Path(machinery.__file__).parent


def hash_of(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (folder / "one.py").write_text(text)
    monkeypatch.setattr(machinery, "__file__", str(folder / "machinery.py"))
    monkeypatch.setitem(MACHINERY, "paper", ("one.py",))
    return code_hash.__wrapped__("paper")


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("# twice", "# two times", True), ("2 x", "x + x", True), ("A module", "One", True), ("(x)", "( x )", True),
        ("2 * x", "3 * x", False), ("2 * x", "2.0 * x", False), ("2 * x", "x * 2", False), ("(x)", "(x=1)", False),
    ],
)  # fmt: skip
def test_statements_count(old: str, new: str, same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_of(TEXT, tmp_path, monkeypatch)
    assert (hash_of(TEXT.replace(old, new), tmp_path, monkeypatch) == before) == same


@pytest.mark.parametrize("paper", MACHINERY)
def test_the_files_are_there(paper: str) -> None:
    assert all((FOLDER / name).is_file() for name in MACHINERY[paper])
    assert len(code_hash(paper)) == 64


def test_every_module_that_a_trial_imports_counts() -> None:
    """All but the row's classes, whose values are in the hash of the row."""
    code = "import sys, minigrad.papers.trial, minigrad.papers.hochreiter97.rows, minigrad.papers.kernel.full\n"
    code += "print(*(m for m in sys.modules if m.startswith('minigrad.papers.')))"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    files = {name.removeprefix("minigrad.papers.").replace(".", "/") + ".py" for name in names}
    own = {file for file in files if (FOLDER / file).is_file() and not file.startswith("hochreiter97/")}
    assert own == {*MACHINERY["hochreiter97"], "row.py", "machinery.py"}


CHANGES = {
    "rate": {"rate": 0.9},
    "update": {"update": "late"},
    "test": {"test": 9},
    "groups": {"groups": 7},
}


def test_the_numbers_of_a_row_count() -> None:
    row = next(row for row in ROWS if row.table == 8)
    before = row_hash(row)
    for change in CHANGES.values():
        assert row_hash(dataclasses.replace(row, **change)) != before
    for reading in row.readings:
        assert row_hash(row.read_as(reading)) != before
    first, second = row.milestones
    for milestone in (
        dataclasses.replace(first, published=5),
        dataclasses.replace(first, stop=dataclasses.replace(first.stop, tolerance=0.05)),
    ):
        assert row_hash(dataclasses.replace(row, milestones=(milestone, second))) != before


def test_words_and_further_readings_do_not_count() -> None:
    row = ROWS[0]
    same = dataclasses.replace(row, readings={}, success=3, trials=2, weights=1)
    assert row_hash(same) == row_hash(row)


def test_all_rows_differ() -> None:
    assert len({row_hash(row) for row in ROWS}) == len(ROWS)
