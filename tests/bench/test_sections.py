"""Each part of the benchmark, with tiny sizes, minigrad alone."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from minigrad.bench import sections
from minigrad.bench.contenders import KERAS, LSTM, LSTM_CELL, Contenders
from minigrad.bench.harness import Comparison, Effort
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
    assert set(benchmark.versions[NUMPY]) == {"python", "minigrad", "numpy"}
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
    assert [row.measure for row in ours] == list(MEASURES)
    assert [row.contender for row in others] == ["torch"]


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
        (1, 100, 8, 16): 3.5,
        (16, 50, 8, 32): 1.6,
        (32, 100, 64, 128): 1.6,
        (64, 256, 128, 256): 1.1,
        (128, 100, 512, 512): 1.2,
        (1, 10_000, 8, 16): None,
    }
    assert sections.CHARACTER_MODEL == (32, 64, 96, 32, 128)
