"""The times: fair rounds, and contenders that fail."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import minigrad_numpy
from benchmarks.gpu import times, torch_process
from benchmarks.gpu.times import KERNELS, described, ratio, timed
from benchmarks.gpu.torch_process import FailedError, TorchProcess

TINY = ("layer", "LSTM", (2, 3, 4, 5))
TINY_STEP = ("step", "LSTM", (2, 3, 7, 4, 5))


class Clock:
    """A contender that takes so long, and writes down when it is asked; `fails` says at which call it raises."""

    path = ""

    def __init__(self, name: str, seconds: float, asked: list[str], fails: int | None = None) -> None:
        self.name, self._seconds, self._asked, self._fails = name, seconds, asked, fails

    def seconds(self, request: Any, repeats: int) -> float:
        self._asked.append(self.name)
        if self._fails is not None and self._asked.count(self.name) > self._fails:
            raise MemoryError("full\nand more")
        return self._seconds


def test_rounds_alternate_after_the_warm_up() -> None:
    asked: list[str] = []
    clocks = [Clock(KERNELS, 0.02, asked), Clock("cuDNN", 0.01, asked)]
    row = timed(clocks, TINY, 60.0)
    warm = times.WARM_RUNS + 1
    assert asked[: 2 * warm] == [KERNELS] * warm + ["cuDNN"] * warm
    assert asked[2 * warm :][:4] == [KERNELS, "cuDNN", "cuDNN", KERNELS]
    assert row["rounds"] == times.MOST_ROUNDS
    assert row["ms"] == {KERNELS: pytest.approx(20), "cuDNN": pytest.approx(10)}
    assert row["ratios"] == {"cuDNN": [pytest.approx(2.0)] * 3}
    assert row["failed"] == {}


def test_a_row_has_at_least_one_round() -> None:
    assert timed([Clock(KERNELS, 0.02, [])], TINY, 0.0)["rounds"] == 1


def test_the_ratio_is_the_median_of_the_rounds_ratios() -> None:
    rounds = [{"a": 1.0, "b": 1.0}, {"a": 30.0, "b": 10.0}, {"a": 2.0, "b": 1.0}]
    assert ratio(rounds, "a", "b") == [1.5, 2.0, 2.5]


def test_who_fails_in_the_warm_up_is_left_out() -> None:
    row = timed([Clock(KERNELS, 0.02, []), Clock("formulas", 0.01, [], fails=0)], TINY, 60.0)
    assert (row["failed"], list(row["ms"]), row["ratios"]) == ({"formulas": "full"}, [KERNELS], {})


def test_who_fails_in_a_round_leaves_those_before() -> None:
    fails = times.WARM_RUNS + 1 + 2
    row = timed([Clock(KERNELS, 0.02, []), Clock("formulas", 0.01, [], fails=fails)], TINY, 60.0)
    assert (row["failed"], row["rounds"]) == ({"a round": "full"}, 2)


def fake_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text("import json, sys\n" + code)
    monkeypatch.setattr(torch_process, "WORKER", worker)


ANSWERS = """
print(json.dumps({"found": "PyTorch 0"}), flush=True)
for line in sys.stdin:
    kind, name, size, repeats = json.loads(line)
    print(json.dumps({"seconds": 0.25} if name == "LSTM" else {"failed": "no " + name}), flush=True)
"""


def test_on_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_torch(tmp_path, monkeypatch, ANSWERS)
    monkeypatch.setattr(times, "BATCH_SECONDS", 1e-3)
    requests = [TINY, TINY_STEP, ("layer", "GRU", (2, 3, 4, 5))]
    note, layer, step, gru = times.rows("numpy", 20.0, sys.executable, requests)
    assert note == {"note": "PyTorch 0"}
    assert (layer["what"], step["what"]) == ("LSTM (2, 3, 4, 5)", "step of a character model (2, 3, 7, 4, 5)")
    for row in (layer, step):
        assert row["ms"]["PyTorch"] == 250
        assert set(row["ms"]) == {"kernels", "formulas", "PyTorch"}
        assert set(row["ratios"]) == {"formulas", "PyTorch"}
        assert "fused kernel" in row["paths"]["kernels"]
        assert "formulas of" in row["paths"]["formulas"]
    assert gru["failed"] == {"PyTorch": "no GRU"}


def test_time_that_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_torch(tmp_path, monkeypatch, "print(json.dumps({'missing': 'no PyTorch'}))")
    found = list(times.rows(minigrad_numpy, -1.0, sys.executable, [TINY]))
    assert found == [{"note": "without PyTorch: no PyTorch"}, {"early": "time is up after 0 of 1 rows"}]


def test_pytorch_that_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_torch(tmp_path, monkeypatch, "sys.exit(3)")
    with TorchProcess(sys.executable, "cuda") as torch:
        assert (torch.name, torch.found, torch.missing) == ("cuDNN", "", "its process has ended (exit status 3)")
        with pytest.raises(FailedError, match="its process has ended"):
            torch.seconds(TINY, 1)


@pytest.mark.parametrize(
    "request_", [TINY, TINY_STEP, ("layer", "GRU", (2, 3, 4, 5)), ("layer", "SimpleRNN", (1, 2, 3, 4))]
)
def test_pytorch_itself(request_: Any) -> None:
    pytest.importorskip("torch")
    with TorchProcess(sys.executable, "cpu") as torch:
        assert torch.found.startswith("PyTorch ")
        assert torch.seconds(request_, 2) > 0
        with pytest.raises(FailedError, match=r"AttributeError|KeyError"):
            torch.seconds(("layer", "Lstm", (1, 2, 3, 4)), 1)
        assert torch.seconds(request_, 1) > 0


def test_a_gpu_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []

    class Device:
        def synchronize(self) -> None:
            log.append("waited")

    cupy = ModuleType("cupy")
    cupy.cuda = ModuleType("cupy.cuda")  # type: ignore[attr-defined]
    cupy.cuda.Device = Device
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(times, "layer_run", lambda kind, size: lambda: log.append("run") or "")
    times.Ours("kernels", minigrad_numpy).seconds(TINY, 3)
    assert log == ["waited", "run", "run", "run", "waited"]


def test_requests_have_the_sizes_of_the_benchmarks_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text("utf-8")
    assert all(f"| {size} |" in page for size in times.SIZES)
    assert len(times.REQUESTS) == len({described(request) for request in times.REQUESTS}) == 16
