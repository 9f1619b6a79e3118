"""Completeness of the page on benchmarks: all measurements, from one machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docs.tables import benchmarks
from minigrad.bench.sections import AXES, SECTIONS, SIZES
from minigrad.bench.workers.operations import MEASURES

RUNS = [json.loads(file.read_text("utf-8")) for file in benchmarks.MEASURED.glob("*.json")]
FOUND = {
    name: [row for run in RUNS for section in run["sections"] if section["name"] == name for row in section["rows"]]
    for name in SECTIONS
}
OURS = {"minigrad, numpy", "minigrad, numba"}
EVERYBODY = OURS | {"torch.nn.LSTM", "torch.nn.LSTMCell, a loop", "tf.keras.layers.LSTM"}


@pytest.mark.parametrize(
    ("name", "measures", "contenders"),
    [
        ("lstm", {str(size) for size in SIZES}, EVERYBODY),
        ("step", {"whole step"}, EVERYBODY),
        ("ops", set(MEASURES), OURS | {"torch"}),
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


def test_files_of_two_machines_make_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for k, machine in enumerate(("one", "other")):
        run = {"date": "2026-11-21", "machine": machine, "threads": 2, "versions": {}, "sections": []}
        (tmp_path / f"{k}.json").write_text(json.dumps(run), "utf-8")
    monkeypatch.setattr(benchmarks, "MEASURED", tmp_path)
    with pytest.raises(ValueError, match="measured with different machine"):
        benchmarks.tables()
    (tmp_path / "1.json").unlink()
    assert benchmarks.tables().startswith("Measured from 2026-11-21 to 2026-11-21: one; 2 threads.")
