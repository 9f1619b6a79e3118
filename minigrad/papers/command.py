"""``python -m minigrad papers``: run rows of published tables again, and print what comes out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigrad.engine.errors import unknown_name
from minigrad.papers import costs, diagnosis, recording, report, sak14
from minigrad.papers.gers00 import command as gers00
from minigrad.papers.hochreiter97.rows import ROWS, TABLES
from minigrad.papers.kernel.build import has_numba
from minigrad.papers.machinery import code_hash
from minigrad.papers.page import page_of
from minigrad.papers.results import Results, read_results
from minigrad.papers.row import Row
from minigrad.papers.running import Job, run
from minigrad.train.command_line import PROGRAM, Parser, output_file
from minigrad.train.errors import OptionError
from minigrad.train.executors import executor_of
from minigrad.train.options import Options, add_options, option

HELP = "run the tables of published papers again, row by row"
COMMAND = f"{PROGRAM} papers"
PAPERS = {
    "hochreiter97": 'Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory": Tables 1 to 9',
    gers00.PAPER: gers00.TITLE,
    "sak14": 'Sak, Senior and Beaufays, 2014, "Long Short-Term Memory … Acoustic Modeling": the numbers of weights',
}
OTHERS: dict[str, Callable[[Sequence[str]], int]] = {gers00.PAPER: gers00.main, "sak14": sak14.main}
"""Papers whose command has other options."""
QUICK_TRIALS, QUICK_SECONDS = 3, 4.0  # --quick leaves out rows whose trials may take longer than this
PLAIN_FACTOR = 400  # Python without Numba, in times of the compiled trainer: 50 µs a step rather than 0.12


@dataclass(frozen=True, kw_only=True)
class PapersOptions(Options):
    """Options of the command."""

    table: str | None = option(None, "the tables to run, such as 9 or 4,5 (default: all)")
    rows: str | None = option(
        None, "only rows with this in their name, such as 6a, or with one of these, separated by ;"
    )
    readings: str = option("literal", "literal, all (the other readings), or names of readings, separated by commas")
    trials: int | None = option(None, "trials of each row (default: the paper's number)", minimum=1)
    cap: int | None = option(
        None, "sequences after which a trial ends (default: twice the published mean)", minimum=100
    )
    seed: int = option(1997, "the seed; fresh seeds confirm a reading chosen afterwards", minimum=0)
    processes: int = option(2, "processes that run trials", minimum=1)
    out: str | None = option(None, "the file of all trials (default: runs/papers/PAPER.json)")
    report: str | None = option(None, "only print the tables of a file of trials, without training")
    html: str | None = option(None, "write tables and figures of --report to this page")
    markdown: str | None = option(None, "write the tables of --report to this page in Markdown")
    record: str | None = option(None, "train one net of each task, and keep its curves, states and gates in this file")
    recorded: str | None = option(None, "a file of --record, whose figures are added to --html")


def main(arguments: Sequence[str]) -> int:
    """Run the rows and print their table, and return 0."""
    if arguments and arguments[0] in OTHERS:
        return OTHERS[arguments[0]](arguments[1:])
    parser = Parser("papers", description=_description(), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "paper", nargs="?", help=f"{', '.join(PAPERS)}; without it, the papers and their costs are listed"
    )
    parser.add_argument("--quick", action="store_true", help="a look: three trials of the cheap rows, no verdicts")
    add_options(parser, PapersOptions)
    given = parser.read(arguments)
    paper, quick = given.pop("paper"), given.pop("quick")
    options = PapersOptions.from_text(given)
    if paper is None:
        print(listing())
        return 0
    if paper not in PAPERS:
        raise OptionError(str(unknown_name(f"{COMMAND}: paper", paper, PAPERS)))
    if paper in OTHERS:
        raise OptionError(f"{COMMAND}: {paper} has other options; write {COMMAND} {paper} first.")
    if options.recorded is not None and options.html is None:
        raise OptionError(f"{COMMAND}: --recorded needs --html PAGE. To make such a file, write --record FILE.")
    if options.report is not None:
        return show(paper, Path(options.report), options)
    for name in ("html", "markdown"):
        if getattr(options, name) is not None:
            raise OptionError(f"{COMMAND}: --{name} needs --report FILE, a file of trials.")
    if options.record is not None:
        return record(output_file("--record", options.record), options.seed)
    return run_rows(paper, options, quick)


def run_rows(paper: str, options: PapersOptions, quick: bool) -> int:
    """Run the rows that the options name, print their table, and return 0."""
    rows = [row for row in chosen_rows(options) if not quick or _is_cheap(row)]
    if not rows:
        raise OptionError(f"{COMMAND}: no row is left. Without --quick, rows that take long are run too.")
    file = output_file("--out", options.out) if options.out else Path("runs", "papers", f"{paper}.json")
    _notes(options, rows, quick)
    results = Results(file, paper)
    trials = QUICK_TRIALS if quick and options.trials is None else options.trials
    jobs = [Job(r, n, options.seed, min(r.cap, options.cap or r.cap)) for r in rows for n in range(trials or r.trials)]
    jobs.sort(key=lambda job: -costs.seconds(job.row, job.cap))  # long ones first: no core waits at the end
    try:
        with executor_of(options.processes) as executor:
            if executor is None:  # a process of a job that has worked for process 0
                return 0
            run(jobs, results, executor)
    except KeyboardInterrupt:
        print(f"minigrad: {len(results.trials)} trials are in {file}; the same command runs the rest.", file=sys.stderr)
        raise
    own = [results.trials[job.key] for job in jobs]
    print(report.text_table(list(report.lines(rows, own, verdicts=not quick))))
    print(f"\n{len(own)} trials in {file}")
    return 0


def record(file: Path, seed: int) -> int:
    """Train one net of each task, measure how nets fail, write what figures and pages need, and return 0."""
    records, measured = [], dict[str, list[dict[str, Any]]]()
    for row in recording.recorded_rows():
        records.append(recording.record(row, seed))
        print(f"table {row.table}, {row.name}: {records[-1]['sequences']:,} sequences", flush=True)
        recording.write_records(file, records)
    for name, values in diagnosis.measurements():
        measured.setdefault(name, []).append(recording.rounded(values))
        print(f"{name}, seed {values['seed']}", flush=True)
    recording.write_records(file, records, measured)
    print(f"{len(records)} nets, {sum(map(len, measured.values()))} measurements in {file}")
    return 0


def show(paper: str, file: Path, options: PapersOptions) -> int:
    """Print the tables of a file of trials, write its page, and return 0."""
    values = read_results(file)
    if values["code"] != code_hash(paper):
        print(
            f"{file}: of another version of the code ({values['code'][:12]}, now {code_hash(paper)[:12]}).",
            file=sys.stderr,
        )
    literal = list(report.lines(ROWS, values["trials"]))
    others = [row.read_as(name) for row in ROWS for name in row.readings]
    other = list(report.lines(others, values["trials"]))
    lost = report.outdated([*ROWS, *others], values["trials"])
    if lost:
        print(f"{file}: {len(lost)} trials are of other numbers of their rows, and are left out.", file=sys.stderr)
    print(f"{report.about(values)}\n")
    for title, found in (("Literal readings", literal), ("Other readings", other)):
        if found:
            print(f"{title}\n\n{report.text_table(found, found is other)}\n")
    if options.markdown is not None:
        tables = output_file("--markdown", options.markdown)
        tables.write_text(report.markdown_page(PAPERS[paper], values, literal, other), "utf-8")
        print(f"tables: {tables}")
    if options.html is not None:
        target = output_file("--html", options.html)
        recorded = recording.read_records(Path(options.recorded)) if options.recorded else []
        try:
            page = page_of(PAPERS[paper], values, literal, other, recorded)
        except ImportError as error:  # no matplotlib
            raise OptionError(f"--html: {error}") from None
        page.save(target)
        print(f"page: {target}")
    return 0


def chosen_rows(options: PapersOptions) -> list[Row]:
    """Return the rows in the readings that the options name.

    Raises:
        OptionError: a table, a row or a reading is unknown.
    """
    tables = {int(t) if t.isdigit() else t for t in options.table.split(",")} if options.table else set(TABLES)
    for table in tables - set(TABLES):
        raise OptionError(str(unknown_name("--table", str(table), map(str, TABLES))))
    words = options.rows.split(";") if options.rows else [""]
    rows = rows_named(words, [row for row in ROWS if row.table in tables])
    if not rows:
        names = [row.name for row in ROWS if row.table in tables]
        raise OptionError(str(unknown_name("--rows", options.rows or "", names)))
    if options.readings == "literal":
        return rows
    known = list(dict.fromkeys(name for row in rows for name in row.readings))
    wanted = known if options.readings == "all" else options.readings.split(",")
    for name in wanted:
        if name not in (*known, "literal"):
            raise OptionError(str(unknown_name("--readings", name, ["literal", "all", *known])))
    return [
        row if name == "literal" else row.read_as(name)
        for row in rows
        for name in wanted
        if name in ("literal", *row.readings)
    ]


def rows_named(words: Sequence[str], rows: Sequence[Row]) -> list[Row]:
    """Return the rows that have a word as their name; or in it, if none has it as its name."""
    names = {row.name for row in rows}
    return [row for row in rows if any(w == row.name or (w in row.name and w not in names) for w in words)]


def _is_cheap(row: Row) -> bool:
    return costs.seconds(row, row.cap) <= QUICK_SECONDS


def _notes(options: PapersOptions, rows: Sequence[Row], quick: bool) -> None:
    """Print what limits the results of these options."""
    low = [row for row in rows if options.cap is not None and options.cap < row.cap]
    if low:
        print(
            f"--cap {options.cap:,} is below twice the published mean of {', '.join(r.name for r in low)}: a trial "
            "that reaches it proves nothing, and there is no verdict.",
            file=sys.stderr,
        )
    if quick:
        print(
            f"--quick: rows with trials of at most {QUICK_SECONDS:.0f} s, {QUICK_TRIALS} trials each.", file=sys.stderr
        )
    if not has_numba():
        print(
            f"Numba is not installed, so trials run as Python, about {PLAIN_FACTOR} times slower. Install it by pip "
            "install 'minigrad-bptt[numba]'.",
            file=sys.stderr,
        )


def listing() -> str:
    """Return the papers, with the tables and what each costs."""
    text = [f"hochreiter97: {PAPERS['hochreiter97']}"]
    for table in TABLES:
        rows = [row for row in ROWS if row.table == table]
        trials = sum(row.trials for row in rows)
        expected = sum(row.trials * costs.seconds(row, max(m.published for m in row.milestones)) for row in rows)
        most = sum(row.trials * costs.seconds(row, row.cap) for row in rows)
        readings = ", ".join(dict.fromkeys(name for row in rows for name in row.readings))
        text.append(
            f"  Table {table}: {len(rows)} rows, {trials} trials, {_minutes(expected)} on one core for the published "
            f"means, at most {_minutes(most)}; readings: {readings}"
        )
    costs_of = {gers00.PAPER: "some five seconds of one core a net", "sak14": "a second"}
    text += [f"{name}: {PAPERS[name]}; {cost}" for name, cost in costs_of.items()]
    return "\n".join([*text, "", f"{COMMAND} hochreiter97 --table 9 --quick shows one table in seconds."])


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes"


def _description() -> str:
    return (
        f"{HELP[0].upper()}{HELP[1:]}. A row is run in its literal reading, or in others, with a bootstrap interval\n"
        "and a verdict: match, order, no or undecided. Trials are kept as they end: after an interruption the same\n"
        "command runs the rest."
    )
