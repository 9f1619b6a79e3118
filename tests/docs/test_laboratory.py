"""The laboratory's pages: their numbers and figures come from the stored results, or say that there are none."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import pytest

from docs.tables import laboratory
from docs.tables.laboratory import BLOCKS
from minigrad.papers.recording import write_records

pytest.importorskip("matplotlib")


def test_figures_are_up_to_date() -> None:
    """In their words: the shapes depend on the version of matplotlib."""
    pages = "".join(page.read_text("utf-8") for page in laboratory.STORED.glob("*.md"))
    made = laboratory.drawn()
    for name, figure in made.items():
        words = laboratory.alt_text(figure)
        assert f"![{words}](../assets/{laboratory.path(name).name})" in pages
        assert escape(words) in laboratory.path(name).read_text("utf-8")
    assert set(laboratory.ASSETS.glob("papers-*.svg")) == set(map(laboratory.path, made))


@pytest.mark.parametrize("block", sorted(set(BLOCKS) - {"papers-sak14"}))
def test_without_results_the_page_says_so(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laboratory, "STORED", tmp_path)
    assert BLOCKS[block]().startswith("There are no results yet. `python -m minigrad papers ")


def stream(forget: bool, seed: int, *states: float) -> dict[str, Any]:
    edge = [0.0, 0.5, 1.0]
    return {
        "seed": seed, "forget gates": forget, "streams": 9, "largest state": list(states), "cells at the edge": edge,
        "right symbols": 1234,
    }  # fmt: skip


def test_measurements_as_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laboratory, "STORED", tmp_path)
    half = {"count": [0, 5], "wrong": [None, 0.5]}
    adding = [{"seed": k, **half, "mean": [None, mean]} for k, mean in enumerate((0.1, 0.2, 0.4))]
    grammar = [{"seed": 0, "inside": 0.125, "to remember": 0.5, "largest state": 21.0, "cells at the edge": 0.97}]
    streams = [stream(False, 0, 1.0, 10.0, 100.0), stream(True, 0, 1.0, 2.0, 2.2)]
    write_records(tmp_path / "recorded-1.json", [], {"adding": adding, "grammar": grammar, "stream": streams})
    assert "| 0.5 to 1.0 | 0.2000 [0.1000, 0.4000] | 50.0% [50.0%, 50.0%] |" in laboratory.of_adding()
    assert "| 0.0 to 0.5 | no such target | no such target |" in laboratory.of_adding()
    assert "| 0 | 12.5% | 50.0% | 21.0 | 97% |" in laboratory.of_grammar()
    text = laboratory.of_streams()
    assert "| no | 0 | 1.0 | 10.0 | 100.0 | 100% | 1,234 |" in text
    assert "in 1 of 1 nets without forget gates, by a factor of 10.0" in text
    assert "it does in 0 of 1, by 1.1." in text
