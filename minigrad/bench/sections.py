"""The parts of the benchmark, each a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from minigrad.bench.contenders import OURS, TORCH, Contender, Contenders, reference
from minigrad.bench.figures import Ratio, exponent
from minigrad.bench.harness import Comparison, Effort, Measurable, MeasureError, Worker, compare
from minigrad.bench.imports import Importer, cache_folder
from minigrad.bench.models import ABOUT, MODELS, NUMBA, NUMPY, first_call_rows
from minigrad.bench.report import Row, Section, more, timed_rows, times, value_in
from minigrad.bench.workers.operations import MEASURES, SMALL

Size = tuple[int, int, int, int]
"""(batch, time, features, units)"""

MS, US, MIB = 1e-3, 1e-6, 2.0**20
CUPY = f"{OURS}cupy"

# The largest ratio to PyTorch to reach; for CuPy, to PyTorch on the same GPU.
SIZES: dict[Size, dict[str, float]] = {
    (1, 100, 8, 16): {NUMPY: 1.5, NUMBA: 0.25},
    (16, 50, 8, 32): {NUMPY: 1.0, NUMBA: 0.4},
    (32, 100, 64, 128): {NUMPY: 1.5, NUMBA: 1.0, CUPY: 1.5},
    (64, 256, 128, 256): {NUMPY: 0.75, NUMBA: 0.6, CUPY: 1.5},
    (128, 100, 512, 512): {NUMPY: 0.95, NUMBA: 0.9, CUPY: 1.1},
    (1, 10_000, 8, 16): {},
}
CHARACTER_MODEL = MODELS["characters"].sizes  # batch, time, vocabulary, embedding, units
OVERHEAD, IMPORT = 0.8, 1.5  # the first is for the mean of the small operations
FIRST_CALLS = 3  # compilation takes seconds

SHARES = "floor", "products", "compiled", "elementwise", "copies", "python"
SHARES_ABOUT = (
    "Milliseconds of minigrad's time, the least of many runs. Floor: the matrix products of the row alone, by NumPy's "
    "BLAS on the shapes that the NumPy backend multiplies, one after the other. Products, elementwise and copies: "
    "calls of NumPy. Compiled: calls of Numba's loops, which hold products and elementwise passes. Python: the rest."
)

BASE: Size = (16, 100, 16, 64)  # one number at a time grows from here
AXES = {"time steps": 1, "batch": 0, "units": 3}  # position of that number in a size


@dataclass
class Benchmark:
    """One benchmark: its contenders, sizes and processes.

    Args:
        contenders: the libraries to compare.
        effort: rounds and durations for each row of a table.
        threads: the number of threads of each contender; operations are measured with one.
        sizes: the sizes of the LSTM; memory is measured at the largest.
        growth: the factors of each number of `base` in the part on growth.
        base: the smallest size in the part on growth.
        model: the sizes of the character model.
        models: the sizes of the models to measure, by their names.
        first_calls: the number of processes in which the first call of a compiled layer is timed.
        on_section: called with each section before its first row.
        on_row: called with each row and its section.

    Attributes:
        timed: name, request and minigrad's own processes of each row that was measured.
        versions: contender → versions of its libraries; set by `connect`.
        missing: contender → the reason why it is unavailable; set by `connect`.
    """

    contenders: Contenders
    effort: Effort
    threads: int
    sizes: Sequence[Size] = tuple(SIZES)
    growth: Sequence[int] = (1, 2, 4, 8)
    base: Size = BASE
    model: tuple[int, ...] = CHARACTER_MODEL
    models: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: {k: m.sizes for k, m in MODELS.items()})
    first_calls: int = FIRST_CALLS
    on_section: Callable[[Section], None] = lambda section: None
    on_row: Callable[[Section, Row], None] = lambda section, row: None
    timed: list[tuple[str, Any, list[Worker]]] = field(default_factory=list)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    _workers: dict[tuple[Contender, int], Worker] = field(default_factory=dict)

    def connect(self) -> None:
        """Start all contenders, and store which are available."""
        workers = self._workers_for(self.contenders.all(), self.threads)
        self.missing = {worker.name: worker.missing for worker in workers if worker.missing}
        self.versions = {worker.name: worker.versions for worker in workers if not worker.missing}

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def begin(self, section: Section) -> Section:
        """Report a section and return it."""
        self.on_section(section)
        return section

    def add(self, section: Section, rows: Iterable[Row]) -> None:
        """Add rows to a section and report each."""
        for row in rows:
            section.rows.append(row)
            self.on_row(section, row)

    def start_workers(self, section: Section, contenders: Sequence[Contender], threads: int) -> list[Worker]:
        """Return the processes of the available contenders; add a row with the reason for each missing one."""
        self.add(section, [Row("", c.name, note=self.missing[c.name]) for c in contenders if c.name in self.missing])
        workers = self._workers_for([c for c in contenders if c.name not in self.missing], threads)
        self.add(section, [Row("", worker.name, note=worker.missing) for worker in workers if worker.missing])
        return [worker for worker in workers if not worker.missing]

    def _workers_for(self, contenders: Sequence[Contender], threads: int) -> list[Worker]:
        """Return one process for each contender, started if there is none or it has ended; parts share processes."""
        keys = [(contender, threads) for contender in contenders]
        new = [key for key in keys if key not in self._workers or self._workers[key].ended()]
        for key in new:  # start all before waiting for the first, so that they import in parallel
            if key in self._workers:
                self._workers[key].close()
            self._workers[key] = Worker(*key)
        for key in new:
            self._workers[key].connect()
        return [self._workers[key] for key in keys]

    def time(
        self, section: Section, workers: Sequence[Measurable], measure: str, request: Any, targets: Any
    ) -> Comparison:
        """Measure workers in turn and add a row for each."""
        found = compare(workers, request, self.effort)
        own = [worker for worker in workers if isinstance(worker, Worker) and worker.contender.backend]
        self.timed.append((measure, request, own))
        rows = timed_rows(measure, [worker.name for worker in workers], found, targets)
        for row, worker in zip(rows, workers, strict=True):
            row.note = row.note or getattr(worker, "path", "")
        self.add(section, rows)
        return found


def lstm(benchmark: Benchmark) -> Section:
    """Forward and backward of a layer, all gradients, from an upstream gradient of the whole output."""
    about = "Milliseconds; (batch, time, features, units), float32."
    section = benchmark.begin(Section("lstm", "LSTM, forward and backward", about, times(MS, "ms", with_targets=True)))
    workers = benchmark.start_workers(section, benchmark.contenders.recurrent(), benchmark.threads)
    for size in benchmark.sizes:
        benchmark.time(section, workers, str(size), ["lstm", *size], SIZES.get(size, {}))
    return section


def step(benchmark: Benchmark) -> Section:
    """One training step of a character model."""
    batch, time, vocabulary, embedding, units = benchmark.model
    about = (
        f"Milliseconds. Batch {batch}, {time} characters out of {vocabulary}, embedding {embedding}, LSTM of {units} "
        "units, dense layer, softmax cross-entropy, gradient clipped to norm 1, Adam."
    )
    section = benchmark.begin(Section("step", "A training step of a character model", about, times(MS, "ms", True)))
    workers = benchmark.start_workers(section, benchmark.contenders.recurrent(), benchmark.threads)
    benchmark.time(section, workers, "whole step", ["step", *benchmark.model], MODELS["characters"].goals)
    return section


def models(benchmark: Benchmark) -> Section:
    """Whole models: generation, training steps, the first call of a compiled layer."""
    section = benchmark.begin(Section("models", "Models", ABOUT, times(MS, "ms", with_targets=True)))
    contenders = benchmark.contenders.with_models()
    workers = benchmark.start_workers(section, contenders, benchmark.threads)
    for name, sizes in benchmark.models.items():
        model = MODELS[name]
        goals = model.goals if sizes == model.sizes else {}
        benchmark.time(section, workers, model.title, ["model", name, *sizes], goals)
    for contender in contenders:
        if contender.backend == "numba" and contender.name not in benchmark.missing and benchmark.first_calls:
            benchmark.add(section, first_call_rows(contender, benchmark.first_calls))
    return section


def operations(benchmark: Benchmark) -> Section:
    """Cost of a small operation on the tape."""
    about = "Microseconds, forward and backward, arrays of 4 × 4 but for the perceptron's, one thread."
    section = benchmark.begin(Section("ops", "Small operations", about, times(US, "µs", with_targets=True)))
    contenders = benchmark.contenders.with_a_tape()
    workers = benchmark.start_workers(section, contenders, 1)
    for name in MEASURES:
        benchmark.time(section, workers, name, ["operation", name], {})
    benchmark.add(section, [_mean(section.rows, contender) for contender in contenders if contender.backend])
    return section


def _mean(rows: Sequence[Row], contender: Contender) -> Row:
    """Return the row of a contender's means over the small operations."""
    own = [row for row in rows if row.contender == contender.name and row.measure in SMALL and row.value is not None]
    mean = Row("mean of the first six", contender.name, note="not measured")
    if own:
        mean.value, mean.versus = fmean([row.value for row in own if row.value is not None]), own[0].versus
    ratios = [row.ratio for row in own if row.ratio is not None]
    if ratios:
        mean.ratio = Ratio(*[fmean(column) for column in zip(*ratios, strict=True)])
        mean.target = OVERHEAD if contender.name in (NUMPY, NUMBA) and own[0].versus == TORCH else None
    return mean


def imports(benchmark: Benchmark) -> Section:
    """Cost of `import minigrad` compared with `import numpy`."""
    about = "Milliseconds, in a fresh process, without the start of the interpreter; the ratio is to `import numpy`."
    section = benchmark.begin(Section("import", "Import", about, times(MS, "ms", with_targets=True)))
    contenders = benchmark.contenders
    with cache_folder() as cache:
        entries = [
            Importer("import minigrad", "minigrad", cache=cache),
            Importer("import torch", "torch", contenders.torch_python),
            Importer("import tensorflow", "tensorflow", contenders.tf_python),
            Importer("import numpy", "numpy", cache=cache),
        ]
        found = compare(entries, None, benchmark.effort._replace(batch_seconds=0.0))
    rows = timed_rows("", [entry.name for entry in entries], found, {"import minigrad": IMPORT}, "import numpy")
    benchmark.add(section, rows)
    return section


def profile(benchmark: Benchmark) -> Section:
    """Shares of the time of each measured row: products, compiled loops, elementwise passes, copies, Python."""
    columns = [(heading, more(heading, MS)) for heading in SHARES]
    section = benchmark.begin(Section("profile", "Shares of the time", SHARES_ABOUT, [("ms", value_in(MS)), *columns]))
    seconds = 10 * benchmark.effort.batch_seconds  # for each row
    for measure, request, workers in benchmark.timed:
        for worker in workers:
            row = Row(measure, worker.name)
            try:
                answer = worker.ask(["profile", seconds, *request])
                row.value, row.more = answer["total"], {name: answer[name] for name in SHARES}
            except MeasureError as error:
                row.note = str(error)
            benchmark.add(section, [row])
    return section


def memory(benchmark: Benchmark) -> Section:
    """Peak memory of a forward and backward pass."""
    size = max(benchmark.sizes, key=lambda size: size[0] * size[1] * (size[2] + size[3]))
    about = (
        f"Growth of a process in MiB of main memory over some runs at {size}, with weights and inputs and without the "
        "import of its library; and the whole process at its peak."
    )
    columns = [("MiB", value_in(MIB)), *times(1.0, "", False)[1:2], ("whole process, MiB", more("peak", MIB))]
    section = benchmark.begin(Section("memory", "Peak memory, forward and backward", about, columns))
    found: dict[str, float] = {}
    rows = []
    for contender in benchmark.contenders.recurrent():
        row = Row(str(size), contender.name, note=benchmark.missing.get(contender.name, ""))
        rows.append(row)
        if row.note:
            continue
        with closing(
            Worker(contender, benchmark.threads)
        ) as worker:  # a new process, without memory from earlier requests
            try:
                worker.connect()
                worker.ask(["lstm", 1, 2, 2, 2])  # exclude memory that the first run leaves allocated
                answer = worker.ask(["memory", "lstm", *size])
            except MeasureError as error:
                row.note = str(error)
                continue
        row.value, row.more = answer["more"], {"peak": answer["peak"]}
        found[row.contender] = answer["more"]
    for row in rows:
        row.versus = reference(row.contender, found) if row.value is not None else None
        if row.versus is not None and row.value is not None and found[row.versus]:
            row.ratio = Ratio(*[row.value / found[row.versus]] * 3)
    benchmark.add(section, rows)
    return section


def growth(benchmark: Benchmark) -> Section:
    """Growth of time with the number of steps, the batch and the units."""
    about = (
        f"LSTM, forward and backward, from (batch, time, features, units) = {benchmark.base}, one number growing: the "
        "p of time ≈ c · nᵖ over all sizes, and between the last two."
    )
    columns = [("exponent", value_in(1.0)), ("last two", more("last")), ("ms at the last", more("seconds", MS))]
    section = benchmark.begin(Section("growth", "Growth", about, columns))
    workers = benchmark.start_workers(section, benchmark.contenders.recurrent(), benchmark.threads)
    for axis, place in AXES.items():
        sizes = [benchmark.base[place] * factor for factor in benchmark.growth]
        requests = [["lstm", *benchmark.base[:place], n, *benchmark.base[place + 1 :]] for n in sizes]
        comparisons = [compare(workers, request, benchmark.effort) for request in requests]
        benchmark.add(section, [_grown(worker.name, axis, sizes, comparisons) for worker in workers])
    return section


def _grown(name: str, axis: str, sizes: Sequence[int], comparisons: Sequence[Comparison]) -> Row:
    row = Row(f"{axis}, {sizes[0]} … {sizes[-1]}", name)
    for comparison in comparisons:
        if not comparison.seconds.get(name):
            row.note = comparison.failed.get(name, "not measured")
            return row
    seconds = [median(comparison.seconds[name]) for comparison in comparisons]
    row.value = exponent(sizes, seconds)
    row.more = {"last": exponent(sizes[-2:], seconds[-2:]), "seconds": seconds[-1]}
    return row


SECTIONS: dict[str, Callable[[Benchmark], Section]] = {
    "models": models,
    "lstm": lstm,
    "step": step,
    "ops": operations,
    "import": imports,
    "memory": memory,
    "growth": growth,
}
