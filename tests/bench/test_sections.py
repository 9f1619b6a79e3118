"""Each part of the benchmark, with tiny sizes, minigrad alone."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from minigrad.bench import models, sections
from minigrad.bench.contenders import KERAS, LSTM, LSTM_CELL, TENSORFLOW, TORCH, TORCH_BEST, Contenders
from minigrad.bench.figures import Ratio
from minigrad.bench.harness import Comparison, Effort, MeasureError
from minigrad.bench.models import MODELS
from minigrad.bench.report import Row
from minigrad.bench.sections import AXES, SECTIONS, SIZES, Benchmark
from minigrad.bench.workers.operations import MEASURES

NUMPY = "minigrad, numpy"


@pytest.fixture(scope="module")
def no_peers(tmp_path_factory):
    """An environment in which PyTorch and TensorFlow cannot be imported."""
    folder = tmp_path_factory.mktemp("peers")
    for name in ("torch", "tensorflow"):
        (folder / f"{name}.py").write_text(f'raise ModuleNotFoundError("No module named {name!r}")\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        yield


@pytest.fixture(scope="module")
def connected(no_peers):
    tiny = Benchmark(
        Contenders(["numpy"]),
        Effort(rounds=1, patience=0.0, batch_seconds=0.0),
        threads=1,
        sizes=[(2, 3, 4, 5), (1, 2, 2, 2)],
        growth=(1, 2),
        base=(2, 3, 4, 5),
        model=(2, 3, 5, 2, 4),
    )
    tiny.connect()
    with closing(tiny):
        yield tiny


@pytest.fixture
def benchmark(connected):
    printed: list[str] = []
    made = replace(
        connected,
        on_section=lambda section: printed.append(section.head()),
        on_row=lambda section, row: printed.append(section.line(row)),
    )
    made.printed = printed
    return made


def run(benchmark, name):
    """A part's rows: our own, and those of who is missing."""
    section = SECTIONS[name](benchmark)
    assert section.name == name
    assert benchmark.printed == [section.head(), *map(section.line, section.rows)]  # each as it comes, and once
    ours = [row for row in section.rows if row.contender == NUMPY]
    assert all(row.value is not None for row in ours)
    return ours, [row for row in section.rows if row.contender != NUMPY]


def test_who_is_there_is_known_before(benchmark):
    assert set(benchmark.versions) == {NUMPY}
    assert set(benchmark.versions[NUMPY]) == {"python", "minigrad", "numpy", "BLAS"}
    assert benchmark.missing[LSTM] == "not installed: No module named 'torch'"
    assert benchmark.missing[KERAS] == "not installed: No module named 'tensorflow'"


def test_lstm(benchmark):
    ours, others = run(benchmark, "lstm")
    assert [row.measure for row in ours] == ["(2, 3, 4, 5)", "(1, 2, 2, 2)"]
    assert all(row.value > 0 and row.ratio is None and row.quiet[1] == 1 for row in ours)
    assert all("numpy backend" in row.note for row in ours)  # how it ran
    assert [row.contender for row in others] == [LSTM, LSTM_CELL, KERAS]
    assert all(row.value is None and row.note.startswith("not installed") for row in others)


def test_step(benchmark):
    (ours,), others = run(benchmark, "step")
    assert ours.value > 0
    assert len(others) == 3
    assert "Batch 2, 3 characters out of 5, embedding 2, LSTM of 4 units" in benchmark.printed[0]


def test_ops(benchmark):
    ours, others = run(benchmark, "ops")
    *each, mean = ours
    assert [row.measure for row in each] == list(MEASURES)
    assert mean.value == pytest.approx(sum(row.value for row in each[:6]) / 6)
    assert mean.ratio is None  # without PyTorch
    assert [row.contender for row in others] == ["torch"]


def test_ops_have_the_mean_of_their_ratios_and_its_goal():
    rows = [Row(name, NUMPY, 2.0, "torch", Ratio(k, k + 1, k + 2)) for k, name in enumerate(MEASURES)]
    mean = sections._mean(rows, Contenders(["numpy"]).ours()[0])
    assert mean.ratio == Ratio(2.5, 3.5, 4.5)  # 0 … 5: the perceptron is more than one operation
    assert mean.target == sections.OVERHEAD
    assert sections._mean([], Contenders(["numpy"]).ours()[0]).note == "not measured"


def test_models(benchmark):
    benchmark.models = {"adding": (2, 3, 2, 4), "generate": MODELS["generate"].small}
    ours, others = run(benchmark, "models")
    assert [row.measure for row in ours] == ["adding problem", "generate 200 characters"]
    assert all(row.rounds == [row.value] for row in ours)
    assert "numpy backend" in ours[0].note
    assert [row.contender for row in others] == [TORCH, TORCH_BEST, TENSORFLOW]


def test_goals_of_models_are_for_their_own_sizes(benchmark, monkeypatch):
    monkeypatch.setattr(sections, "compare", lambda *args: Comparison({NUMPY: [3.0], TORCH: [2.0]}, 1, {}))
    benchmark.models = {"gru": MODELS["gru"].sizes, "stack": MODELS["stack"].small}
    ours, _ = run(benchmark, "models")
    assert [row.target for row in ours] == [0.25, None]


def test_the_first_call_of_a_compiled_layer(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark, "contenders", Contenders(["numba"]))
    monkeypatch.setattr(benchmark, "start_workers", lambda *args: [])
    monkeypatch.setattr(models, "first_calls", lambda backend: (8.0, 0.25))
    benchmark.models, benchmark.first_calls = {}, 2
    cold, warm = SECTIONS["models"](benchmark).rows
    assert (cold.value, cold.limit, cold.rounds, warm.value, warm.limit) == (8.0, 5.0, [8.0, 8.0], 0.25, None)
    assert benchmark.printed[1].endswith("| minigrad, numba | 8000 |  |  | ≤ 5 s |  |")

    def broken(backend):
        raise MeasureError("failed: no compiler")

    monkeypatch.setattr(models, "first_calls", broken)
    assert [row.note for row in SECTIONS["models"](benchmark).rows] == ["failed: no compiler"] * 2


def test_the_profile_has_the_shares_of_every_row_that_was_measured(benchmark):
    benchmark.models, benchmark.timed = {"gru": MODELS["gru"].small}, []
    SECTIONS["models"](benchmark)
    section = sections.profile(benchmark)
    (row,) = section.rows
    assert (row.measure, row.contender) == ("GRU", NUMPY)
    assert set(row.more) == set(sections.SHARES)
    assert row.more["floor"] > 0
    assert row.more["compiled"] == 0
    assert section.line(row) == benchmark.printed[-1]
    assert benchmark.printed[-1].count("|") == len(sections.SHARES) + 4


def test_a_profile_that_fails_is_a_note(benchmark, monkeypatch):
    def ask(worker, request):
        raise MeasureError(f"failed: {request}")

    monkeypatch.setattr(sections.Worker, "ask", ask)
    benchmark.timed = [("GRU", ["lstm", 1], list(benchmark._workers.values())[:1])]
    (row,) = sections.profile(benchmark).rows
    assert row.note == "failed: ['profile', 0.0, 'lstm', 1]"


def test_import(benchmark):
    ours, others = run(benchmark, "import")
    assert ours == []
    rows = {row.contender: row for row in others}
    assert rows["import minigrad"].versus == "import numpy"
    assert rows["import minigrad"].ratio.median > 0
    assert rows["import minigrad"].target == 1.5
    assert rows["import torch"].note == "not installed: No module named 'torch'"


def test_memory(benchmark):
    (ours,), others = run(benchmark, "memory")
    assert ours.measure == "(2, 3, 4, 5)"  # the largest
    assert ours.more["peak"] > 2**20
    assert [row.note.partition(":")[0] for row in others] == ["not installed"] * 3


def test_growth(benchmark):
    ours, _ = run(benchmark, "growth")
    assert [row.measure for row in ours] == ["time steps, 3 … 6", "batch, 2 … 4", "units, 5 … 10"]
    assert all(set(row.more) == {"last", "seconds"} for row in ours)


def test_growth_fits_what_was_measured(benchmark, monkeypatch):
    def compare(workers, request, effort):
        _, B, T, _, H = request
        return Comparison({NUMPY: [1e-6 * B**0.5 * T * H**2]}, 1, {})

    monkeypatch.setattr(sections, "compare", compare)
    ours, _ = run(benchmark, "growth")
    assert [row.value for row in ours] == pytest.approx([1.0, 0.5, 2.0])
    assert [row.more["last"] for row in ours] == pytest.approx([1.0, 0.5, 2.0])
    assert ours[-1].more["seconds"] == pytest.approx(1e-6 * 2**0.5 * 3 * 100)


def test_who_failed_at_one_size_has_no_exponent(benchmark, monkeypatch):
    def compare(workers, request, effort):
        fine = request[1:] == [2, 3, 4, 5]
        return Comparison({NUMPY: [1.0]}, 1, {}) if fine else Comparison({}, 0, {NUMPY: "failed: MemoryError: 9 GiB"})

    monkeypatch.setattr(sections, "compare", compare)
    rows = [row for row in SECTIONS["growth"](benchmark).rows if row.contender == NUMPY]
    assert [(row.value, row.note) for row in rows] == [(None, "failed: MemoryError: 9 GiB")] * len(AXES)


def test_the_sizes_and_targets_are_those_that_were_set():
    targets = {size: found.get(NUMPY) for size, found in SIZES.items()}
    assert targets == {
        (1, 100, 8, 16): 1.5,
        (16, 50, 8, 32): 1.0,
        (32, 100, 64, 128): 1.5,
        (64, 256, 128, 256): 0.75,
        (128, 100, 512, 512): 0.95,
        (1, 10_000, 8, 16): None,
    }
    assert sections.CHARACTER_MODEL == (32, 64, 96, 32, 128)
    assert {name: (model.goals[NUMPY], model.goals["minigrad, numba"]) for name, model in MODELS.items()} == {
        "generate": (1.2, 0.8),
        "loop": (0.9, 0.8),
        "adding": (1.2, 0.6),
        "classify": (1.2, 0.7),
        "gru": (0.25, 0.15),
        "stack": (0.7, 0.4),
        "characters": (1.2, 0.8),
    }
