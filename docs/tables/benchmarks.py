"""Tables of the page on benchmarks, from the files that `python -m minigrad bench --json` wrote, part by part."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from docs.tables import charts
from minigrad.bench.sections import SECTIONS

MEASURED = Path(__file__).resolve().parents[1] / "benchmarks"
NAMES = (*SECTIONS, "profile")


def runs() -> list[dict[str, Any]]:
    """Return the content of the files."""
    return [json.loads(file.read_text("utf-8")) for file in sorted(MEASURED.glob("*.json"))]


def rows(measured: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each table, which may come from several files."""
    sections = [section for run in measured for section in run["sections"]]
    return {name: [row for part in sections if part["name"] == name for row in part["rows"]] for name in NAMES}


def tables() -> str:
    """Return the machine, the versions, the targets, and the tables with their charts."""
    measured = runs()
    found = rows(measured)
    parts = [_header(measured), *_targets(found)]
    for name in NAMES:
        heads = {part["head"] for run in measured for part in run["sections"] if part["name"] == name}
        if len(heads) > 1:
            raise ValueError(f"{MEASURED}: the tables {name!r} of several files differ in their headings: {heads}")
        parts += [*heads, *(row["line"] for row in found[name])]
        if name in charts.TITLES and charts.charted(found[name]):
            parts.append(f"\n![{charts.alt(name, found[name])}](assets/{charts.path(name).name})")
    return "\n".join(parts) + "\n"


def _header(measured: Sequence[Mapping[str, Any]]) -> str:
    dates = sorted(run["date"] for run in measured)
    versions: dict[str, Any] = {}
    for run in measured:
        for name, found in run["versions"].items():
            if versions.setdefault(name, found) != found:
                raise _different("versions")
    where = f"{_the_one(measured, 'machine')}; {_the_one(measured, 'threads')} threads"
    there = [f"- {name}: {', '.join(f'{k} {v}' for k, v in found.items())}" for name, found in versions.items()]
    return "\n".join([f"Measured from {dates[0]} to {dates[-1]}: {where}.\n", *there])


def _the_one(measured: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Return the value that all runs have in common."""
    first, *others = [run[name] for run in measured]
    if any(other != first for other in others):
        raise _different(name)
    return first


def _different(what: str) -> ValueError:
    return ValueError(f"{MEASURED}: the files were measured with different {what}; measure all of them again.")


def _targets(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return a sentence on the targets, and a list of those that are missed, each with its shares of the time."""
    with_target = [row for name in SECTIONS for row in found[name] if row["target"] or row.get("limit")]
    missed = [row for row in with_target if charts.missed(row)]
    if not with_target:
        return []
    shares = {(row["measure"], row["contender"]): _shares(row) for row in found["profile"]}
    lines = [
        f"- {row['measure'] or row['contender']}, {row['contender']}: {_against(row)}"
        f"{shares.get((row['measure'], row['contender']), '')}"
        for row in missed
    ]
    return [
        f"\nOf {len(with_target)} targets, {len(with_target) - len(missed)} are met{'. Missed:' if missed else '.'}\n",
        *lines,
    ]


def _against(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return str(row["note"])
    if row.get("limit"):
        return f"{row['value']:.1f} s, target {row['limit']:g} s"
    return f"{row['ratio']['median']:.2f}, target {row['target']:g}"


def _shares(row: Mapping[str, Any]) -> str:
    """Return how many times the floor, the matrix products alone, a row takes, and the shares of its time."""
    total, parts = row["value"], dict(row["more"])
    floor = parts.pop("floor", None)
    if not (total and floor):
        return ""
    shares = [f"{name.capitalize()} {part / total:.0%}" for name, part in parts.items() if part > 0.005 * total]
    return f". {total / floor:.1f} times its products alone: {', '.join(shares)}"
