"""The table and the picture of a sweep, from the records of its trials."""

from __future__ import annotations

import csv
import importlib.util
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.files import write_atomically
from minigrad.plot.spread import spread
from minigrad.train.task import Task

Records = Sequence[Mapping[str, Any]]


def groups(records: Records, grid: Mapping[str, Sequence[Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the records of each combination of options, all seeds together, by its words: ``"units 16"``."""
    varied = [name for name, values in grid.items() if name != "seed" and len(values) > 1]
    found: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        words = ", ".join(f"{name.replace('_', ' ')} {record[name]}" for name in varied) or "all trials"
        found.setdefault(words, []).append(record)
    return found


def table(records: Records, grid: Mapping[str, Sequence[Any]], task: type[Task]) -> str:
    """Return a table: for each combination the trials, the median and the quartiles of the metric, the baseline."""
    head = ["", "trials", "median", "quartiles", "range", "better than the baseline"]
    lines = [head]
    for words, own in groups(records, grid).items():
        values = finite(own)
        beaten = sum(bool(r.get("beats_baseline")) for r in own)
        numbers = ["–"] * 3
        if values:
            q1, median, q3 = np.percentile(values, [25, 50, 75])
            numbers = [f"{median:.4g}", f"{q1:.4g} … {q3:.4g}", f"{min(values):.4g} … {max(values):.4g}"]
        lines.append([words, str(len(own)), *numbers, f"{beaten} of {len(own)}"])
    widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
    text = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]
    failed = [r for r in records if "error" in r]
    notes = [f"{len(failed)} trials failed. The first: {failed[0]['error']}"] if failed else []
    return "\n".join([f"{task.metric.replace('_', ' ')}:", *text, *notes])


def finite(records: Records) -> list[float]:
    """Return the values of the trials that have one."""
    values = [r.get("value") for r in records]
    return [float(v) for v in values if v is not None and math.isfinite(v)]


def write(folder: Path, records: Records, grid: Mapping[str, Sequence[Any]], task: type[Task]) -> list[Path]:
    """Write ``sweep.csv`` and ``sweep.png``, and return the files that were written."""
    names = [*grid, "value", "baseline", "beats_baseline", "error"]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    files = [folder / "sweep.csv"]
    write_atomically(files[0], lambda file: file.write(text.getvalue().encode()))
    found = {words: finite(own) for words, own in groups(records, grid).items()}
    if any(found.values()) and importlib.util.find_spec("matplotlib") is not None:
        baseline = next((r["baseline"] for r in records if r.get("baseline") is not None), None)
        ax = spread(found, task.metric.replace("_", " "), None if baseline is None else ("baseline", baseline))
        files.append(folder / "sweep.png")
        write_atomically(files[1], lambda file: ax.figure.savefig(file, format="png", dpi=150))
    return files
