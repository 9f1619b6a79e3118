"""Figures and pages of stored trials and of recorded runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minigrad.papers import command, diagnosis, figures, record_figures, recording, report
from minigrad.papers.hochreiter97.rows import ROWS as ALL
from minigrad.papers.page import page_of
from minigrad.papers.recording import read_records, record, recorded_rows, write_records
from minigrad.papers.report import Line
from minigrad.plot.alt import alt_text
from minigrad.plot.drawing import svg
from minigrad.train.command_line import main
from minigrad.train.errors import RunError
from papers.test_running import ROW, trial
from papers.test_trial import tiny

pytest.importorskip("matplotlib")


@pytest.fixture
def lines() -> list[Line]:
    return list(report.lines([ROW], [trial(0, 99, 300), trial(1, 101, None)]))


def test_survival(lines: list[Line]) -> None:
    ax = figures.survival_curves(lines)
    assert "one: 2 of 2 trials succeed" in alt_text(ax)
    assert len(ax.lines) == 3
    assert ax.lines[0].get_ydata().tolist() == [1.0, 0.5, 0.0, 0.0]
    assert ax.lines[1].get_ydata().tolist() == [1.0, 0.5, 0.5]  # the other trial is censored


def test_published_and_ours(lines: list[Line]) -> None:
    none = list(report.lines([ROW], [trial(0, None, None)]))
    ax = figures.comparison([*lines, *none])
    assert "Table 7, easy, one: published 100, ours 100 (99 to 101), 2 of 2." in alt_text(ax)
    assert "ours none of 1." in alt_text(ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["7: easy, one", "7: easy, two"] * 2
    names = {text.get_text() for text in ax.figure.legends[0].get_texts()}
    assert names == {
        "published", "half to twice", "ours: all trials succeeded", "ours: some reached the cap",
        "ours: none succeeded by the cap",
    }  # fmt: skip
    crosses = [line for line in ax.lines if line.get_marker() == "x"]
    assert [line.get_xdata()[0] for line in crosses] == [200, 200]  # at the caps


def test_a_page(lines: list[Line], records: list[dict[str, Any]]) -> None:
    values = {"trials": [trial(0, 99, 300)], "begun": "now", "ended": "then", "machine": "here", "code": "0" * 64}
    html = page_of("A paper", values, lines, []).html()
    assert html.count("<svg") == 2
    assert "100 [99, 101]" in html
    assert "Other readings" not in html
    assert page_of("A paper", values, lines, [], records).html().count("<svg") == 2 + 2 + len(records)


# --- a recorded run -------------------------------------------------------------------------------


def short(table: int) -> Any:
    """Return a recorded row with short sequences, under its name."""
    row = next(row for row in recorded_rows() if row.table == table)
    return dataclasses.replace(tiny(table), name=row.name)


@pytest.fixture(autouse=True, scope="module")
def _few_points() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "POINTS", 4)
        patch.setattr(recording, "PROBES", 2)
        yield


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    return [record(short(table), 1, 100, compiles=False) for table in (3, 7, 9)]


def test_every_recorded_row_is_a_row_with_output_gates() -> None:
    rows = recorded_rows()
    assert len(rows) == len(recording.RECORDED)
    assert all(row.net.output_gates and not row.net.full for row in rows)


def test_what_is_recorded(records: list[dict[str, Any]]) -> None:
    assert record(short(9), 1, 100, compiles=False) == records[-1]
    assert record(short(9), 2, 100, compiles=False) != records[-1]
    for one in records:
        trace, steps = one["trace"], len(one["trace"]["tokens"])
        assert one["sequences"] == 100
        assert one["curve"][-1][0] == one["growth"][-1][0] == 100
        assert len(one["growth"]) == len(one["curve"]) + 1
        assert {len(trace[name]) for name in ("y_in", "y_out", "s", "outputs", "targets", "counted")} == {steps}
        assert one["growth"][-1][2] >= one["growth"][-1][1] > 0
    blocks, cells = np.shape(records[-1]["trace"]["y_in"])[1], np.shape(records[-1]["trace"]["s"])[1]
    assert (blocks, cells) == (2, 4)


def test_the_words_of_the_steps(records: list[dict[str, Any]]) -> None:
    lags, adding, order = (one["trace"]["tokens"] for one in records)
    assert lags[0] == "b"
    assert lags[1] in "xy"
    assert lags[-1] == "e"
    assert not any(lags[2:-1])
    assert sorted(adding)[-2:] == ["+", "+"]
    assert order[0] == "E"
    assert order[-1] == "B"
    assert sum(token in "XY" for token in order) == 2


def test_a_run_ends_at_its_stop() -> None:
    row = short(9)
    first = row.milestones[0]
    stop = dataclasses.replace(first.stop, length=30, tolerance=9.0, mean_below=9.0)
    row = dataclasses.replace(row, milestones=(dataclasses.replace(first, stop=stop),))
    assert record(row, 1, 600, compiles=False)["sequences"] == 30


def test_figures_of_a_recorded_run(records: list[dict[str, Any]]) -> None:
    curves, growth = record_figures.learning_curves(records), record_figures.state_growth(records)
    for ax in (curves, growth):
        assert len(ax.lines) == len(records) + 1
        assert [text.get_text() for text in ax.get_legend().get_texts()] == [one["task"] for one in records]
        assert "adding: " in alt_text(ax)
    for one in records:
        figure = record_figures.gate_trace(one)
        assert [len(ax.lines) for ax in figure.axes] == [2, 2, len(one["trace"]["s"][0])]
        assert f"the task {one['task']} after 100 sequences" in alt_text(figure)
    assert svg(figure).svg == svg(record_figures.gate_trace(one)).svg  # the same bytes


def test_marks_that_are_near_share_a_label() -> None:
    figure = record_figures.style.figure()
    ax = figure.subplots()
    record_figures._steps(ax, [*([""] * 8), "+", "+", *([""] * 60), "+"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["+ +\n9 10", "+\n71"]


def test_records_in_a_file(records: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    write_records(file, records)
    assert read_records(file) == records
    assert recording.read_diagnosis(file) == {}
    measured = {"adding": [{"seed": 0, "mean": [0.5]}, {"seed": 1, "mean": [0.25]}]}
    write_records(file, records, measured)
    assert read_records(file) == records
    assert recording.read_diagnosis(file) == measured
    file.write_text('{"format": 1}')
    with pytest.raises(RunError, match="expected a recorded run, as --record FILE writes"):
        read_records(file)


def papers(*words: str) -> int:
    return main(["papers", "hochreiter97", *words], {"papers": (command.HELP, command.main)})


def test_the_command_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "records.json"
    monkeypatch.setattr(recording, "record", lambda row, seed: {"table": row.table, "sequences": seed})
    monkeypatch.setattr(diagnosis, "measurements", lambda: iter([("adding", {"seed": 3, "mean": [1 / 3]})]))
    assert papers("--record", str(file), "--seed", "5") == 0
    assert [one["table"] for one in read_records(file)] == [1, 3, 4, 7, 8, 9]
    assert recording.read_diagnosis(file) == {"adding": [{"seed": 3, "mean": [0.3333]}]}
    assert papers("--recorded", str(file)) == 2
    assert "--recorded needs --html PAGE" in capsys.readouterr().err
    assert {row.table for row in ALL} - {one["table"] for one in read_records(file)} == {2, 5, 6}
