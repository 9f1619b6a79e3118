"""Compiled trials in a pool of processes: the bits of the same trials alone, in any order."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

from minigrad.papers.hochreiter97.rows import ROWS
from minigrad.papers.results import Results, read_results
from minigrad.papers.running import Job, run
from minigrad.train.executors import InTurn, executor_of

ROW = next(row for row in ROWS if row.name == "6a")
JOBS = [Job(dataclasses.replace(ROW, test=20), number, 5, 300) for number in range(3)]


def test_a_pool_gives_the_same_bits_in_any_order(tmp_path: Path) -> None:
    alone, pooled = tmp_path / "alone.json", tmp_path / "pooled.json"
    run(JOBS, Results(alone, "hochreiter97"), InTurn(), io.StringIO())
    with executor_of(2) as executor:
        run(JOBS[::-1], Results(pooled, "hochreiter97"), executor, io.StringIO())
    one, other = (
        [{k: v for k, v in t.items() if k != "seconds"} for t in read_results(f)["trials"]] for f in (alone, pooled)
    )
    assert one == other
    assert [t["sequences"] for t in one] == [300, 300, 300]
