"""A recorded run: one net of each task, with its learning curve, the growth of its state, and the gates of a sequence.

The trials keep numbers of sequences alone, as they are many. A recorded run keeps what figures need. Its nets are in
the literal reading. They learn until the stop of the first milestone or its cap; if a test is the stop, until the cap.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.files import write_atomically
from minigrad.papers.batch import Batch
from minigrad.papers.hochreiter97.rows import ROWS
from minigrad.papers.kernel.build import Trainer
from minigrad.papers.net import Array
from minigrad.papers.row import Row, Window
from minigrad.papers.rtrl import RTRL
from minigrad.papers.tasks import order, reber
from minigrad.train.errors import RunError
from minigrad.train.json_files import read_json

FORMAT = 1
RECORDED = {
    (1, "3 blocks of 2, rate 0.5"): "Reber grammar",
    (3, "q = 50, p = 50"): "long time lags",
    (4, "T = 100, N = 3"): "two sequences",
    (7, "T = 100"): "adding",
    (8, "T = 100"): "multiplication",
    (9, "6a"): "temporal order",
}
"""Table and name of a recorded row → its task. The net of Table 2 has no output gates, and is left out."""
POINTS = 60  # of a learning curve, and of the growth of the state
PROBES = 8  # sequences whose states are looked at
DIGITS = 4


def recorded_rows() -> list[Row]:
    """Return the rows that a recorded run has."""
    return [row for row in ROWS if (row.table, row.name) in RECORDED]


def record(row: Row, seed: int, sequences: int | None = None, compiles: bool | None = None) -> dict[str, Any]:
    """Train one net, and return what figures need as plain values.

    Args:
        row: the row; its net has output gates and the truncated gradient.
        seed: the seed.
        sequences: the number of sequences; by default the cap of the first milestone.
        compiles: whether to use Numba; by default where it is installed.
    """
    first = row.milestones[0]
    random = [np.random.default_rng([seed, row.table, stream]) for stream in range(4)]
    task, total = row.task.prepared(random[0]), sequences or first.cap
    trainer = Trainer(row.net, *row.start.draw(row.net, random[1]), row.rate, compiles=compiles)
    trainer.watch(first.stop if isinstance(first.stop, Window) else None)
    probes, part = task.test(random[3], PROBES), max(1, total // POINTS)
    seen, curve, growth = 0, list[tuple[int, float]](), [(0, *_largest(row, trainer, probes))]
    while seen < total:
        learnt, errors = trainer.learn(task.train(random[2], min(part, total - seen)))
        seen += abs(learnt)
        curve.append((seen, float(errors[: abs(learnt)].mean())))
        growth.append((seen, *_largest(row, trainer, probes)))
        if learnt < 0 or trainer.stopped:
            break
    head = {"table": row.table, "row": row.name, "task": RECORDED.get((row.table, row.name), row.name), "seed": seed}
    made = {"curve": curve, "growth": growth, "trace": trace(row, trainer.W, trainer.V, probes)}
    return {**head, "published": first.published, "sequences": seen, **rounded(made)}


def _largest(row: Row, trainer: Trainer, probes: Batch) -> tuple[float, float]:
    """Return the mean and the maximum, over sequences, of the largest |s| of a cell at their end."""
    ends = []
    for k in range(min(PROBES, len(probes))):
        run = RTRL(row.net, trainer.W, trainer.V)
        for x in probes.sequence(k, row.net.inputs, row.net.outputs)[0]:
            run.step(x)
        ends.append(np.abs(run.s).max())
    return float(np.mean(ends)), float(np.max(ends))


def trace(row: Row, W: Array, V: Array, batch: Batch) -> dict[str, Any]:
    """Return gates, states and outputs of a batch's first sequence, each (time, units), with the words of its steps."""
    net, run = row.net, RTRL(row.net, W, V)
    x, targets, counted = batch.sequence(0, net.inputs, net.outputs)
    steps: dict[str, list[Any]] = {name: [] for name in ("y_in", "y_out", "s", "outputs")}
    for x_t in x:
        steps["outputs"].append(run.step(x_t))
        for name, values in (("y_in", run.y_in[:: net.size]), ("y_out", run.y_out[:: net.size]), ("s", run.s)):
            steps[name].append(values.copy())
    given = {name: np.array(values) for name, values in steps.items()}
    return {"tokens": tokens(row, batch), **given, "targets": targets, "counted": counted}


def tokens(row: Row, batch: Batch) -> list[str]:
    """Return a word for each step of a batch's first sequence: its symbol, or "+" for a marked number."""
    steps = int(batch.lengths[0])
    if batch.x.ndim == 3:
        marked = batch.x[0, :steps, 1] == 1.0 if batch.x.shape[2] == 2 else np.zeros(steps, bool)
        return ["+" if m else "" for m in marked]
    p = row.net.inputs - 4  # of Table 3: distractors, b, e, x, y
    names: dict[int, Sequence[str]] = {1: reber.SYMBOLS, 9: order.SYMBOLS, 3: [*([""] * p), *"bexy"]}
    return [names[row.table][int(symbol)] for symbol in batch.x[0, :steps]]


def rounded(value: Any) -> Any:
    """Return a value with arrays as lists, and four digits for each number."""
    if isinstance(value, dict):
        return {name: rounded(v) for name, v in value.items()}
    if isinstance(value, np.ndarray):
        return rounded(value.tolist())
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def write_records(
    file: Path, records: Sequence[dict[str, Any]], diagnosis: Mapping[str, Sequence[dict[str, Any]]] | None = None
) -> None:
    """Write recorded nets atomically, one a line, and measurements by name, one seed a line."""
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in records)
    parts = [f'{{"format": {FORMAT}, "records": [\n{lines}\n]']
    for name, seeds in (diagnosis or {}).items():
        parts.append(f', "{name}": [\n' + ",\n".join(json.dumps(one, ensure_ascii=False) for one in seeds) + "\n]")
    text = "\n".join([*parts, "}"]) + "\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, lambda out: out.write(text.encode()))


def read_records(file: Path) -> list[dict[str, Any]]:
    """Return the nets of a recorded run.

    Raises:
        RunError: the file is none.
    """
    return list(_read(file)["records"])


def read_diagnosis(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the measurements of a recorded run, by name; each has a record for each seed.

    Raises:
        RunError: the file is none.
    """
    return {name: seeds for name, seeds in _read(file).items() if name not in ("format", "records")}


def _read(file: Path) -> dict[str, Any]:
    values = read_json(file)
    if values.get("format") != FORMAT or not isinstance(values.get("records"), list):
        raise RunError(f"{file}: expected a recorded run, as --record FILE writes, got another file.")
    return dict(values)
