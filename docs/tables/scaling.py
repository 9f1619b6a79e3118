"""The table of several processes, and a model of a training step fitted to it, from docs/scaling/mpi.json."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from docs.tables.markdown import table
from minigrad.bench.processes import BATCH, ONE, TWO

MEASURED = Path(__file__).resolve().parents[1] / "scaling" / "mpi.json"
STEP = "a step of the character model"
NETWORKS = {"10 Gbit/s Ethernet": (30e-6, 1.1e9), "100 Gbit/s InfiniBand": (2e-6, 11e9)}
"""Name → seconds of latency and bytes per second: figures that are typical of such networks, not measured."""
MACHINES = (2, 16, 256)
ASSUMED = """On paper, by an assumption: machines like this one, one process each, on networks with figures that are
typical of them. The speed is that of n processes over that of one: with one batch of 128 rows, and with 128 rows for
each process.
"""
BYTES = 4  # of a float32 number


def tables() -> str:
    """Return the measured table, the model with its numbers, and what it predicts."""
    if not MEASURED.exists():
        return "Not measured yet.\n"
    run = json.loads(MEASURED.read_text("utf-8"))
    (section,) = run["sections"]
    head = f"Measured on {run['date']}: {run['machine']}. {section['about']}\n"
    lines = [section["head"], *(row["line"] for row in section["rows"])]
    return "\n".join([head, *lines, "", model_of(section["rows"])]) + "\n"


def model_of(rows: list[Mapping[str, Any]]) -> str:
    """Return the model of a step, fitted to the rows, and its predictions."""
    step = {row["contender"]: row["value"] for row in rows if row["measure"] == STEP}
    weights = next(int(row["more"]["numbers"]) for row in rows if row["measure"] == STEP)
    latency, bandwidth = link(rows)
    travel = travel_of(2, latency, bandwidth, weights)
    c = 2 * (step[ONE] - step[TWO] + travel) / BATCH  # t₁ = f + c B,  t₂ = f + c B / 2 + travel
    f = step[ONE] - c * BATCH
    fitted = (
        f"with, fitted to these rows, f = {1e3 * f:.1f} ms that do not shrink (the update, Python), c = "
        f"{1e6 * c:.0f} µs a row, m = {BYTES * weights / 1e6:.2f} MB of gradients of {weights:,} weights, and between "
        f"two processes of this machine α = {1e6 * latency:.1f} µs and β = {bandwidth / 1e9:.1f} GB/s.\n"
    )
    formula = "$$t(n) = f + c\\,\\frac{B}{n} + 2\\,\\alpha \\log_2 n + 2\\,\\frac{n - 1}{n}\\,\\frac{m}{\\beta},$$\n"
    parts = ["A step of a batch of B rows on n processes takes\n", formula, fitted, ASSUMED]
    body = []
    for name, (alpha, beta) in NETWORKS.items():
        for n in MACHINES:
            far = travel_of(n, alpha, beta, weights)
            same = step[ONE] / (f + c * BATCH / n + far)
            more = n * step[ONE] / (step[ONE] + far)
            body.append([name, str(n), f"{1e3 * far:.2f} ms", f"{same:.1f}", f"{more:.1f}"])
    return "\n".join(parts) + "\n" + table(["network", "n", "all-reduce", "same batch", "128 rows each"], body)


def travel_of(n: int, latency: float, bandwidth: float, weights: int) -> float:
    """Return the seconds of an all-reduce of all gradients."""
    return 2 * latency * math.log2(n) + 2 * (n - 1) / n * BYTES * weights / bandwidth


def link(rows: list[Mapping[str, Any]]) -> tuple[float, float]:
    """Return latency and bandwidth between two processes, by least squares of relative errors."""
    found = [
        (int(row["measure"].split()[2].replace(",", "")), row["value"] * 1e-3)  # µs, as a table of ms shows them
        for row in rows
        if row["measure"].startswith("all-reduce") and row["contender"] == TWO and row["value"] is not None
    ]
    numbers, seconds = np.array(found).T
    columns = np.stack([2 * np.ones_like(numbers), BYTES * numbers], axis=1) / seconds[:, None]
    (latency, per_byte), *_ = np.linalg.lstsq(columns, np.ones_like(seconds), rcond=None)
    return float(latency), float(1 / per_byte)
