"""The numbers of weights of Sak, Senior and Beaufays, 2014: layers built and counted, and the paper's formula."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg
from minigrad.papers import command, sak14
from minigrad.papers.sak14 import INPUTS, OUTPUTS, ROWS, Row
from minigrad.train.command_line import main


def formula(row: Row) -> int:
    """4 n_c n_i + 4 n_c n_r + 3 n_c, with a projection n_c n_r, layer by layer; then n_r n_o."""
    c, r = row.cells, row.projection or row.cells
    total, below = 0, INPUTS
    for _ in range(row.layers):
        total += 4 * c * below + 4 * c * r + 3 * c + (c * r if row.projection else 0)
        below = r
    return total + below * OUTPUTS


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_layers_have_the_formulas_weights(row: Row) -> None:
    weights = sak14.counted(row)
    assert weights == formula(row)
    assert sak14.agreement(row, weights) == ("cut off" if row.printed == 37 else "rounded")


@pytest.mark.parametrize("row", [Row(6, 4, 2, 0), Row(5, None, 2, 0)], ids=str)
def test_the_layers_run(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs of the size of the projection, three peepholes for each cell, no biases."""
    monkeypatch.setattr(sak14, "OUTPUTS", 3)
    monkeypatch.setattr(sak14, "EMPTY", {"use_bias": False, "dtype": "float64"})
    first, *_ = layers = list(sak14.layers_of(row))
    assert isinstance(first, mg.keras.layers.RNN)
    width = row.projection or row.cells
    assert first(mg.random.normal((2, 7, INPUTS))).shape == (2, width)
    assert [w.shape for w in layers[-1].weights] == [(width, 3)]
    shapes: dict[str, Any] = {letter: w.shape for letter, w in first.cell.by_letter.items()}
    assert {k: shapes[k] for k in ("w_i", "w_f", "w_o")} == dict.fromkeys(("w_i", "w_f", "w_o"), (row.cells,))
    assert shapes.get("P") == ((row.cells, row.projection) if row.projection else None)
    assert "b" not in shapes


def test_a_count_that_does_not_agree() -> None:
    assert sak14.agreement(Row(1, None, 1, 13), 14_600_000) == "no"


def papers(*words: str) -> int:
    return main(["papers", *words], {"papers": (command.HELP, command.main)})


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sak14, "ROWS", ROWS[-2:])
    assert papers("sak14") == 0
    assert "800    512         2       13 M     13,161,664  rounded" in capsys.readouterr().out
    assert papers("sak14", "--quick") == 2
    assert "--quick" in capsys.readouterr().err
    assert papers("--quick", "sak14") == 2
    assert "write python -m minigrad papers sak14 first" in capsys.readouterr().err
    assert papers() == 0
    assert "\nsak14: " in capsys.readouterr().out
