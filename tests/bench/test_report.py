"""Rows and tables."""

from __future__ import annotations

import json

import pytest

from minigrad.bench.contenders import LSTM, LSTM_CELL
from minigrad.bench.figures import Ratio
from minigrad.bench.harness import Comparison
from minigrad.bench.report import Row, Section, header, more, render_header, timed_rows, times, value_in

NUMPY, NUMBA = "minigrad, numpy", "minigrad, numba"
FOUND = Comparison({NUMPY: [0.004, 0.002, 0.003], LSTM: [0.002, 0.001, 0.001]}, 2, {LSTM_CELL: "failed: KeyError: 'x'"})


def rows():
    return timed_rows("small", [NUMPY, LSTM, LSTM_CELL], FOUND, {NUMPY: 3.5})


@pytest.fixture
def section():
    return Section("lstm", "LSTM", "Milliseconds.", times(1e-3, "ms", with_targets=True))


def test_rows_of_a_measure():
    ours, torch, cell = rows()
    assert (ours.value, ours.versus, ours.ratio, ours.target) == (0.003, LSTM, Ratio(2.0, 2.0, 2.5), 3.5)
    assert (torch.value, torch.versus, torch.ratio, torch.target) == (0.001, None, None, None)
    assert (cell.value, cell.note) == (None, "failed: KeyError: 'x'")
    assert ours.quiet == (2, 3)
    assert ours.more == {"least": 0.002}  # on a machine that is never quiet, the number to read


def test_a_target_is_for_pytorch_not_for_another_backend():
    found = Comparison({NUMPY: [2.0], NUMBA: [1.0]}, 1, {})
    ours = timed_rows("", [NUMPY, NUMBA], found, {NUMPY: 3.5, NUMBA: 0.5})
    assert [row.target for row in ours] == [None, None]
    assert ours[1].ratio == Ratio(0.5, 0.5, 0.5)


def test_all_may_be_compared_with_one():
    found = Comparison({"a": [3.0], LSTM: [2.0], "b": [2.0]}, 1, {})
    assert [row.versus for row in timed_rows("", ["a", LSTM, "b", "c"], found, {}, "b")] == ["b", "b", None, None]
    assert timed_rows("", ["a"], Comparison({"a": [1.0]}, 1, {}), {"a": 2.0}, "gone")[0].ratio is None


def test_the_table(section):
    lines = [*section.head().splitlines()[-2:], *map(section.line, rows())]
    assert lines == [
        "|  | contender | ms | ratio | middle half | target | quiet rounds |",
        "|---|---|---|---|---|---|---|",
        "| small | minigrad, numpy | 3.00 | **2.00** | 2.00 … 2.50 | ≤ 3.5 | 2 of 3 |",
        "| small | torch.nn.LSTM | 1.00 |  |  |  | 2 of 3 |",
        "| small | torch.nn.LSTMCell, a loop | failed: KeyError: 'x' |  |  |  |  |",
    ]
    assert "\n## LSTM\n\nMilliseconds.\n" in section.head()


def test_a_bar_in_a_message_does_not_end_the_cell(section):
    assert section.line(Row("", "a", note="failed: a | b")).replace(r"\|", "").count("|") == 8


def test_every_line_of_a_table_has_its_columns(section):
    few = Section("memory", "", "", [("MiB", value_in(2.0**20)), ("peak", more("peak", 2.0**20))])
    row = Row("size", NUMPY, 2.0**21, more={"peak": 2.0**22})
    assert few.line(row) == "| size | minigrad, numpy | 2.00 | 4.00 |"
    assert few.line(Row("size", LSTM, note="not installed")) == "| size | torch.nn.LSTM | not installed |  |"
    for part, line in [(few, few.line(row)), (section, section.line(rows()[2]))]:
        assert line.count("|") == part.head().splitlines()[-1].count("|")


def test_json(section):
    section.rows = rows()
    content = json.loads(json.dumps(section.to_dict()))
    assert content["name"] == "lstm"
    assert content["head"] == section.head()
    first, second, third = content["rows"]
    assert first["line"] == section.line(section.rows[0])
    assert first["ratio"] == {"low": 2.0, "median": 2.0, "high": 2.5}
    assert first["target"] == 3.5
    assert second["ratio"] is None
    assert third["note"] == "failed: KeyError: 'x'"


def test_the_header_tells_machine_versions_and_who_is_missing():
    head = header(
        2, 9, {NUMPY: {"python": "3.11.7", "numpy": "2.4.6"}}, {LSTM: "not installed: No module named 'torch'"}
    )
    text = render_header(head)
    assert "2 threads; 9 rounds" in text
    assert " cores, " in text
    assert "- minigrad, numpy: python 3.11.7, numpy 2.4.6\n" in text
    assert text.endswith("- torch.nn.LSTM: not installed: No module named 'torch'")
    assert json.loads(json.dumps(head)) == head


def test_the_header_tells_of_variables_that_choose_kernels(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    monkeypatch.delenv("OPENBLAS_L2_SIZE", raising=False)
    assert "OPENBLAS" not in render_header(header(1, 1, {}, {}))
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "262144")
    text = render_header(header(1, 1, {}, {}))
    assert "OPENBLAS_CORETYPE=Haswell and OPENBLAS_L2_SIZE=262144; the contenders run without" in text
