"""Figures and numbers of the laboratory's pages, from the stored results alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from docs.tables.markdown import table
from minigrad.papers import figures, record_figures, report, sak14
from minigrad.papers.gers00 import report as report_2000
from minigrad.papers.gers00.command import ABOUT as ABOUT_2000
from minigrad.papers.hochreiter97.rows import ROWS
from minigrad.papers.recording import read_diagnosis, read_records
from minigrad.papers.report import Line
from minigrad.papers.results import read_results
from minigrad.plot.alt import alt_text
from minigrad.plot.drawing import svg

DOCS = Path(__file__).resolve().parents[1]
STORED, ASSETS = DOCS / "papers", DOCS / "assets"
NONE = "There are no results yet. `python -m minigrad papers {}` makes them."
RECORD = "hochreiter97 --record FILE"


def newest(pattern: str) -> Path | None:
    """Return the last stored file of a name with a date, or None."""
    return max(STORED.glob(pattern), default=None)


def lines() -> list[Line]:
    """Return the lines of the literal readings, of the newest results of 1997."""
    file = newest("hochreiter97-*.json")
    return list(report.lines(ROWS, read_results(file)["trials"])) if file else []


def records() -> list[dict[str, Any]]:
    """Return the recorded nets."""
    file = newest("recorded-*.json")
    return read_records(file) if file else []


def drawn() -> dict[str, Any]:
    """Return all figures by their names: axes, or a figure of several."""
    found, made = lines(), dict[str, Any]()
    if found:
        made["comparison"] = figures.comparison(found)
    for number in dict.fromkeys(line.row.table for line in found):
        made[f"survival-{number}"] = figures.survival_curves([line for line in found if line.row.table == number])
    recorded = records()
    if recorded:
        made |= {"curves": record_figures.learning_curves(recorded), "growth": record_figures.state_growth(recorded)}
        made |= {f"trace-{one['table']}": record_figures.gate_trace(one) for one in recorded}
    return made


def path(name: str) -> Path:
    """Return the file of a figure."""
    return ASSETS / f"papers-{name}.svg"


def image(name: str, figure: Any) -> str:
    """Return a figure of a page in docs/papers."""
    return f"![{alt_text(figure)}](../assets/{path(name).name})\n"


def renew() -> Iterator[Path]:
    """Write the figures whose words changed again, remove those without results, and yield the files."""
    made = drawn()
    for old in ASSETS.glob("papers-*.svg"):
        if old not in map(path, made):
            old.unlink()
            yield old
    for name, figure in made.items():
        drawing = svg(figure, name)
        if not path(name).exists() or path(name).read_text("utf-8") != drawing.svg:
            drawing.save(path(name))
            yield path(name)


def summary() -> str:
    """Return how many rows got which verdict, and the run's time and machine."""
    found, file = lines(), newest("hochreiter97-*.json")
    if not found or not file:
        return NONE.format("hochreiter97")
    verdicts = Counter(str(line.verdict) or "–" for line in found)
    counts = ", ".join(f"**{name}** {verdicts[name]}" for name in ("match", "order", "no", "undecided"))
    missing = len([m for row in ROWS for m in row.milestones]) - len(found)
    rest = f" {missing} lines of the tables were not run." if missing else ""
    return f"Of {len(found)} lines in their literal readings: {counts}.{rest} {report.about(read_results(file))}\n"


def of_survival() -> str:
    """Return the survival curves, table by table, after the comparison."""
    made = [(name, figure) for name, figure in drawn().items() if name == "comparison" or name.startswith("survival")]
    return "\n".join(image(name, figure) for name, figure in made) if made else NONE.format("hochreiter97")


def of_recorded() -> str:
    """Return the figures of the recorded nets."""
    made = [(name, figure) for name, figure in drawn().items() if name[:5] in ("curve", "growt", "trace")]
    return "\n".join(image(name, figure) for name, figure in made) if made else NONE.format(RECORD)


# --- measurements over several seeds --------------------------------------------------------------


def measured(name: str) -> list[dict[str, Any]]:
    """Return a measurement of all seeds; empty if it is not stored."""
    file = newest("recorded-*.json")
    return read_diagnosis(file).get(name, []) if file else []


def of_adding() -> str:
    """Return the errors of the adding problem, by target."""
    seeds = measured("adding")
    if not seeds:
        return NONE.format(RECORD)
    bins = len(seeds[0]["mean"])
    rows = [
        [f"{k / bins:.1f} to {(k + 1) / bins:.1f}", _median_range(seeds, "mean", k, "{:.4f}"),
         _median_range(seeds, "wrong", k, "{:.1%}")]
        for k in range(bins)
    ]  # fmt: skip
    head = ["target", "mean error: median of the seeds [least, most]", "part above 0.04, likewise"]
    return f"{len(seeds)} seeds.\n\n{table(head, rows)}"


def _median_range(seeds: Sequence[Mapping[str, Any]], name: str, k: int, form: str) -> str:
    values = [one[name][k] for one in seeds if one[name][k] is not None]
    if not values:
        return "no such target"
    return f"{form.format(np.median(values))} [{form.format(min(values))}, {form.format(max(values))}]"


def of_grammar() -> str:
    """Return which predictions of the embedded Reber nets fail."""
    seeds = measured("grammar")
    if not seeds:
        return NONE.format(RECORD)
    rows = [
        [str(one["seed"]), f"{one['inside']:.1%}", f"{one['to remember']:.1%}", f"{one['largest state']:.1f}",
         f"{one['cells at the edge']:.0%}"]
        for one in seeds
    ]  # fmt: skip
    head = ["seed", "wrong inside", "wrong at the symbol to remember", "largest state there", "cells at the edge there"]
    return table(head, rows)


def of_streams() -> str:
    """Return the growth of states on an endless stream, without forget gates and with them."""
    seeds = measured("stream")
    if not seeds:
        return NONE.format(RECORD)
    rows = [
        [("no", "yes")[one["forget gates"]], str(one["seed"]), *(f"{s:.1f}" for s in one["largest state"]),
         f"{one['cells at the edge'][-1]:.0%}", f"{one['right symbols']:,}"]
        for one in sorted(seeds, key=lambda one: (one["forget gates"], one["seed"]))
    ]  # fmt: skip
    head = ["forget gates", "seed", "largest state after 10 symbols", "after 100", "after 1,000",
            "cells at the edge then", "right symbols from the start"]  # fmt: skip
    return f"{table(head, rows)}\n{growth(seeds)}\n"


def growth(seeds: Sequence[Mapping[str, Any]]) -> str:
    """Return the message of the measurement in a sentence."""
    without, with_gates = (
        [one["largest state"][-1] / one["largest state"][1] for one in seeds if one["forget gates"] is has]
        for has in (False, True)
    )
    larger = sum(ratio > 2 for ratio in without), sum(ratio > 2 for ratio in with_gates)
    return (
        f"From 100 to 1,000 symbols the largest state becomes more than twice as large in {larger[0]} of "
        f"{len(without)} nets without forget gates, by a factor of {np.median(without):.1f} in the median. With them "
        f"it does in {larger[1]} of {len(with_gates)}, by {np.median(with_gates):.1f}."
    )


# --- other papers ---------------------------------------------------------------------------------


def of_gers00() -> str:
    """Return Table 2 of Gers et al., published and ours."""
    file = newest("gers00-*.json")
    if not file:
        return NONE.format("gers00")
    values = read_results(file)
    rows = [list(line) for line in report_2000.table(values["trials"])]
    return f"{report.about(values)} {ABOUT_2000}\n\n{table(list(report_2000.HEAD), rows)}"


def of_sak14() -> str:
    """Return the numbers of weights of Sak et al., printed and counted."""
    return table(list(sak14.HEAD), [list(sak14.cells(row)) for row in sak14.ROWS])


BLOCKS = {
    "papers-summary": summary,
    "papers-figures": of_survival,
    "papers-recorded": of_recorded,
    "papers-adding": of_adding,
    "papers-grammar": of_grammar,
    "papers-streams": of_streams,
    "papers-gers00": of_gers00,
    "papers-sak14": of_sak14,
}
