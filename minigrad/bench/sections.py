"""What is measured: the parts of the benchmark, each a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from minigrad.bench.contenders import OURS, Contender, Field, reference
from minigrad.bench.figures import Ratio, exponent
from minigrad.bench.harness import Compared, Effort, Measurable, MeasureError, Worker, compare
from minigrad.bench.imports import Importer, cache_folder
from minigrad.bench.report import Row, Section, more, timed_rows, times, value_in
from minigrad.bench.workers.operations import MEASURES

Size = tuple[int, int, int, int]
"""(batch, time, features, units)"""

MS, US, MIB = 1e-3, 1e-6, 2.0**20
NUMPY, NUMBA, CUPY = f"{OURS}numpy", f"{OURS}numba", f"{OURS}cupy"

# What the ratio to PyTorch is to be at most; for CuPy, to PyTorch on the same GPU.
SIZES: dict[Size, dict[str, float]] = {
    (1, 100, 8, 16): {NUMPY: 3.5, NUMBA: 0.25},
    (16, 50, 8, 32): {NUMPY: 1.6, NUMBA: 0.5},
    (32, 100, 64, 128): {NUMPY: 1.6, NUMBA: 0.9, CUPY: 1.5},
    (64, 256, 128, 256): {NUMPY: 1.1, NUMBA: 1.0, CUPY: 1.5},
    (128, 100, 512, 512): {NUMPY: 1.2, NUMBA: 1.0, CUPY: 1.1},
    (1, 10_000, 8, 16): {},
}
CHARACTER_MODEL = (32, 64, 96, 32, 128)  # batch, time, vocabulary, embedding, units
STEP_TARGETS = {NUMPY: 1.3, NUMBA: 0.7}
OVERHEAD, IMPORT = 1.5, 1.5

BASE: Size = (16, 100, 16, 64)  # from which one number at a time grows
AXES = {"time steps": 1, "batch": 0, "units": 3}  # and where it stands in a size


@dataclass
class Plan:
    """What to measure, and how long.

    Args:
        contenders: who takes part.
        effort: for each row of a table.
        threads: for each contender; operations are measured with one.
        sizes: for the LSTM; memory is measured at the largest of them.
        growth: by how much each number of `BASE` is multiplied to see what grows with it.
        base: smaller than `BASE` where only the benchmark itself is tried.
        model: the character model's sizes.
        on_section: is told of a section before its first row.
        on_row: is told of each row.

    Attributes:
        versions: by contender, of the libraries it stands on; known after `greet`.
        missing: by contender, why it cannot take part.
    """

    contenders: Field
    effort: Effort
    threads: int
    sizes: Sequence[Size] = tuple(SIZES)
    growth: Sequence[int] = (1, 2, 4, 8)
    base: Size = BASE
    model: tuple[int, ...] = CHARACTER_MODEL
    on_section: Callable[[Section], None] = lambda section: None
    on_row: Callable[[Section, Row], None] = lambda section, row: None
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    _workers: dict[tuple[Contender, int], Worker] = field(default_factory=dict)

    def greet(self) -> None:
        """Start everybody, to learn who is there."""
        workers = self._at_hand(self.contenders.everybody(), self.threads)
        self.missing = {worker.name: worker.missing for worker in workers if worker.missing}
        self.versions = {worker.name: worker.versions for worker in workers if not worker.missing}

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def begin(self, section: Section) -> Section:
        """Tell of a section."""
        self.on_section(section)
        return section

    def add(self, section: Section, rows: Iterable[Row]) -> None:
        """Enter rows and tells of them."""
        for row in rows:
            section.rows.append(row)
            self.on_row(section, row)

    def started(self, section: Section, contenders: Sequence[Contender], threads: int) -> list[Worker]:
        """The processes of those who are there; who is missing gets a row that says so."""
        self.add(section, [Row("", c.name, note=self.missing[c.name]) for c in contenders if c.name in self.missing])
        workers = self._at_hand([c for c in contenders if c.name not in self.missing], threads)
        self.add(section, [Row("", worker.name, note=worker.missing) for worker in workers if worker.missing])
        return [worker for worker in workers if not worker.missing]

    def _at_hand(self, contenders: Sequence[Contender], threads: int) -> list[Worker]:
        """Processes that live on from part to part, made where there is none, or none any more."""
        keys = [(contender, threads) for contender in contenders]
        new = [key for key in keys if key not in self._workers or self._workers[key].ended()]
        for key in new:  # all start before the first is waited for: they import side by side
            if key in self._workers:
                self._workers[key].close()
            self._workers[key] = Worker(*key)
        for key in new:
            self._workers[key].greet()
        return [self._workers[key] for key in keys]

    def time(self, section: Section, workers: Sequence[Measurable], what: str, request: Any, targets: Any) -> Compared:
        """Measure workers in turn and enters a row for each."""
        found = compare(workers, request, self.effort)
        rows = timed_rows(what, [worker.name for worker in workers], found, targets)
        for row, worker in zip(rows, workers, strict=True):
            row.note = row.note or getattr(worker, "path", "")
        self.add(section, rows)
        return found


def lstm(plan: Plan) -> Section:
    """Forward and backward of a layer, all gradients, from a cotangent on the whole output."""
    about = "Milliseconds; (batch, time, features, units), float32."
    section = plan.begin(Section("lstm", "LSTM, forward and backward", about, times(MS, "ms", with_targets=True)))
    workers = plan.started(section, plan.contenders.recurrent(), plan.threads)
    for size in plan.sizes:
        plan.time(section, workers, str(size), ["lstm", *size], SIZES.get(size, {}))
    return section


def step(plan: Plan) -> Section:
    """One training step of a character model."""
    batch, time, vocabulary, embedding, units = plan.model
    about = (
        f"Milliseconds. Batch {batch}, {time} characters out of {vocabulary}, embedding {embedding}, LSTM of {units} "
        "units, dense layer, softmax cross-entropy, gradient clipped to norm 1, Adam."
    )
    section = plan.begin(Section("step", "A training step of a character model", about, times(MS, "ms", True)))
    workers = plan.started(section, plan.contenders.recurrent(), plan.threads)
    plan.time(section, workers, "whole step", ["step", *plan.model], STEP_TARGETS)
    return section


def operations(plan: Plan) -> Section:
    """What a small operation costs on the tape."""
    about = "Microseconds, forward and backward, arrays of 4 × 4 but for the perceptron's, one thread."
    section = plan.begin(Section("ops", "Small operations", about, times(US, "µs", with_targets=True)))
    contenders = plan.contenders.with_a_tape()
    targets = {contender.name: OVERHEAD for contender in contenders if contender.backend in ("numpy", "numba")}
    workers = plan.started(section, contenders, 1)
    for name in MEASURES:
        plan.time(section, workers, name, ["operation", name], targets)
    return section


def imports(plan: Plan) -> Section:
    """What `import minigrad` costs beside `import numpy`."""
    about = "Milliseconds, in a fresh process, without the start of the interpreter; the ratio is to `import numpy`."
    section = plan.begin(Section("import", "Import", about, times(MS, "ms", with_targets=True)))
    contenders = plan.contenders
    with cache_folder() as cache:
        entries = [
            Importer("import minigrad", "minigrad", cache=cache),
            Importer("import torch", "torch", contenders.torch_python),
            Importer("import tensorflow", "tensorflow", contenders.tf_python),
            Importer("import numpy", "numpy", cache=cache),
        ]
        found = compare(entries, None, plan.effort._replace(batch_seconds=0.0))
    rows = timed_rows("", [entry.name for entry in entries], found, {"import minigrad": IMPORT}, "import numpy")
    plan.add(section, rows)
    return section


def memory(plan: Plan) -> Section:
    """Peak memory of a forward and backward pass."""
    size = max(plan.sizes, key=lambda size: size[0] * size[1] * (size[2] + size[3]))
    about = (
        f"MiB of main memory by which a process that has imported its library grows over some runs at {size}, weights "
        "and inputs included; and the whole process at its peak."
    )
    columns = [("MiB", value_in(MIB)), *times(1.0, "", False)[1:2], ("whole process, MiB", more("peak", MIB))]
    section = plan.begin(Section("memory", "Peak memory, forward and backward", about, columns))
    found: dict[str, float] = {}
    rows = []
    for contender in plan.contenders.recurrent():
        row = Row(str(size), contender.name, note=plan.missing.get(contender.name, ""))
        rows.append(row)
        if row.note:
            continue
        with closing(Worker(contender, plan.threads)) as worker:  # a new one: nothing it did before is in the way
            try:
                worker.greet()
                worker.ask(["lstm", 1, 2, 2, 2])  # what the first run of all leaves behind is not counted
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
    plan.add(section, rows)
    return section


def growth(plan: Plan) -> Section:
    """How time grows with the number of steps, the batch and the units."""
    about = (
        f"LSTM, forward and backward, from (batch, time, features, units) = {plan.base}, one number growing: the p of "
        "time ≈ c · nᵖ over all sizes, and between the last two."
    )
    columns = [("exponent", value_in(1.0)), ("last two", more("last")), ("ms at the last", more("seconds", MS))]
    section = plan.begin(Section("growth", "Growth", about, columns))
    workers = plan.started(section, plan.contenders.recurrent(), plan.threads)
    for axis, place in AXES.items():
        sizes = [plan.base[place] * factor for factor in plan.growth]
        requests = [["lstm", *plan.base[:place], n, *plan.base[place + 1 :]] for n in sizes]
        founds = [compare(workers, request, plan.effort) for request in requests]
        plan.add(section, [_grown(worker.name, axis, sizes, founds) for worker in workers])
    return section


def _grown(name: str, axis: str, sizes: Sequence[int], founds: Sequence[Compared]) -> Row:
    row = Row(f"{axis}, {sizes[0]} … {sizes[-1]}", name)
    for found in founds:
        if not found.seconds.get(name):
            row.note = found.failed.get(name, "not measured")
            return row
    seconds = [median(found.seconds[name]) for found in founds]
    row.value = exponent(sizes, seconds)
    row.more = {"last": exponent(sizes[-2:], seconds[-2:]), "seconds": seconds[-1]}
    return row


SECTIONS: dict[str, Callable[[Plan], Section]] = {
    "lstm": lstm,
    "step": step,
    "ops": operations,
    "import": imports,
    "memory": memory,
    "growth": growth,
}
