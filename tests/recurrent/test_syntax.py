"""Texts of cells read in several threads at once."""

from __future__ import annotations

import ast
import gc
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from minigrad.recurrent import syntax

TEXT = "y = [f(x, (a + b) * c) for x in xs]\n" * 50
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def collections() -> Iterator[None]:
    """Frequent garbage collections, each of which lets other threads run, as finalizers do."""
    limits = gc.get_threshold()

    def switch(phase: str, info: dict[str, int]) -> None:
        time.sleep(0)

    gc.callbacks.append(switch)
    gc.set_threshold(20)
    yield
    gc.set_threshold(*limits)
    gc.callbacks.remove(switch)


def read_at_once(parse: Callable[[str], Any]) -> list[str]:
    with ThreadPoolExecutor(8) as pool:
        return [ast.dump(tree) for tree in pool.map(parse, [TEXT] * 40)]


@pytest.mark.usefixtures("collections")
def test_threads_read_one_after_the_other() -> None:
    assert set(read_at_once(syntax.parse)) == {ast.dump(ast.parse(TEXT))}


def test_every_text_is_read_under_the_lock() -> None:
    files = (PROJECT / "minigrad").rglob("*.py")
    found = {file.name for file in files if "ast.parse(" in file.read_text(encoding="utf-8")}
    assert found == {"syntax.py", "reader.py", "arrays.py"}  # callers hold the lock around the last two
