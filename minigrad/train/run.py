"""A run: a folder with everything about one training, from which the training can be resumed.

    config.json      the task and its options
    metrics.jsonl    a line for each step
    checkpoint.npz   the last saved state: everything needed to resume
    best.npz         the state with the best validation so far
    lock             the process that trains now, if any
    result.json      the final numbers and the baseline
    curve.png        the learning curve up to the last step, if matplotlib is installed

No file depends on the time or the speed of the training. The same options on the same machine give
the same bytes, with and without interruptions.

A run exists once it has config.json and a checkpoint; ``result.json`` is written last. The lock is taken before
anything is written.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from minigrad.distributed.exchange import any_of, shared
from minigrad.engine.arguments import integer
from minigrad.engine.errors import NaNLossError, shown
from minigrad.engine.files import a_path, write_atomically
from minigrad.plot.curves import learning_curve
from minigrad.train import checkpoint as checkpoints
from minigrad.train.checkpoint import BEST, LAST, Checkpoint
from minigrad.train.errors import CheckpointError, RunError
from minigrad.train.folder import (
    CONFIG,
    CURVE,
    RESULT,
    check_started,
    check_unused,
    create_folder,
    has_leftovers,
    locate,
    read_config,
)
from minigrad.train.interrupt import Interruption
from minigrad.train.json_files import read_json, write_json
from minigrad.train.lock import check_unlocked, locked
from minigrad.train.metrics import Metrics, describe_gaps, finite_json
from minigrad.train.processes import check_processes
from minigrad.train.progress import Progress, Silent
from minigrad.train.task import RunOptions, Score, Task
from minigrad.train.tasks.table import find
from minigrad.train.trainer import StepResult, Trainer

ABOUT_TYPES: dict[str, Any] = {
    "task": str, "options": dict, "facts": dict, "step": int, "position": int, "random": dict,
    "best": (int, float, type(None)),
}  # fmt: skip


class Run:
    """One training in a folder, created by `Run.create` or `Run.resume`.

    Attributes:
        folder: the folder with all files.
        task: the data.
        options: the options of the training.
        trainer: the model in training.
    """

    def __init__(self, folder: Path, task: Task, options: RunOptions) -> None:
        folder = a_path("Run: `folder`", folder)
        self.folder, self.task, self.options = folder, task, options
        self.metrics = Metrics(folder / "metrics.jsonl")
        self.trainer = Trainer(task, options)
        self.best: float | None = None  # the best value of the task's metric so far
        self._baseline: Score | None = None
        self._files_current = True  # whether the files belong to the trainer's step
        self._checkpoint_identity = _file_identity(folder / LAST)  # last read or written by this process

    @classmethod
    def create(cls, folder: str | Path, options: RunOptions, task: str) -> Self:
        """Create the folder of a new run, with its first checkpoint.

        Args:
            folder: an absent or empty folder, or one of a run that was stopped before its first checkpoint.
            options: the options of the task.
            task: the task's name.

        Raises:
            RunError: the folder is in use, or another process is creating a run there.
            FileError: a file cannot be written.
        """
        folder = a_path("Run.create: `folder`", folder)
        check_unused(folder)
        run = cls(folder, find(task)(options), options)
        check_processes(run.task, options)
        create_folder(folder)
        with locked(folder, check_unused):  # another process may have been faster
            run._write_config()
            run.save()
        return run

    @classmethod
    def resume(cls, folder: str | Path, steps: int | None = None) -> Self:
        """Open a run at its last checkpoint. Nothing is written before `train`.

        If the run was killed while its last files were written, `train` completes them.

        Args:
            folder: the folder of the run, or one of the checkpoints in it, such as ``best.npz``, to return to.
            steps: a new total number of steps, to train longer than planned.

        Raises:
            RunError: the folder is not a run, the run is complete, another process trains in it, or its data have
                changed.
            CheckpointError: the checkpoint is damaged, or belongs to another run.
        """
        folder, path = locate(folder)
        task, options = read_config(folder)
        check_unlocked(folder)
        check_started(folder)
        known, path = _file_identity(folder / LAST), path or folder / LAST
        saved = checkpoints.load(path)
        _check_same(path, task, options, saved)
        done = saved.about["step"]
        steps = None if steps is None else integer("Run.resume: `steps`", steps)
        if steps is not None and steps < done:
            raise RunError(f"--resume {folder}: the run has made {done} steps; expected --steps of more, got {steps}.")
        options = replace(options, steps=steps or options.steps)
        if done >= options.steps and _finished(folder, done):
            raise RunError(
                f"--resume {folder}: the run is complete, {done} of {options.steps} steps. To train it longer, add "
                "--steps with a larger number."
            )
        run = cls(folder, find(task)(options), options)
        if run.task.facts() != saved.about["facts"]:
            raise RunError(
                f"--resume {folder}: the data are not those that the run began with. Put them back, or start a new run."
            )
        shared((task, options, saved))  # with the followers
        check_processes(run.task, options)
        with _prefix_errors(path):
            run.trainer.restore(saved)
        run.best, run._files_current, run._checkpoint_identity = saved.about["best"], False, known
        return run

    # --- training -----------------------------------------------------------------------------------------------------

    def train(self, progress: Progress | None = None, interruption: Interruption | None = None) -> bool:
        """Train until the last step or an interruption.

        Args:
            progress: receives the progress of each step.
            interruption: checked after each step; once it is true, the run is saved and training stops.

        Returns:
            Whether the run is complete.

        Raises:
            NaNLossError: a loss was not finite, and the option `on_nan` is ``"stop"``.
            RunError: another process trains in this folder, or has trained in it since this run was opened.
            FileError: a file cannot be written. The previous checkpoint is kept.
        """
        progress = progress or Silent()
        with self._alone_in_folder():
            self._update_files(progress)
            while self.trainer.step < self.options.steps:
                if any_of(bool(interruption)):
                    self.save()
                    self.draw()
                    return False
                self._train_step(progress)
            self.finish()
        return True

    def _alone_in_folder(self) -> AbstractContextManager[None]:
        return locked(self.folder, self._check_unchanged)

    def _check_unchanged(self, folder: Path) -> None:
        if _file_identity(folder / LAST) != self._checkpoint_identity:
            raise RunError(f"{folder}: another process has trained in it since this run was opened. Resume it again.")

    def _update_files(self, progress: Progress) -> None:
        """Rewrite all files for the step from which the run continues."""
        if not self._files_current:
            self.save()  # first: the step may precede that of the last checkpoint
            gaps = self.metrics.keep_until(self.trainer.step)
            self._write_config()
            self._files_current = True
            if gaps:
                progress.note(
                    f"{self.metrics.path}: {describe_gaps(gaps)} missing. The run continues; its curve has a gap."
                )

    def _train_step(self, progress: Progress) -> None:
        """Train one step, then evaluate, append metrics and save a checkpoint, as far as they are due."""
        try:
            step = self.trainer.advance()
        except NaNLossError as error:
            saved = checkpoints.load(self.folder / LAST).about["step"]
            raise NaNLossError(f"{error} The last checkpoint is of step {saved}.") from None
        record = self._record(step)
        progress.update(self.trainer.step, step.loss, step.items)
        better = False
        if self._due(self.options.evaluate_every):
            record["validation"] = self.trainer.evaluate()
            better = self._note_best(record["validation"][self.task.metric])
            progress.note(self._described(record["validation"]))
        self.metrics.append(record)  # before any checkpoint: a checkpoint to return to has all its lines
        if better:
            self.save(BEST)
        if self._due(self.options.save_every):
            self.save()

    def _record(self, step: StepResult) -> dict[str, Any]:
        return {
            "step": self.trainer.step,
            "loss": step.loss,
            "learning_rate": step.learning_rate,
            "gradient_norm": step.gradient_norm,
        }

    def _due(self, every: int) -> bool:
        return self.trainer.step % every == 0 or self.trainer.step == self.options.steps

    def _note_best(self, value: float) -> bool:
        better = math.isfinite(value) and (self.best is None or self.task.better(value, self.best))
        self.best = value if better else self.best
        return better

    def _described(self, validation: dict[str, float]) -> str:
        shown = {name.replace("_", " "): value for name, value in validation.items() if name != "standard_error"}
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in shown.items())
        return f"step {self.trainer.step}: validation {numbers}"

    def baseline(self) -> Score:
        """Return the task's baseline, computed once."""
        if self._baseline is None:
            self._baseline = self.task.baseline()
        return self._baseline

    def finish(self) -> None:
        """Draw the learning curve and write ``result.json``; a run that has it is complete."""
        self.draw()
        write_json(self.folder / RESULT, self.result())

    def result(self) -> dict[str, Any]:
        """Return the numbers of the last evaluation and of the baseline; see `Task.beats`."""
        at_end = [record for record in self.metrics.read() if record["step"] == self.trainer.step]
        metric, baseline = self.task.metric, self.baseline()
        last = at_end[0].get("validation") if at_end else None
        last = finite_json(self.task.evaluate(self.trainer.predict)) if last is None else last  # lost in a power cut
        value, error = last.get(metric), last.get("standard_error")  # null where it is not finite
        beats = value is not None and error is not None and self.task.beats(value, baseline.value, error)
        return {
            "task": self.task.name,
            "steps": self.trainer.step,
            "validation": last,
            "metric": metric,
            "value": value,
            "baseline": {"name": baseline.name, "value": baseline.value},
            "beats_baseline": beats,
        }

    # --- files --------------------------------------------------------------------------------------------------------

    def save(self, name: str = LAST) -> None:
        """Write a checkpoint."""
        self.metrics.sync()
        state = self.trainer.capture()
        checkpoints.save(self.folder / name, Checkpoint({**state.about, "best": self.best}, state.arrays))
        if name == LAST:
            self._checkpoint_identity = _file_identity(self.folder / LAST)

    def _write_config(self) -> None:
        write_json(self.folder / CONFIG, {"task": self.task.name, "options": self.options.to_dict()})

    def draw(self) -> bool:
        """Draw ``curve.png``; return False if matplotlib is not installed, or no step was made yet."""
        records = self.metrics.read()
        if not records or importlib.util.find_spec("matplotlib") is None:
            return False
        nan = float("nan")
        steps = [record["step"] for record in records]
        losses = [nan if record.get("loss") is None else record["loss"] for record in records]
        validation, baseline = self._comparable(records)
        ax = learning_curve(steps, losses, validation, baseline, self.task.unit)
        write_atomically(self.folder / CURVE, lambda file: ax.figure.savefig(file, format="png", dpi=150))
        return True

    def _comparable(self, records: list[dict[str, Any]]) -> tuple[list[tuple[int, float]], tuple[str, float] | None]:
        """Return the validation values and the baseline if they have the unit of the loss."""
        if self.task.metric != self.task.unit.replace(" ", "_"):
            return [], None
        values = [(r["step"], r["validation"].get(self.task.metric)) for r in records if "validation" in r]
        baseline = self.baseline()
        return [(step, value) for step, value in values if value is not None], (baseline.name, baseline.value)


def _file_identity(path: Path) -> tuple[int, ...]:
    """Return values that change when a file is replaced; empty if there is no file."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _finished(folder: Path, steps: int) -> bool:
    """True if a run has its result and its curve, and no files of a killed process."""
    try:
        result = read_json(folder / RESULT)
    except RunError:
        return False
    drawn = os.path.exists(folder / CURVE) or importlib.util.find_spec("matplotlib") is None
    return result.get("steps") == steps and drawn and not has_leftovers(folder)


def _check_same(path: Path, task: str, options: RunOptions, saved: Checkpoint) -> None:
    """Raise an error unless a checkpoint belongs to the folder's run; only the number of steps may differ."""
    about = saved.about
    missing = [name for name in ABOUT_TYPES if name not in about]
    if missing:
        raise CheckpointError(
            f"{path}: expected a checkpoint of a run, got one without {', '.join(missing)}. Start a new run."
        )
    for name, kind in ABOUT_TYPES.items():
        if not isinstance(about[name], kind) or isinstance(about[name], bool):
            raise CheckpointError(
                f"{path}: expected a checkpoint of a run, got one whose {name} is {shown(about[name])}. Start a "
                "new run."
            )
    step, position = about["step"], about["position"]
    if not 0 <= step <= 2**53 or position != step:
        raise CheckpointError(
            f"{path}: expected a step from 0 on, and as many batches read, got step {shown(step)} and position "
            f"{shown(position)}. The file was changed; start a new run."
        )
    if about["task"] != task:
        raise CheckpointError(f"{path}: expected a checkpoint of the task {task!r}, got one of {shown(about['task'])}.")
    defaults = {each.name: each.default for each in dataclasses.fields(options)}  # of options that came later
    for name, value in options.to_dict().items():
        before = about["options"].get(name, defaults[name])
        if name not in ("steps", "minutes") and before != value:
            raise RunError(
                f"{path.parent}: config.json: expected {name}={shown(before)}, as in the checkpoint, got "
                f"{shown(value)}. A run keeps its options: put the old value back, or start a new run."
            )


@contextmanager
def _prefix_errors(path: Path) -> Iterator[None]:
    """Add the file's name to the message of a CheckpointError."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None


def trained(folder: str | Path) -> tuple[Task, Trainer]:
    """Open a run to use its model: the best one, else the last one, or the one of a named checkpoint.

    Args:
        folder: the folder of a run, or a checkpoint in it.

    Returns:
        The task, without its data, and the trainer that holds the model.

    Raises:
        RunError: the folder is not a run.
        CheckpointError: the checkpoint is damaged, or belongs to another run.
    """
    folder, path = locate(folder)
    name, options = read_config(folder)
    check_started(folder)
    path = path or (folder / BEST if (folder / BEST).exists() else folder / LAST)
    saved = checkpoints.load(path)
    _check_same(path, name, options, saved)
    with _prefix_errors(path):
        task = find(name).restore(options, saved.about["facts"])
        trainer = Trainer(task, options)
        trainer.restore_weights(saved)
    return task, trainer


def steps_within(minutes: float, task: Task, options: RunOptions) -> int:
    """Return the number of steps that fit into a number of minutes, timed on a temporary model."""
    trainer = Trainer(task, options)
    trainer.advance()  # the first step is slower
    begin, steps = time.perf_counter(), 0
    while shared(steps < 5 or time.perf_counter() - begin < 2.0):
        trainer.advance()
        steps += 1
    return max(1, round(minutes * 60 * steps / (time.perf_counter() - begin)))
