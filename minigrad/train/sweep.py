"""A sweep: the same training for many seeds and options, each in its own folder.

    sweep.json       the task, the options that all trials share, and the grid
    units=16,seed=3/ a run, as `minigrad.train.run` describes it
    sweep.csv        a line for each trial
    sweep.png        median, quartiles and all trials, if matplotlib is installed

A trial gives the same numbers alone, in a pool and on MPI. Finished trials are not repeated; one that was killed is
resumed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.distributed.world import alone
from minigrad.engine.errors import NaNLossError, OutOfMemoryError, shown
from minigrad.train.checkpoint import LAST
from minigrad.train.errors import OptionError, RunError
from minigrad.train.folder import CONFIG, RESULT
from minigrad.train.interrupt import interruptible
from minigrad.train.json_files import read_json, write_json
from minigrad.train.run import Run
from minigrad.train.task import RunOptions
from minigrad.train.tasks.table import find
from minigrad.train.threads import one_thread

SWEEP = "sweep.json"
MAX_TRIALS = 100_000


class Trial(NamedTuple):
    """One training of a sweep.

    Attributes:
        folder: the folder of its run.
        task: the task's name.
        options: the options of the run.
        point: the values of the options that the sweep varies, by name, the seed included.
    """

    folder: str
    task: str
    options: RunOptions
    point: dict[str, Any]


def trials_of(folder: Path, task: str, options: RunOptions, grid: Mapping[str, Sequence[Any]]) -> list[Trial]:
    """Return the trials of all combinations of a grid, in order.

    Args:
        folder: the sweep's folder.
        task: the task's name.
        options: the options that do not vary.
        grid: for each option that varies, its values; the seed among them.

    Raises:
        OptionError: a value is listed twice, or there are too many combinations.
    """
    for name, values in grid.items():
        twice = [v for k, v in enumerate(values) if v in values[:k]]
        if twice:
            raise OptionError(f"--{name.replace('_', '-')}: expected different values, got {shown(twice[0])} twice.")
    count = math.prod(len(values) for values in grid.values())
    if count > MAX_TRIALS:
        raise OptionError(
            f"sweep: expected at most {MAX_TRIALS:,} trials, got {count:,}. Take fewer --seeds or values."
        )
    found = []
    for values in product(*grid.values()):
        point = dict(zip(grid, values, strict=True))
        name = ",".join(f"{key}={_as_folder(value)}" for key, value in point.items())
        found.append(Trial(str(folder / name), task, replace(options, **point), point))
    return found


def _as_folder(value: Any) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in str(value))


def run_trial(trial: Trial) -> dict[str, Any]:
    """Train one trial, or resume it, and return its record.

    Returns:
        The point; with ``"value"`` and ``"baseline"`` of the task's metric, and ``"beats_baseline"``; or with
        ``"error"``, the sentence of a training that failed; or with ``"interrupted"``.
    """
    record: dict[str, Any] = dict(trial.point)
    try:
        with alone(), one_thread(), interruptible() as interruption:
            if not _run_of(trial, interruption):
                return {**record, "interrupted": True}
    except (NaNLossError, OutOfMemoryError, RunError) as error:
        return {**record, "error": str(error)}
    return record | result_of(trial)


def _run_of(trial: Trial, interruption: Any) -> bool:
    folder = Path(trial.folder)
    if finished(trial):
        return True
    if (folder / CONFIG).exists() and (folder / LAST).exists():
        return Run.resume(folder).train(interruption=interruption)
    return Run.create(folder, trial.options, trial.task).train(interruption=interruption)


def finished(trial: Trial) -> bool:
    """Return whether a trial has its result."""
    try:
        result = read_json(Path(trial.folder) / RESULT)
    except RunError:
        return False
    return bool(result.get("steps") == trial.options.steps)


def result_of(trial: Trial) -> dict[str, Any]:
    """Return the numbers of a finished trial."""
    result = read_json(Path(trial.folder) / RESULT)
    return {
        "value": result["value"], "baseline": result["baseline"]["value"], "beats_baseline": result["beats_baseline"]
    }  # fmt: skip


def begin(folder: Path, task: str, options: RunOptions, grid: Mapping[str, Sequence[Any]]) -> None:
    """Write ``sweep.json``, or check that the one there is of the same sweep, perhaps with fewer values.

    Raises:
        RunError: the folder holds another sweep, or something else.
    """
    content = {"task": task, "options": _shared(options, grid), "grid": {name: list(v) for name, v in grid.items()}}
    path = folder / SWEEP
    if path.exists():
        before = read_json(path)
        if (
            before.get("task") != task
            or before.get("options") != content["options"]
            or set(before["grid"]) != set(grid)
        ):
            raise RunError(
                f"--out {folder}: this folder has another sweep, of the task {before.get('task')} over "
                f"{', '.join(before.get('grid', {}))}, or with other options. Choose another place with --out."
            )
    elif folder.exists() and any(folder.iterdir()):
        raise RunError(
            f"--out {folder}: this folder exists already, and is not a sweep. Choose another place with --out."
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, content)


def _shared(options: RunOptions, grid: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.to_dict().items() if name not in grid}


def read_sweep(folder: Path) -> tuple[str, RunOptions, dict[str, list[Any]]]:
    """Return the task's name, the shared options and the grid of a sweep.

    Raises:
        RunError: the folder has no sweep.
    """
    content = read_json(folder / SWEEP)
    if not isinstance(content.get("task"), str) or not isinstance(content.get("grid"), dict):
        raise RunError(f"{folder / SWEEP}: expected a task and a grid. Restore the file, or start a new sweep.")
    options = find(content["task"]).options_type.from_dict(content.get("options", {}), str(folder / SWEEP))
    return content["task"], options, content["grid"]


def records_of(trials: Sequence[Trial]) -> Iterator[dict[str, Any]]:
    """Yield the records of the finished trials."""
    for trial in trials:
        if finished(trial):
            yield {**trial.point, **result_of(trial)}
