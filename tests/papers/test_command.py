"""``python -m minigrad papers``: the list, the choice of rows, and wrong words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from minigrad.papers import command, running
from minigrad.papers.hochreiter97.rows import ROWS
from minigrad.papers.machinery import row_hash
from minigrad.train.command_line import main
from minigrad.train.errors import OptionError


def papers(*words: str) -> int:
    return main(["papers", *words], {"papers": (command.HELP, command.main)})


def test_the_list_has_every_table_and_its_cost(capsys: pytest.CaptureFixture[str]) -> None:
    assert papers() == 0
    text = capsys.readouterr().out
    for table in range(1, 10):
        assert f"Table {table}: " in text
    assert "180 trials" in text
    assert "minutes on one core" in text


WRONG = {
    "paper": (["hochreiter1997"], "hochreiter97"),
    "table": (["hochreiter97", "--table", "10"], "--table"),
    "reading": (["hochreiter97", "--table", "9", "--readings", "captoin"], "'caption'"),
    "row": (["hochreiter97", "--table", "9", "--rows", "6c"], "--rows"),
    "option": (["hochreiter97", "--tabel", "9"], "--table"),
    "cap": (["hochreiter97", "--cap", "5"], "--cap"),
}


@pytest.mark.parametrize(("words", "expected"), WRONG.values(), ids=WRONG)
def test_wrong_words(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert papers(*words) == 2
    assert expected in capsys.readouterr().err


def chosen(**given: Any) -> list[tuple[int, str, str]]:
    rows = command.chosen_rows(command.PapersOptions(**given))
    return [(row.table, row.name, row.reading) for row in rows]


def test_rows_and_readings() -> None:
    assert len(chosen()) == len(ROWS)
    assert chosen(table="9", rows="6b") == [(9, "6b", "literal")]
    assert [reading for *_, reading in chosen(table="9", rows="6b", readings="literal,caption")] == [
        "literal",
        "caption",
    ]
    assert len(chosen(table="7", readings="all")) == 3 * len(next(r for r in ROWS if r.table == 7).readings)
    with pytest.raises(OptionError, match="'silent'"):
        chosen(readings="silnt")


def test_a_run_prints_its_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def scripted(row: Any, number: int, seed: int, cap: int) -> dict[str, Any]:
        return {
            "table": row.table, "row": row.name, "reading": row.reading, "number": number, "seed": seed, "cap": cap,
            "data": row_hash(row), "diverged": None, "milestones": {"": {"sequences": 31_000 + number}},
        }  # fmt: skip

    monkeypatch.setattr(running, "run_trial", scripted)
    file = tmp_path / "all.json"
    words = ["hochreiter97", "--table", "9", "--rows", "6a", "--processes", "1", "--out", str(file)]
    assert papers(*words) == 0
    text = capsys.readouterr().out
    assert "156 = 156" in text
    assert "31,010 [31," in text
    assert "20 of 20" in text
    assert text.split("literal")[1].split()[0] == "order"  # 31,390 is outside of so narrow an interval
    assert papers(*words, "--cap", "40000") == 0
    printed = capsys.readouterr()
    assert "--cap 40,000 is below twice the published mean" in printed.err
    assert printed.out.split("literal")[1].split()[0] == "–"
