"""Completeness of the page on benchmarks: all measurements, from one machine."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

import pytest

from docs.tables import benchmarks, charts
from minigrad.bench.figures import Ratio
from minigrad.bench.models import MODELS
from minigrad.bench.report import Row
from minigrad.bench.sections import AXES, SIZES
from minigrad.bench.workers.operations import MEASURES
from tool_errors import TORCH_AT_BEST

FOUND = benchmarks.rows(benchmarks.runs())
OURS = {"minigrad, numpy", "minigrad, numba"}
EVERYBODY = OURS | {"torch.nn.LSTM", "torch.nn.LSTMCell, a loop", "tf.keras.layers.LSTM"}


@pytest.mark.parametrize(
    ("name", "measures", "contenders"),
    [
        ("lstm", {str(size) for size in SIZES}, EVERYBODY),
        ("import", {""}, {f"import {name}" for name in ("minigrad", "numpy", "torch", "tensorflow")}),
        ("memory", {str(max(SIZES, key=lambda size: size[0] * size[1] * (size[2] + size[3])))}, EVERYBODY),
        ("growth", {"time steps, 100 … 800", "batch, 16 … 128", "units, 64 … 512"}, EVERYBODY),
    ],
)
def test_every_row_is_there_once(name: str, measures: set[str], contenders: set[str]) -> None:
    rows = [(row["measure"], row["contender"]) for row in FOUND[name]]
    assert sorted(rows) == sorted((measure, contender) for measure in measures for contender in contenders)
    assert all(row["value"] is not None for row in FOUND[name])
    assert name != "growth" or len(measures) == len(AXES)


def test_the_models_are_there_in_whole() -> None:
    rows = [(row["measure"], row["contender"]) for row in FOUND["models"] if "first call" not in row["measure"]]
    everybody = OURS | {"torch", TORCH_AT_BEST, "tensorflow"}
    titles = {model.title for model in MODELS.values()}
    assert sorted(rows) == sorted((title, contender) for title in titles for contender in everybody)


def test_the_operations_are_there_once_and_their_mean() -> None:
    rows = [(row["measure"], row["contender"]) for row in FOUND["ops"]]
    each = [row for row in rows if row[0] in MEASURES]
    assert sorted(each) == sorted((measure, contender) for measure in MEASURES for contender in OURS | {"torch"})
    assert {contender for measure, contender in set(rows) - set(each)} <= OURS


def test_the_charts_are_up_to_date() -> None:
    """In their words: the shapes depend on the version of matplotlib."""
    page = (benchmarks.MEASURED.parent / "benchmarks.md").read_text("utf-8")
    drawn = [name for name in charts.TITLES if charts.charted(FOUND[name])]
    for name in drawn:
        assert f"![{charts.alt(name, FOUND[name])}](assets/{charts.path(name).name})" in page
        assert escape(charts.alt(name, FOUND[name])) in charts.path(name).read_text("utf-8")
    assert sorted(charts.ASSETS.glob("benchmarks-*.svg")) == sorted(map(charts.path, drawn))


def test_files_of_two_machines_make_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for k, machine in enumerate(("one", "other")):
        run = {"date": "2026-11-21", "machine": machine, "threads": 2, "versions": {}, "sections": []}
        (tmp_path / f"{k}.json").write_text(json.dumps(run), "utf-8")
    monkeypatch.setattr(benchmarks, "MEASURED", tmp_path)
    with pytest.raises(ValueError, match="measured with different machine"):
        benchmarks.tables()
    (tmp_path / "1.json").unlink()
    assert benchmarks.tables().startswith("Measured from 2026-11-21 to 2026-11-21: one; 2 threads.")


def test_versions_of_several_files_are_joined_if_they_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks, "MEASURED", tmp_path)
    run = {"date": "today", "machine": "one", "threads": 2, "sections": []}
    for name, versions in (("a", {"x": {"x": "1"}}), ("b", {"x": {"x": "1"}, "y": {"y": "2"}})):
        (tmp_path / f"{name}.json").write_text(json.dumps({**run, "versions": versions}), "utf-8")
    assert "- x: x 1\n- y: y 2" in benchmarks.tables()
    (tmp_path / "c.json").write_text(json.dumps({**run, "versions": {"y": {"y": "3"}}}), "utf-8")
    with pytest.raises(ValueError, match="measured with different versions"):
        benchmarks.tables()


def test_targets_that_are_missed_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        Row("GRU", "minigrad, numpy", 1.0, "torch", Ratio(0.2, 0.26, 0.3), 0.25),
        Row("GRU", "minigrad, numba", 1.0, "torch", Ratio(0.1, 0.15, 0.2), 0.15),
        Row("GRU", "torch", 1.0),
        Row("adding", "minigrad, numba", None, target=0.6, note="failed: it"),
        Row("first call", "minigrad, numba", 8.44, limit=5.0),
        Row("first call", "minigrad, numpy", 4.9, limit=5.0),
    ]
    section = {"name": "models", "head": "## Models", "rows": [{**row.to_dict(), "line": "|"} for row in rows]}
    shares = dict.fromkeys(("products", "compiled", "elementwise", "copies"), 0.0) | {"floor": 0.2, "products": 0.25}
    timed = [Row("GRU", "minigrad, numpy", 1.0, more=shares | {"python": 0.75}), Row("adding", "minigrad, numba")]
    profile = {"name": "profile", "head": "## Shares", "rows": [{**row.to_dict(), "line": "|"} for row in timed]}
    run = {"date": "today", "machine": "one", "threads": 2, "versions": {}, "sections": [section, profile]}
    (tmp_path / "it.json").write_text(json.dumps(run), "utf-8")
    monkeypatch.setattr(benchmarks, "MEASURED", tmp_path)
    assert benchmarks.tables().splitlines()[3:9] == [
        "Of 5 targets, 2 are met. Missed:",
        "",
        "- GRU, minigrad, numpy: 0.26, target 0.25. 5.0 times its products alone: Products 25%, Python 75%",
        "- adding, minigrad, numba: failed: it",
        "- first call, minigrad, numba: 8.4 s, target 5 s",
        "## Models",
    ]
