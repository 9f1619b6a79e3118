"""Shares of the time of a run: products, compiled loops, elementwise passes, copies, and Python for the rest.

Three things are measured in turn, many times: the run as it is; the run with its calls recorded, for the time of each
kind of call; and the products of the run alone, one after the other, on the arrays that they had. The last is the
floor: the time of a run in which everything but the products is free. The least time of each counts, since other
processes only add to it. Python is the rest of the run. A recorded call takes up to 0.1 µs longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from minigrad.bench.workers.recording import KINDS, Record, recording

Run = Callable[[], Any]
ROUNDS = 200


def profile(
    build: Callable[[], Run], seconds: float, build_formula: Callable[[], Run] | None = None
) -> dict[str, float]:
    """Return the seconds of a run as it is, ``"total"``, of each kind of call, of ``"python"``, and the ``"floor"``.

    Args:
        build: makes the function to run, with its own arrays.
        seconds: the time for the measurements; there are at least three, and at most ROUNDS.
        build_formula: makes a function that computes the same by NumPy's products, which the floor consists of; `build`
            by default. A compiled loop has products that are not calls.
    """
    products = _products(build if build_formula is None else build_formula)
    run, recorded = build(), _warmed_up(build)
    run()
    found: list[dict[str, float]] = []
    start = time.perf_counter()
    while len(found) < 3 or (len(found) < ROUNDS and time.perf_counter() - start < seconds):
        total = _seconds(run)
        with recording() as record:
            recorded()
        shares = {kind: record.seconds(kind) for kind in KINDS}
        found.append({"total": total, **shares, "calls": record.seconds(*KINDS), "floor": _seconds(products)})
    least = {name: min(each[name] for each in found) for name in found[0]}
    calls = least.pop("calls")
    return {**least, "python": least["total"] - calls}


def _seconds(run: Run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _warmed_up(build: Callable[[], Run]) -> Run:
    """Return a run whose arrays are recorded; the first call builds the weights, the second fills the caches."""
    with recording():
        run = build()
        run()
        run()
    return run


def _products(build: Callable[[], Run]) -> Run:
    """Return a function that computes the products of a run, and nothing else."""
    run = _warmed_up(build)
    record: Record
    with recording(keep=True) as record:
        run()
    calls = record.products

    def again() -> None:
        for function, args, kwargs in calls:
            function(*args, **kwargs)

    again()
    return again
