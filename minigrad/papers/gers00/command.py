"""``python -m minigrad papers gers00``: train nets of Table 2, and print published results and ours."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minigrad.engine.errors import unknown_name
from minigrad.papers.gers00 import report
from minigrad.papers.gers00.rows import GOOD, NETS, ROWS, SYMBOLS
from minigrad.papers.gers00.trial import Job2000
from minigrad.papers.kernel.build import has_numba
from minigrad.papers.machinery import code_hash
from minigrad.papers.results import Results, read_results
from minigrad.papers.running import run
from minigrad.papers.text_tables import text_table
from minigrad.train.command_line import Parser, output_file
from minigrad.train.errors import OptionError
from minigrad.train.executors import executor_of
from minigrad.train.options import Options, add_options, option

PAPER = "gers00"
TITLE = 'Gers, Schmidhuber and Cummins, 2000, "Learning to Forget": Table 2, the continual embedded Reber grammar'
ABOUT = (
    f"Targets are 1 for each symbol that may follow. Nets are tested after training streams of {GOOD:,} symbols or "
    f"more (the paper: after each), and end after {SYMBOLS:,} symbols of training and tests (the paper: no such limit)."
)


@dataclass(frozen=True, kw_only=True)
class GersOptions(Options):
    """Options of the command."""

    nets: int = option(10, f"nets of each row (the paper: {NETS})", minimum=1)
    rows: str | None = option(None, "only rows whose name contains this, such as forget")
    seed: int = option(2000, "the seed", minimum=0)
    processes: int = option(2, "processes that train nets", minimum=1)
    out: str | None = option(None, f"the file of all nets (default: runs/papers/{PAPER}.json)")
    report: str | None = option(None, "only print the table of a file of nets, without training")


def main(arguments: Sequence[str]) -> int:
    """Train the nets that a file of results lacks, print the table, and return 0."""
    parser = Parser(f"papers {PAPER}", description=f"{TITLE}.\n{ABOUT}")
    add_options(parser, GersOptions)
    options = GersOptions.from_text(parser.read(arguments))
    if options.report is not None:
        return show(Path(options.report))
    rows = [row for row in ROWS if options.rows is None or options.rows in row.name]
    if not rows:
        raise OptionError(str(unknown_name("--rows", options.rows or "", [row.name for row in ROWS])))
    if not has_numba():
        print(
            "Numba is not installed, so nets learn in Python, some hundred times slower: take --nets 1. Install it by "
            "pip install 'minigrad-bptt[numba]'.",
            file=sys.stderr,
        )
    file = output_file("--out", options.out) if options.out else Path("runs", "papers", f"{PAPER}.json")
    results = Results(file, PAPER)
    jobs = [Job2000(row, number, options.seed) for number in range(options.nets) for row in rows]
    with executor_of(options.processes) as executor:
        if executor is None:  # a process of a job that has worked for process 0
            return 0
        run(jobs, results, executor)
    print(text_table(report.HEAD, report.table([results.trials[job.key] for job in jobs])))
    print(f"\n{ABOUT}\n{len(jobs)} nets in {file}")
    return 0


def show(file: Path) -> int:
    """Print the table of a file of nets, and return 0."""
    values = read_results(file)
    if values["paper"] != PAPER:
        raise OptionError(f"--report {file}: expected results of {PAPER}, got those of {values['paper']}.")
    if values["code"] != code_hash(PAPER):
        print(f"{file}: of another version of the code ({values['code'][:12]}).", file=sys.stderr)
    print(text_table(report.HEAD, report.table(values["trials"])))
    print(f"\n{ABOUT}\n{len(values['trials'])} nets, from {values['begun']} to {values['ended']}.")
    return 0
