"""``python -m minigrad train TASK``: train a model in a new run folder, or resume a run."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from signal import SIGINT
from typing import Any

from minigrad.distributed.world import rank
from minigrad.engine.random import generator_for
from minigrad.train.cells import import_cell, import_run_cell
from minigrad.train.command_line import PROGRAM, Parser, command, on_backend
from minigrad.train.errors import OptionError
from minigrad.train.folder import CONFIG, locate, read_config
from minigrad.train.follower import run_type
from minigrad.train.interrupt import interruptible
from minigrad.train.options import add_options
from minigrad.train.progress import progress_on
from minigrad.train.run import Run, steps_within
from minigrad.train.task import BUILT_IN_CELLS, RunOptions, Sampling, Task
from minigrad.train.tasks.table import TASKS, find

HELP = "train a model on a task, or resume a run"


def main(arguments: Sequence[str]) -> int:
    """Train and return the exit code: 0, or 128 plus the number of the signal that stopped it."""
    task = arguments[0] if arguments and not arguments[0].startswith("-") else None
    given = _parser(task).read(arguments[1:] if task else arguments)
    out, resume = given.pop("out"), given.pop("resume")
    if task is None and resume is None:
        raise OptionError(f"{PROGRAM} train: expected a task ({', '.join(TASKS)}) as the first word, or --resume RUN.")
    if resume is not None:
        cell = given.pop("cell")
        steps = _resume_steps(given, out, resume, task)
        folder = locate(resume)[0]
        options = read_config(folder)[1]
        import_run_cell(f"--resume {resume}", cell, options.cell)
        with on_backend(options.backend, f"{folder / CONFIG}: "):
            return _train(run_type().resume(resume, steps))
    options = find(task or "").options_type.from_text(given)
    if options.cell not in BUILT_IN_CELLS:
        import_cell("--cell", options.cell, BUILT_IN_CELLS)
    with on_backend(options.backend):
        options = _with_measured_steps(task or "", options, given)
        return _train(run_type().create(out or f"runs/{task}", options, task or ""))


def _parser(task: str | None) -> Parser:
    listed = "".join(f"  {name:<16}{kind.__doc__.splitlines()[0]}\n" for name, kind in TASKS.items() if kind.__doc__)
    parser = Parser(
        f"train {task or 'TASK'}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=find(task).__doc__ if task else f"{HELP}.\n\ntasks:\n{listed}",
        epilog=None if task else f"{command('-m', 'minigrad', 'train', 'TASK', '--help')} lists the options of a task.",
    )
    parser.add_argument(
        "--resume",
        metavar="RUN",
        help="resume the run in this folder, or from a checkpoint in it, with the same numbers as without the stop",
    )
    parser.add_argument("--out", metavar="DIR", help=f"the folder of the new run (default: runs/{task or 'TASK'})")
    add_options(parser, find(task).options_type if task else RunOptions)
    return parser


def _resume_steps(given: dict[str, Any], out: str | None, resume: str, task: str | None) -> int | None:
    """Return the new number of steps, the only option that --resume may change; None to keep it."""
    named = [name for name, value in {**given, "out": out}.items() if value is not None and name != "steps"]
    if named:
        flag = "--" + named[0].replace("_", "-")
        raise OptionError(f"--resume {resume}: the run keeps its options; {flag} can only be given to a new run.")
    if task is not None and (of := read_config(locate(resume)[0])[0]) != find(task).name:
        raise OptionError(f"--resume {resume}: this is a run of the task {of!r}, not {task!r}.")
    return None if given["steps"] is None else RunOptions.from_text({"steps": given["steps"]}).steps


def _with_measured_steps(task: str, options: RunOptions, given: dict[str, Any]) -> RunOptions:
    """Return the options with the number of steps for --minutes."""
    if options.minutes is None:
        return options
    if given["steps"] is not None:
        raise OptionError("--minutes and --steps: expected one of the two, got both.")
    return replace(options, steps=steps_within(options.minutes, find(task)(options), options))


def _train(run: Run) -> int:
    task, trainer = run.task, run.trainer
    for line in task.notes():
        print(line)
    size = f"{trainer.model.count_params():,} weights"
    print(f"{task.name}: {run.options.cell}, {size}; step {trainer.step} of {run.options.steps}; {run.folder}")
    baseline = run.baseline()
    print(f"{baseline.name}: {task.metric.replace('_', ' ')} {baseline.value:.4g}", flush=True)
    progress = progress_on(run.options.steps, trainer.step, task.unit, task.items)
    with interruptible() as interruption:
        try:
            complete = run.train(progress, interruption)
        except KeyboardInterrupt:  # the second Ctrl-C, which ends at once
            complete = None
        finally:
            progress.close()
    if complete is None:
        return _interrupted(run, "Stopped at once; the steps since the last checkpoint are lost.", SIGINT)
    if not complete:
        done = f"Stopped after step {run.trainer.step} of {run.options.steps}; everything is saved."
        return _interrupted(run, done, interruption.signal or 0)
    if rank() == 0:
        _report(run)
    return 0


def _interrupted(run: Run, message: str, number: int) -> int:
    resume = command("-m", "minigrad", "train", "--resume", str(run.folder))
    print(f"{message} Resume with\n  {resume}", file=sys.stderr)
    return 128 + number


def _verdict(task: Task, result: dict[str, Any]) -> str:
    baseline = result["baseline"]
    if result["beats_baseline"]:
        return "beats it"
    value, error = result["value"], result["validation"]["standard_error"]
    ahead = None not in (value, error) and task.better(value, baseline["value"])
    doubt = f": two standard errors of the difference are {2 * error:.2g}" if ahead else ""
    return f"is not better than {baseline['name']!r} yet{doubt}"


def _report(run: Run) -> None:
    """Print the result of a run: a sample, the validation and the baseline, the folder of the files."""
    task, result = run.task, run.result()
    generator = generator_for(run.options.seed)
    print(f"\n{task.sample(run.trainer.predict, generator, Sampling())}\n")
    name, baseline = task.metric.replace("_", " "), result["baseline"]
    value = math.nan if result["value"] is None else result["value"]
    print(f"validation: {name} {value:.4g}")
    print(f"{baseline['name']}: {name} {baseline['value']:.4g}")
    print(f"The model {_verdict(run.task, result)}. Everything is in {run.folder}.")
    if not (run.folder / "curve.png").exists():
        install = command("-m", "pip", "install", "matplotlib")
        print(f"There is no curve.png because matplotlib is not installed: {install}.")
