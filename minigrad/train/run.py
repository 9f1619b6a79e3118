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
"""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from minigrad.errors import NaNLossError
from minigrad.keras.files import cannot_write, write_atomically
from minigrad.plot.curves import learning_curve
from minigrad.train import checkpoint as checkpoints
from minigrad.train.checkpoint import BEST, LAST, Checkpoint
from minigrad.train.errors import CheckpointError, RunError
from minigrad.train.files import read_json, write_json
from minigrad.train.interrupt import Interruption
from minigrad.train.lock import locked, refuse_if_held
from minigrad.train.metrics import Metrics
from minigrad.train.progress import Progress, Silent
from minigrad.train.task import RunOptions, Score, Task
from minigrad.train.tasks.table import find
from minigrad.train.trainer import Step, Trainer

CONFIG = "config.json"


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

    @classmethod
    def create(cls, folder: str | Path, options: RunOptions, task: str) -> Self:
        """Makes the folder of a new run, with its first checkpoint.

        Args:
            folder: must not exist, or be empty.
            options: the options of the task.
            task: its name.

        Raises:
            RunError: there is something at that place already.
        """
        folder = Path(folder)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            resumed = f"go on with it by --resume {folder}, or " if (folder / CONFIG).exists() else ""
            raise RunError(f"--out {folder}: this exists already; {resumed}choose another place with --out.")
        run = cls(folder, find(task)(options), options)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(str(cannot_write(f"--out {folder}", error))) from None
        run._write_config()
        run.save()
        return run

    @classmethod
    def resume(cls, folder: str | Path, steps: int | None = None) -> Self:
        """Opens a run where its last checkpoint left it. Nothing is written before `train`.

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
        saved = checkpoints.load(path or folder / LAST)
        _check_same(path or folder / LAST, task, options, saved)
        done = saved.about["step"]
        if steps is not None and steps < done:
            raise RunError(f"--resume {folder}: the run has made {done} steps; expected --steps of more, got {steps}.")
        options = replace(options, steps=steps or options.steps)
        if done >= options.steps and (folder / "result.json").exists():
            raise RunError(
                f"--resume {folder}: the run is complete, {done} of {options.steps} steps. To train it longer, add "
                "--steps with a larger number."
            )
        run = cls(folder, find(task)(options), options)
        if run.task.facts() != saved.about["facts"]:
            raise RunError(
                f"--resume {folder}: the data are not those that the run began with. Put them back, or start a new run."
            )
        with _of(path or folder / LAST):
            run.trainer.restore(saved)
        run.best, run._settled = saved.about["best"], False
        return run

    # --- training -----------------------------------------------------------------------------------------------------

    def train(self, progress: Progress | None = None, interruption: Interruption | None = None) -> bool:
        """Trains until the last step, or until somebody interrupts.

        Args:
            progress: what is told of each step.
            interruption: asked after each step; once it is true, the run is saved and left.

        Returns:
            Whether the run is complete.

        Raises:
            NaNLossError: a loss was not finite, and the options say to stop.
            RunError: another process trains in this folder.
            FileError: a file cannot be written. The checkpoint before is kept.
        """
        progress = progress or Silent()
        with locked(self.folder):
            self._settle()
            while self.trainer.step < self.options.steps:
                if interruption:
                    self.save()
                    self.draw()
                    return False
                self._advance(progress)
            self.finish()
        return True

    def _settle(self) -> None:
        """Makes the files those of the step that the run goes on from, and removes what a killed process left."""
        for left in self.folder.glob(".*.tmp"):
            left.unlink(missing_ok=True)
        if not self._settled:
            self.save()  # first: it may be of a step before that of the last checkpoint
            self.metrics.keep_until(self.trainer.step)
            self._write_config()
            self._settled = True

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
        """Returns the task's baseline, computed once."""
        if self._baseline is None:
            self._baseline = self.task.baseline()
        return self._baseline

    def finish(self) -> None:
        """Writes ``result.json`` and the learning curve."""
        write_json(self.folder / "result.json", self.result())
        self.draw()

    def result(self) -> dict[str, Any]:
        """Returns the numbers of the last evaluation beside the baseline's; see `Task.beats`."""
        evaluated = [record for record in self.metrics.read() if "validation" in record]
        metric, baseline = self.task.metric, self.baseline()
        last = evaluated[-1]["validation"] if evaluated else {}
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
        """Writes a checkpoint."""
        state = self.trainer.capture()
        checkpoints.save(self.folder / name, Checkpoint({**state.about, "best": self.best}, state.arrays))

    def _write_config(self) -> None:
        write_json(self.folder / CONFIG, {"task": self.task.name, "options": self.options.to_dict()})

    def draw(self) -> bool:
        """Draws ``curve.png``; returns False where matplotlib is not installed, or no step was made yet."""
        records = self.metrics.read()
        if not records or importlib.util.find_spec("matplotlib") is None:
            return False
        nan = float("nan")
        steps = [record["step"] for record in records]
        losses = [nan if record["loss"] is None else record["loss"] for record in records]
        validation, baseline = self._comparable(records)
        ax = learning_curve(steps, losses, validation, baseline, self.task.unit)
        write_atomically(self.folder / "curve.png", lambda file: ax.figure.savefig(file, format="png", dpi=150))
        return True

    def _comparable(self, records: list[dict[str, Any]]) -> tuple[list[tuple[int, float]], tuple[str, float] | None]:
        """The validation and the baseline, where they are in the unit of the loss."""
        if self.task.metric != self.task.unit.replace(" ", "_"):
            return [], None
        values = [(r["step"], r["validation"][self.task.metric]) for r in records if "validation" in r]
        baseline = self.baseline()
        return [(step, value) for step, value in values if value is not None], (baseline.name, baseline.value)


def place(path: str | Path) -> tuple[Path, Path | None]:
    """Returns the folder of a run, and the checkpoint if one was named in its place.

    Raises:
        RunError: the checkpoint is not in the folder of a run.
    """
    path = Path(path)
    if path.is_dir() or path.suffix != ".npz":
        return path, None
    if path.exists() and not (path.parent / CONFIG).exists():
        raise RunError(f"{path}: there is no config.json beside it, so it is no checkpoint of a run.")
    return path.parent, path


def read_config(folder: Path) -> tuple[str, RunOptions]:
    """Returns the task's name and the options of a run.

    Raises:
        RunError: the folder is no run.
        OptionError: the options are not those of the task.
    """
    path = folder / CONFIG
    if not path.exists():
        raise RunError(f"{folder}: {_no_run(folder)}")
    config = read_json(path)
    if not isinstance(config.get("task"), str) or not isinstance(config.get("options"), dict):
        raise RunError(f"{path}: expected a task and its options. Was it edited?")
    task = find(config["task"])
    return config["task"], task.options_type.from_dict(config["options"], str(path))


def _no_run(path: Path) -> str:
    if path.is_dir():
        return "it has no config.json, so it is no run."
    if path.exists():
        nearest = f" Did you mean {str(path.parent)!r}?" if (path.parent / CONFIG).exists() else ""
        return f"expected the folder of a run, or one of its checkpoints (.npz), got another file.{nearest}"
    return "there is no such folder."


def _check_same(path: Path, task: str, options: RunOptions, saved: Checkpoint) -> None:
    """The checkpoint must be of the run that the folder describes; only its length may change."""
    about = saved.about
    missing = [name for name in ("task", "options", "facts", "step", "position", "random", "best") if name not in about]
    if missing:
        raise CheckpointError(f"{path}: this is no checkpoint of a run: it does not say {', '.join(missing)}.")
    if about["task"] != task:
        raise CheckpointError(f"{path}: expected a checkpoint of the task {task!r}, got one of {about['task']!r}.")
    for name, value in options.to_dict().items():
        before = about["options"].get(name)
        if name not in ("steps", "minutes") and before != value:
            raise RunError(
                f"{path.parent}: config.json says {name} is {value!r}, the checkpoint {before!r}. A run keeps its "
                "options: put the old value back, or start a new run."
            )


@contextmanager
def _of(path: Path) -> Iterator[None]:
    """Names the file in what is said of a checkpoint."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None


def trained(folder: str | Path) -> tuple[Task, Trainer]:
    """Opens a run to use its model: that of the best validation, or the last one, or that of a checkpoint.

    Raises:
        RunError: the folder is no run.
        CheckpointError: the checkpoint is damaged, or of another run.
    """
    folder, path = place(folder)
    name, options = read_config(folder)
    path = path or (folder / BEST if (folder / BEST).exists() else folder / LAST)
    saved = checkpoints.load(path)
    _check_same(path, name, options, saved)
    task = find(name).restore(options, saved.about["facts"])
    trainer = Trainer(task, options)
    with _of(path):
        trainer.restore_weights(saved)
    return task, trainer


def steps_in(minutes: float, task: Task, options: RunOptions) -> int:
    """Returns how many steps fit into so many minutes, timed on a model that is thrown away."""
    trainer = Trainer(task, options)
    trainer.advance()  # the first step is slower
    begin, steps = time.perf_counter(), 0
    while steps < 5 or time.perf_counter() - begin < 2.0:
        trainer.advance()
        steps += 1
    return max(1, round(minutes * 60 * steps / (time.perf_counter() - begin)))
