"""A run: a folder that holds all there is to know of one training, and can be gone on with.

    config.json      the task and its options
    metrics.jsonl    a line for each step
    checkpoint.npz   the last state saved: all that going on needs
    best.npz         the state with the best validation so far
    lock             there while a process trains: who
    result.json      the numbers of the end, beside the baseline
    curve.png        the learning curve up to where the run ended or was stopped, where matplotlib is installed

Nothing in it depends on when or how fast it was trained: the same options on the same machine give
the same bytes, whether the training was interrupted or not.

A run is there once it has config.json and a checkpoint; ``result.json`` is written last. The lock is taken before
anything is written.
"""

from __future__ import annotations

import importlib.util
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from minigrad.engine.errors import NaNLossError
from minigrad.engine.files import write_atomically
from minigrad.plot.curves import learning_curve
from minigrad.train import checkpoint as checkpoints
from minigrad.train.checkpoint import BEST, LAST, Checkpoint
from minigrad.train.errors import CheckpointError, RunError, shortened
from minigrad.train.folder import (
    CONFIG,
    CURVE,
    RESULT,
    left_by_the_dead,
    make,
    place,
    read_config,
    refuse_if_unbegun,
    refuse_if_used,
)
from minigrad.train.interrupt import Interruption
from minigrad.train.json_files import read_json, write_json
from minigrad.train.lock import locked, refuse_if_held
from minigrad.train.metrics import Metrics, described, finite
from minigrad.train.progress import Progress, Silent
from minigrad.train.task import RunOptions, Score, Task
from minigrad.train.tasks.table import find
from minigrad.train.trainer import Step, Trainer

KINDS: dict[str, Any] = {
    "task": str, "options": dict, "facts": dict, "step": int, "position": int, "random": dict,
    "best": (int, float, type(None)),
}  # fmt: skip


class Run:
    """A training in a folder. Made by `Run.create` or `Run.resume`.

    Attributes:
        folder: where everything is.
        task: the data.
        options: how it is trained.
        trainer: the model in training.
    """

    def __init__(self, folder: Path, task: Task, options: RunOptions) -> None:
        self.folder, self.task, self.options = folder, task, options
        self.metrics = Metrics(folder / "metrics.jsonl")
        self.trainer = Trainer(task, options)
        self.best: float | None = None  # the best value of the task's metric so far
        self._baseline: Score | None = None
        self._settled = True  # are the files those of the trainer's step?
        self._known = _identity(folder / LAST)  # the checkpoint that this process has read or written

    @classmethod
    def create(cls, folder: str | Path, options: RunOptions, task: str) -> Self:
        """Make the folder of a new run, with its first checkpoint.

        Args:
            folder: must not exist, be empty, or hold a run that was stopped before its first checkpoint.
            options: the options of the task.
            task: its name.

        Raises:
            RunError: there is something at that place already, or another process is making a run there.
            FileError: a file cannot be written.
        """
        folder = Path(folder)
        refuse_if_used(folder)
        run = cls(folder, find(task)(options), options)
        make(folder)
        with locked(folder, refuse_if_used):  # another process may have been quicker
            run._write_config()
            run.save()
        return run

    @classmethod
    def resume(cls, folder: str | Path, steps: int | None = None) -> Self:
        """Open a run where its last checkpoint left it. Nothing is written before `train`.

        What is missing at the end of a run that was killed there, `train` makes up for.

        Args:
            folder: the run's; or one of the checkpoints in it, such as ``best.npz``, to go back to.
            steps: a new total of steps, to train longer than was planned.

        Raises:
            RunError: the folder is no run, the run is complete, another process trains in it, or its data have changed.
            CheckpointError: the checkpoint is damaged, or of another run.
        """
        folder, path = place(folder)
        task, options = read_config(folder)
        refuse_if_held(folder)
        refuse_if_unbegun(folder)
        known, path = _identity(folder / LAST), path or folder / LAST
        saved = checkpoints.load(path)
        _check_same(path, task, options, saved)
        done = saved.about["step"]
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
        with _of(path):
            run.trainer.restore(saved)
        run.best, run._settled, run._known = saved.about["best"], False, known
        return run

    # --- training -----------------------------------------------------------------------------------------------------

    def train(self, progress: Progress | None = None, interruption: Interruption | None = None) -> bool:
        """Train until the last step, or until somebody interrupts.

        Args:
            progress: what is told of each step.
            interruption: asked after each step; once it is true, the run is saved and left.

        Returns:
            Whether the run is complete.

        Raises:
            NaNLossError: a loss was not finite, and the options say to stop.
            RunError: another process trains in this folder, or has trained in it since this run was opened.
            FileError: a file cannot be written. The checkpoint before is kept.
        """
        progress = progress or Silent()
        with locked(self.folder, self._refuse_if_changed):
            self._settle(progress)
            while self.trainer.step < self.options.steps:
                if interruption:
                    self.save()
                    self.draw()
                    return False
                self._advance(progress)
            self.finish()
        return True

    def _refuse_if_changed(self, folder: Path) -> None:
        if _identity(folder / LAST) != self._known:
            raise RunError(f"{folder}: another process has trained in it since this run was opened. Resume it again.")

    def _settle(self, progress: Progress) -> None:
        """Make the files those of the step that the run goes on from."""
        if not self._settled:
            self.save()  # first: it may be of a step before that of the last checkpoint
            gaps = self.metrics.keep_until(self.trainer.step)
            self._write_config()
            self._settled = True
            if gaps:
                progress.note(f"{self.metrics.path}: {described(gaps)} missing. The run goes on; its curve has a gap.")

    def _advance(self, progress: Progress) -> None:
        """One step, and what is due after it: evaluation, a line of metrics, a checkpoint."""
        try:
            step = self.trainer.advance()
        except NaNLossError as error:
            kept = checkpoints.load(self.folder / LAST).about["step"]
            raise NaNLossError(f"{error} The last checkpoint is of step {kept}.") from None
        record = self._record(step)
        progress.update(self.trainer.step, step.loss, step.items)
        better = False
        if self._due(self.options.evaluate_every):
            record["validation"] = self.trainer.evaluate()
            better = self._note_best(record["validation"][self.task.metric])
            progress.note(self._described(record["validation"]))
        self.metrics.append(record)  # before any checkpoint: one that is gone back to has all its lines
        if better:
            self.save(BEST)
        if self._due(self.options.save_every):
            self.save()

    def _record(self, step: Step) -> dict[str, Any]:
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
        """Draw the learning curve and writes ``result.json``, last: a run that has it is complete."""
        self.draw()
        write_json(self.folder / RESULT, self.result())

    def result(self) -> dict[str, Any]:
        """Return the numbers of the last evaluation beside the baseline's; see `Task.beats`."""
        at_end = [record for record in self.metrics.read() if record["step"] == self.trainer.step]
        metric, baseline = self.task.metric, self.baseline()
        last = at_end[0].get("validation") if at_end else None
        last = finite(self.trainer.evaluate()) if last is None else last  # a power cut may have taken the line
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
            self._known = _identity(self.folder / LAST)

    def _write_config(self) -> None:
        write_json(self.folder / CONFIG, {"task": self.task.name, "options": self.options.to_dict()})

    def draw(self) -> bool:
        """Draw ``curve.png``; returns False where matplotlib is not installed, or no step was made yet."""
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
        """The validation and the baseline, where they are in the unit of the loss."""
        if self.task.metric != self.task.unit.replace(" ", "_"):
            return [], None
        values = [(r["step"], r["validation"].get(self.task.metric)) for r in records if "validation" in r]
        baseline = self.baseline()
        return [(step, value) for step, value in values if value is not None], (baseline.name, baseline.value)


def _identity(path: Path) -> tuple[int, ...]:
    """What changes when a file is replaced; empty where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _finished(folder: Path, steps: int) -> bool:
    """True if nothing is missing at the end of a run: neither result nor curve, and no killed process left anything."""
    try:
        result = read_json(folder / RESULT)
    except RunError:
        return False
    drawn = os.path.exists(folder / CURVE) or importlib.util.find_spec("matplotlib") is None
    return result.get("steps") == steps and drawn and not left_by_the_dead(folder)


def _check_same(path: Path, task: str, options: RunOptions, saved: Checkpoint) -> None:
    """The checkpoint must be of the run that the folder describes; only its length may change."""
    about = saved.about
    missing = [name for name in KINDS if name not in about]
    if missing:
        raise CheckpointError(f"{path}: this is no checkpoint of a run: it does not say {', '.join(missing)}.")
    for name, kind in KINDS.items():
        if not isinstance(about[name], kind) or isinstance(about[name], bool):
            raise CheckpointError(
                f"{path}: expected a checkpoint of a run, but its {name} is {shortened(about[name])}."
            )
    step, position = about["step"], about["position"]
    if not 0 <= step <= 2**53 or position != step:
        raise CheckpointError(
            f"{path}: expected a step from 0 on, and as many batches read, got step {shortened(step)} and position "
            f"{shortened(position)}. The file was changed; start a new run."
        )
    if about["task"] != task:
        raise CheckpointError(
            f"{path}: expected a checkpoint of the task {task!r}, got one of {shortened(about['task'])}."
        )
    for name, value in options.to_dict().items():
        before = about["options"].get(name)
        if name not in ("steps", "minutes") and before != value:
            raise RunError(
                f"{path.parent}: config.json says {name} is {shortened(value)}, the checkpoint {shortened(before)}. "
                "A run keeps its options: put the old value back, or start a new run."
            )


@contextmanager
def _of(path: Path) -> Iterator[None]:
    """Name the file in what is said of a checkpoint."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None


def trained(folder: str | Path) -> tuple[Task, Trainer]:
    """Open a run to use its model: that of the best validation, or the last one, or that of a checkpoint.

    Raises:
        RunError: the folder is no run.
        CheckpointError: the checkpoint is damaged, or of another run.
    """
    folder, path = place(folder)
    name, options = read_config(folder)
    refuse_if_unbegun(folder)
    path = path or (folder / BEST if (folder / BEST).exists() else folder / LAST)
    saved = checkpoints.load(path)
    _check_same(path, name, options, saved)
    with _of(path):
        task = find(name).restore(options, saved.about["facts"])
        trainer = Trainer(task, options)
        trainer.restore_weights(saved)
    return task, trainer


def steps_in(minutes: float, task: Task, options: RunOptions) -> int:
    """Return how many steps fit into so many minutes, timed on a model that is thrown away."""
    trainer = Trainer(task, options)
    trainer.advance()  # the first step is slower
    begin, steps = time.perf_counter(), 0
    while steps < 5 or time.perf_counter() - begin < 2.0:
        trainer.advance()
        steps += 1
    return max(1, round(minutes * 60 * steps / (time.perf_counter() - begin)))
