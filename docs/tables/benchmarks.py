"""Tables of the page on benchmarks, from the files that `python -m minigrad bench --json` wrote, part by part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from minigrad.bench.sections import SECTIONS

MEASURED = Path(__file__).resolve().parents[1] / "benchmarks"


def tables() -> str:
    """Return the machine, the versions and the tables; rows of one table may come from several files."""
    runs = [json.loads(file.read_text("utf-8")) for file in sorted(MEASURED.glob("*.json"))]
    parts = [_header(runs)]
    for name in SECTIONS:
        sections = [section for run in runs for section in run["sections"] if section["name"] == name]
        heads = {section["head"] for section in sections}
        if len(heads) > 1:
            raise ValueError(f"{MEASURED}: the tables {name!r} of several files differ in their headings: {heads}")
        parts += [*heads, *(row["line"] for section in sections for row in section["rows"])]
    return "\n".join(parts) + "\n"


def _header(runs: list[dict[str, Any]]) -> str:
    dates = sorted(run["date"] for run in runs)
    versions = _the_one(runs, "versions")
    where = f"{_the_one(runs, 'machine')}; {_the_one(runs, 'threads')} threads"
    there = [f"- {name}: {', '.join(f'{k} {v}' for k, v in found.items())}" for name, found in versions.items()]
    return "\n".join([f"Measured from {dates[0]} to {dates[-1]}: {where}.\n", *there])


def _the_one(runs: list[dict[str, Any]], name: str) -> Any:
    """Return the value that all runs have in common."""
    first, *others = [run[name] for run in runs]
    if any(other != first for other in others):
        raise ValueError(f"{MEASURED}: the files were measured with different {name}; measure all of them again.")
    return first
