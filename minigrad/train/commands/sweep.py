"""``python -m minigrad sweep TASK``: the same training for many seeds and options."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minigrad.distributed.world import cores, rank
from minigrad.engine.interrupt import INTERRUPTED
from minigrad.train import sweep_report
from minigrad.train.command_line import PROGRAM, Parser
from minigrad.train.errors import OptionError
from minigrad.train.executors import TrialProgress, completed, executor_of
from minigrad.train.options import add_options, option_specs
from minigrad.train.sweep import Trial, begin, finished, read_sweep, records_of, result_of, run_trial, trials_of
from minigrad.train.task import RunOptions
from minigrad.train.tasks.table import TASKS, find

HELP = "train a task for many seeds and options"


def main(arguments: Sequence[str]) -> int:
    """Run the trials that are missing, print their table, and return 0; 1 if a trial failed."""
    task = arguments[0] if arguments and not arguments[0].startswith("-") else None
    given = _parser(task).read(arguments[1:] if task else arguments)
    own = {name: given.pop(name) for name in ("seeds", "out", "processes", "report")}
    if own["report"] is not None:
        return _report(Path(own["report"]))
    if task is None:
        raise OptionError(f"{PROGRAM} sweep: expected a task ({', '.join(TASKS)}) as the first word, or --report DIR.")
    options, grid = grid_of(task, given, own["seeds"])
    folder = Path(own["out"] or f"runs/sweep-{task}")
    trials = trials_of(folder, task, options, grid)
    if rank() == 0:
        begin(folder, task, options, grid)
    try:
        records = _run(trials, _count("--processes", own["processes"]) or cores())
    except KeyboardInterrupt:
        records = [{"interrupted": True}]
    if records is None:
        return 0
    if any("interrupted" in r for r in records):
        print("Stopped; everything is saved. The same command runs the rest.", file=sys.stderr)
        return INTERRUPTED
    print(sweep_report.table(records, grid, find(task)))
    print(*(f"{file}" for file in sweep_report.write(folder, records, grid, find(task))), sep="\n")
    return int(any("error" in r for r in records))


def _run(trials: Sequence[Trial], processes: int) -> list[dict[str, Any]] | None:
    """Return the records of all trials, in order; None in a process that worked for process 0."""
    done = {trial.folder: {**trial.point, **result_of(trial)} for trial in trials if rank() == 0 and finished(trial)}
    missing = [trial for trial in trials if trial.folder not in done]
    with executor_of(min(processes, len(missing) or 1)) as executor:
        if executor is None:
            return None
        progress = TrialProgress(len(trials), len(done), sys.stderr)
        for trial, record in completed(_with_trial, missing, executor):
            done[trial.folder] = record
            progress.update("error" not in record)
        progress.close()
    return [done[trial.folder] for trial in trials]


def _with_trial(trial: Trial) -> tuple[Trial, dict[str, Any]]:
    return trial, run_trial(trial)


def grid_of(task: str, given: Mapping[str, str | None], seeds: str | None) -> tuple[RunOptions, dict[str, list[Any]]]:
    """Return the options that all trials share, and the values of those that vary: a list is separated by commas."""
    kind = find(task).options_type
    specs = {each.name: each for each in option_specs(kind)}
    lists = {name: [specs[name].parse(word) for word in text.split(",")] for name, text in given.items() if text}
    grid = {name: values for name, values in lists.items() if len(values) > 1 and name != "seed"}
    options = kind(**{name: values[0] for name, values in lists.items()})
    if options.minutes is not None:
        raise OptionError("sweep: expected --steps, got --minutes: trials of one time would differ in their steps.")
    first = lists.get("seed", [0])
    count = _count("--seeds", seeds)
    if count is not None and len(first) > 1:
        raise OptionError("sweep: expected --seeds N or a list of --seed, got both.")
    grid["seed"] = first if count is None else [first[0] + k for k in range(count)]
    return options, grid


def _count(flag: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit() or not 0 < int(text) <= 100_000:
        raise OptionError(f"{flag}: expected a positive integer, got {text!r}.")
    return int(text)


def _report(folder: Path) -> int:
    task, options, grid = read_sweep(folder)
    trials = trials_of(folder, task, options, grid)
    records = list(records_of(trials))
    print(f"{len(records)} of {len(trials)} trials are finished.")
    print(sweep_report.table(records, grid, find(task)))
    print(*(f"{file}" for file in sweep_report.write(folder, records, grid, find(task))), sep="\n")
    return 0


def _parser(task: str | None) -> Parser:
    parser = Parser(
        f"sweep {task or 'TASK'}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"{HELP}. An option may have several values, separated by commas: --units 16,32,64.",
    )
    parser.add_argument("--seeds", metavar="N", help="the number of seeds, from --seed on (default: 1)")
    parser.add_argument("--out", metavar="DIR", help=f"the folder of the sweep (default: runs/sweep-{task or 'TASK'})")
    parser.add_argument(
        "--processes", metavar="N", help=f"processes that train at once (default: the cores, {os.cpu_count()})"
    )
    parser.add_argument("--report", metavar="DIR", help="only print the table of a sweep, and draw its picture")
    add_options(parser, find(task).options_type if task else RunOptions)
    return parser
