"""Charts of benchmarks: each ratio, every round, the targets, and those that are missed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from docs.tables import charts
from minigrad.bench.figures import Ratio
from minigrad.bench.report import Row
from tool_errors import TORCH_AT_BEST

pytest.importorskip("matplotlib")


def row(contender: str, median: float | None, target: float | None = None, measure: str = "GRU") -> dict[str, Any]:
    ratio = None if median is None else Ratio(median / 2, median, 2 * median)
    rounds = [2.0, 4.0, 6.0] if median is None else [2.0 * median, 4.0 * median, 6.0 * median]
    return Row(measure, contender, rounds[1], "torch", ratio, target, rounds=rounds).to_dict()


ROWS = [
    row("minigrad, numpy", 0.26, 0.25),
    row("minigrad, numba", 0.12, 0.15),
    row("torch", None),
    row(TORCH_AT_BEST, 0.9),
    row("tensorflow", 12.4),
]


def test_the_words_of_a_chart() -> None:
    assert charts.alt("models", ROWS) == (
        "Models, time as a ratio to PyTorch, smaller is better. GRU: minigrad, NumPy 0.26 (target 0.25, missed); "
        "minigrad, Numba 0.12 (target 0.15, met); PyTorch, fused Adam, inference mode 0.90; TensorFlow 12."
    )


def test_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(charts, "svg", lambda ax, name: drawn.append(ax))
    charts.chart("models", ROWS)
    (ax,) = drawn
    assert [round(bar.get_width(), 3) for bar in ax.patches] == [0.26, 0.12, 0.9, 12.4]
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["GRU", "0.26, target 0.25 missed", "0.12", "0.90", "12"]
    lines = {tuple(line.get_xdata()) for line in ax.lines}
    assert {(0.25, 0.25), (0.15, 0.15)} <= lines  # targets
    assert any(points == pytest.approx((0.26, 0.26, 0.26)) for points in lines)  # every round, against PyTorch's
    left, right = ax.get_xlim()
    assert left < 0.12 < 12.4 < right
    legend = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert sorted(legend) == sorted(
        ["target", "PyTorch", *(charts.STYLES[r["contender"]][0] for r in ROWS if r["ratio"])]
    )


def test_no_two_contenders_look_alike_without_colour() -> None:
    assert len({(name, hatch) for name, _, hatch in charts.STYLES.values()}) == len(
        {hatch for _, _, hatch in charts.STYLES.values()}
    )


def test_the_file_fits_a_narrow_window_and_has_its_words() -> None:
    text = charts.chart("models", ROWS).svg
    width = re.search(r'width="([\d.]+)pt"', text)
    assert width is not None
    assert 400 < float(width[1]) <= 420
    assert "target 0.25, missed" in text
    assert charts.chart("models", ROWS).svg == text  # no dates, no random names


def test_a_table_without_ratios_has_no_chart() -> None:
    assert charts.charts({"models": [row("torch", None)], "lstm": []}) == {}
    assert list(charts.charts({"models": ROWS})) == ["models"]


@pytest.mark.parametrize(
    ("made", "missed"),
    [
        (Row("a", "b", 1.0, ratio=Ratio(1, 1.2, 2), target=1.2), False),
        (Row("a", "b", 1.0, ratio=Ratio(1, 1.21, 2), target=1.2), True),
        (Row("a", "b", None, target=1.2), True),
        (Row("a", "b", 5.0, limit=5.0), False),
        (Row("a", "b", 5.1, limit=5.0), True),
        (Row("a", "b", 5.1), False),
    ],
)
def test_missed(made: Row, missed: bool) -> None:
    assert charts.missed(made.to_dict()) is missed


def test_only_charts_that_changed_are_written(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "ASSETS", tmp_path)
    assert list(charts.renew({"models": ROWS})) == [tmp_path / "benchmarks-models.svg"]
    assert list(charts.renew({"models": ROWS})) == []
