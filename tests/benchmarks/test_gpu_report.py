"""The report: what it says, and that a look at its first lines is enough."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu.report import Report

CASE = {"dtype": "float32", "mask": "holes", "zero_output": True, "initial": False, "shape": [3, 5, 4, 3]}
GOOD: dict[str, list[dict[str, Any]]] = {
    "machine": [{"fact": "GPU, driver", "value": "a card | 1.2"}],
    "kernels": [
        {**CASE, "kind": "LSTM", "ok": True, "largest": 2e-7, "where": "y, call 1", "path": "fused kernel"},
        {**CASE, "kind": "LSTM", "ok": True, "largest": 5e-7, "where": "d x, call 2", "path": "fused kernel"},
        {**CASE, "kind": "GRU", "ok": None, "path": "formulas of GRUStep"},
    ],
    "times": [
        {"note": "PyTorch 2, cuDNN 9"},
        {"what": "LSTM (1, 2, 3, 4)", "ms": {"kernels": 1.0, "cuDNN": 2.0}, "ratios": {"cuDNN": [0.4, 0.5, 0.6]},
         "rounds": 9, "paths": {}, "failed": {}},
        {"what": "GRU (1, 2, 3, 4)", "ms": {"kernels": 4.0, "cuDNN": 2.0}, "ratios": {"cuDNN": [1.9, 2.0, 2.1]},
         "rounds": 9, "paths": {}, "failed": {}},
    ],
    "tests": [{"counts": {"passed": 5, "skipped": 1}, "stopped": False, "status": 0, "last": "5 passed, 1 skipped"}],
}  # fmt: skip


def reported(folder: Path, parts: dict[str, list[dict[str, Any]]]) -> Report:
    report = Report(folder, "2026-11-30 11:42 UTC", "python tests/benchmarks/gpu")
    for name, rows in parts.items():
        report.begin(name)
        for row in rows:
            report.add(name, row)
        report.end(name, "done", 12.3)
    return report


def test_the_page(tmp_path: Path) -> None:
    report = reported(tmp_path, GOOD)
    assert report.markdown.name == "gpu-2026-11-30-11-42.md"
    page = report.markdown.read_text("utf-8")
    assert page.startswith(
        "# minigrad on a GPU, 2026-11-30 11:42 UTC\n\n`python tests/benchmarks/gpu`\n\n"
        "- **Machine**: a card | 1.2\n"
        "- **Kernels against formulas**: 2 of 2 cases agree; no kernel for GRU\n"
        "- **Times**: 2 rows, kernels / cuDNN 1.00 (geometric mean)\n"
        "- **Tests**: 5 passed, 1 skipped\n"
    )
    for line in (
        "| GPU, driver | a card \\| 1.2 |",
        "| LSTM | float32 | 2 of 2 | 5.0e-07 | d x, call 2 | fused kernel |",
        "| GRU | float32 | no kernel |  |  | formulas of GRUStep |",
        "- PyTorch 2, cuDNN 9",
        "| LSTM (1, 2, 3, 4) | 1 | 2 | **0.50** (0.40 … 0.60) | 9 |  |",
        "`5 passed, 1 skipped`",
        "12 s, done.",
    ):
        assert line in page.splitlines()
    assert "attention" not in page
    assert all(well for well, _ in report.verdicts().values())


def test_the_json_has_everything(tmp_path: Path) -> None:
    reported(tmp_path, GOOD)
    told = json.loads((tmp_path / "gpu-2026-11-30-11-42.json").read_text("utf-8"))
    assert {name: part["rows"] for name, part in told["parts"].items()} == GOOD
    assert {path.suffix for path in tmp_path.iterdir()} == {".md", ".json"}


DIFFERS = {**CASE, "kind": "LSTM", "ok": False, "largest": 1e-3, "where": "d x, call 1", "path": "fused kernel"}
BROKEN = {**CASE, "kind": "LSTM", "ok": False, "error": "CUDA: launch failed"}
ROW = GOOD["times"][1]
TOTALS = GOOD["tests"][0]


@pytest.mark.parametrize(
    ("part", "rows", "sentence", "line"),
    [
        ("kernels", [*GOOD["kernels"], DIFFERS], "2 of 3 cases agree; no kernel for GRU",
         "| LSTM, float32, (3, 5, 4, 3), masked, zero output | 1.0e-03 in d x, call 1 |"),
        ("kernels", [BROKEN], "0 of 1 cases agree",
         "| LSTM, float32, (3, 5, 4, 3), masked, zero output | CUDA: launch failed |"),
        ("kernels", [GOOD["kernels"][2]], "0 of 0 cases agree; no kernel for GRU", ""),
        ("kernels", [*GOOD["kernels"], {"early": "time is up after 3 of 9 cases"}],
         "2 of 2 cases agree; no kernel for GRU; time is up after 3 of 9 cases", ""),
        ("kernels", [], "0 of 0 cases agree", ""),
        ("times", [{**ROW, "failed": {"formulas": "full"}}],
         "1 rows, kernels / cuDNN 0.50 (geometric mean); 1 with a failure",
         "| LSTM (1, 2, 3, 4) | 1 | 2 | **0.50** (0.40 … 0.60) | 9 | formulas: full |"),
        ("times", [{"what": "LSTM", "ms": {}, "ratios": {}, "rounds": 0, "paths": {}, "failed": {"kernels": "full"}}],
         "1 rows; 1 with a failure", "| LSTM | 0 | kernels: full |"),
        ("times", [ROW, {"early": "time is up after 1 of 9 rows"}],
         "1 rows, kernels / cuDNN 0.50 (geometric mean); time is up after 1 of 9 rows",
         "- time is up after 1 of 9 rows"),
        ("tests", [{"test": "t.py::test", "result": "failed", "reason": "no"}, {**TOTALS, "status": 1}],
         "5 passed, 1 skipped", "| failed | `t.py::test` | no |"),
        ("tests", [{**TOTALS, "stopped": True, "status": 2}], "5 passed, 1 skipped; stopped at the time limit", ""),
        ("tests", [{**TOTALS, "counts": {}, "status": 5}], "no test was selected", ""),
        ("tests", [{**TOTALS, "counts": {"skipped": 6}}], "6 skipped", ""),
        ("tests", [{**TOTALS, "counts": {}, "status": 1, "last": "No module named pytest"}],
         "none ran: No module named pytest", ""),
        ("tests", [], "not finished", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_at_the_top(part: str, rows: Any, sentence: str, line: str, tmp_path: Path) -> None:
    report = reported(tmp_path, {part: rows})
    assert report.verdicts() == {part: (False, sentence)}
    page = report.page().splitlines()
    assert page[4].endswith(f"**attention:** {sentence}")
    assert line in page


def test_a_part_that_ended_early_is_not_well(tmp_path: Path) -> None:
    report = reported(tmp_path, GOOD)
    report.end("kernels", "stopped at its time limit", 5.0)
    well, sentence = report.verdicts()["kernels"]
    assert not well
    assert sentence.endswith(" (stopped at its time limit)")
    assert "5 s, stopped at its time limit." in report.markdown.read_text("utf-8")
