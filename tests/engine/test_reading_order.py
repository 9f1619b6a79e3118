"""The reading order of the engine, from op to tensor: each of the four files imports only those before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from figures import needs
from source_tree import Tree, load

ROOT = Path(__file__).resolve().parents[2]
PATH = [
    "minigrad/engine/ops/op.py",
    "minigrad/engine/ops/arithmetic.py",
    "minigrad/engine/tape.py",
    "minigrad/engine/tensor.py",
]
LINES = {"op.py": 76, "arithmetic.py": 150, "tape.py": 170, "tensor.py": 200}


@pytest.fixture(scope="module")
def tree() -> Tree:
    return load(ROOT)


def test_each_file_imports_only_files_before_it(tree: Tree) -> None:
    assert needs(tree, PATH) == []


@pytest.mark.parametrize("place", range(1, len(PATH)))
def test_in_another_order_they_do_not(tree: Tree, place: int) -> None:
    first = [PATH[place], *PATH[:place]]
    assert needs(tree, first)


@pytest.mark.parametrize("where", PATH)
def test_each_file_is_short(where: str) -> None:
    assert len((ROOT / where).read_text("utf-8").splitlines()) <= LINES[Path(where).name]


def test_no_types_are_imported_in_a_circle(tree: Tree) -> None:
    for source in tree.values():
        if source.where in PATH:
            assert not [imp for imp in source.imports if imp.types_only], source.where
