"""What happens beside the training: stopping, saving, logging. `tf.keras.callbacks`."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable
from typing import Any, ClassVar

from minigrad.engine.errors import unknown_name
from minigrad.engine.files import cannot_write, write_atomically
from minigrad.keras.bounds import at_least_0, below_1, count, text
from minigrad.keras.callback import HOOKS, Callback, CallbackList, Logs
from minigrad.keras.progress import ProgbarLogger
from minigrad.keras.saving import file_name
from minigrad.layers.options import (
    Configured,
    Kind,
    Option,
    OptionError,
    anything,
    choice,
    flag,
    number,
    option,
    optional,
)

__all__ = [
    "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback", "LearningRateScheduler",
    "ModelCheckpoint", "ProgbarLogger", "ReduceLROnPlateau", "TerminateOnNaN",
]  # fmt: skip


class History(Callback):
    """What `fit` returns.

    Attributes:
        history: for each name in the logs, its values, one an epoch.
        epoch: the numbers of the epochs.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keeps the logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class LambdaCallback(Callback):
    """Functions in place of methods: ``LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs))``."""

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        for name, function in hooks.items():
            if name not in HOOKS:
                raise unknown_name("LambdaCallback", name, HOOKS)
            if function is not None and not callable(function):
                raise OptionError(f"LambdaCallback: `{name}`: expected a function, got {function!r}.")
            if function is not None:
                setattr(self, name, function)


class TerminateOnNaN(Callback):
    """Ends the training without an error when the loss is not finite; the step that gave it changed no weight."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Looks at the loss."""
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            print(f"Batch {batch}: the loss is not finite, the training ends.")
            self.model.stop_training = True


# --- that watch one number --------------------------------------------------------------------------------------------


class Monitor(Callback, Configured):
    """The base of those that watch one number of the logs and ask whether it got better.

    Args:
        monitor: its name.
        min_delta: smaller changes do not count.
        verbose: print a line when something is done?
        mode: is ``"min"`` or ``"max"`` good? ``"auto"`` takes max for names that end in acc, accuracy or auc.
    """

    monitor: str = option(text, "val_loss")
    min_delta: float = option(number, 0)
    verbose: int = option(anything, 0)
    mode: str = option(choice("auto", "min", "max"), "auto")

    order: ClassVar[tuple[str, ...]] = ()  # the arguments that come first

    @classmethod
    def _arranged(cls, options: dict[str, Option]) -> dict[str, Option]:
        return {name: options[name] for name in [*cls.order, *options]}

    def better(self, value: float, than: float | None) -> bool:
        """Is a value better, by more than `min_delta`? Any is better than none, and NaN never."""
        if than is None:
            return not math.isnan(value)
        rising = self.monitor.endswith(("acc", "accuracy", "auc")) if self.mode == "auto" else self.mode == "max"
        delta = abs(self.min_delta)
        return value - delta > than if rising else value + delta < than

    def value(self, logs: Logs | None) -> float:
        """Returns the number.

        Raises:
            UnknownNameError: the logs have none of that name.
        """
        logs = logs or {}
        if self.monitor not in logs:
            hint = "It needs validation_data or validation_split in fit." if self.monitor.startswith("val_") else ""
            raise unknown_name(f"{type(self).__name__}: monitor", self.monitor, logs, hint)
        return float(logs[self.monitor])

    def say(self, text: str) -> None:
        """Prints a line, if asked to."""
        if self.verbose:
            print(text)


class EarlyStopping(Monitor):
    """Ends the training when the number did not get better for `patience` epochs.

    Args:
        patience: how many epochs to wait.
        baseline: the number must first get better than this.
        restore_best_weights: at the end of the training, go back to the weights of the best epoch.
        start_from_epoch: look at nothing before this epoch.

    The other arguments are those of `Monitor`.

    The best weights come back whether this callback ended the training, another did, or the epochs were over: as in
    Keras 3, where TensorFlow 2.15 kept the last ones in the latter cases. They are those at the end of the best epoch
    from `start_from_epoch` on; of the first one there, if no number got better. An error or Ctrl-C leaves the last
    weights. Each `fit` starts anew. The optimizer's slots stay those of the last epoch.
    """

    patience: int = option(count, 0)
    baseline: float | None = option(optional(number), None)
    restore_best_weights: bool = option(flag, False)
    start_from_epoch: int = option(count, 0)

    order = ("monitor", "min_delta", "patience")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Starts anew."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: list[Any] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Looks at the number."""
        value = self.value(logs)
        if epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch, self.model.stop_training = epoch, True
            self.say(f"Epoch {epoch + 1}: no better {self.monitor} than {self.best} of epoch {self.best_epoch + 1}.")

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Puts the best weights back."""
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
            self.say(f"The weights are those at the end of epoch {self.best_epoch + 1}.")


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` when the number did not get better for `patience` epochs.

    Args:
        factor: below 1.
        patience: how many epochs to wait.
        min_delta: as of `Monitor`.
        cooldown: how many epochs to wait after a change before counting again.
        min_lr: the rate does not go below this.

    The logs get the rate as ``lr``.
    """

    factor: float = option(below_1, 0.1)
    patience: int = option(count, 10)
    min_delta: float = option(number, 1e-4)
    cooldown: int = option(count, 0)
    min_lr: float = option(at_least_0, 0.0)

    order = ("monitor", "factor", "patience", "verbose", "mode")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Starts anew."""
        self.wait = self.resting = 0
        self.best: float | None = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Looks at the number."""
        value, optimizer = self.value(logs), self.model.optimizer
        if logs is not None:
            logs["lr"] = optimizer.learning_rate
        if self.resting:
            self.resting, self.wait = self.resting - 1, 0
        if self.better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.resting:
            self.wait += 1
            if self.wait >= self.patience and optimizer.learning_rate > self.min_lr:
                optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
                self.say(f"Epoch {epoch + 1}: the learning rate is now {optimizer.learning_rate:g}.")
                self.resting, self.wait = self.cooldown, 0


class ModelCheckpoint(Monitor):
    """Saves the model's weights after each epoch, as `Model.save_weights` does.

    Args:
        filepath: the file, ``.npz``; ``"{epoch:02d}-{val_loss:.3f}.npz"`` is filled in from the logs, epochs from 1.
            As in Keras, folders on the way to it that are not there are made.
        save_best_only: only when the number of `monitor` got better.
        save_weights_only: as in Keras; True, for weights are all that is saved.
        save_freq: as in Keras; ``"epoch"``.
        initial_value_threshold: the number that the first save must be better than.

    The other arguments are those of `Monitor`.
    """

    filepath: str = option(Kind(lambda where, value: file_name(value)))
    save_best_only: bool = option(flag, False)
    save_weights_only: bool = option(choice(True), True)
    save_freq: str = option(choice("epoch"), "epoch")
    initial_value_threshold: float | None = option(optional(number), None)

    order = ("filepath", "monitor", "verbose", "save_best_only", "save_weights_only")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.best = self.initial_value_threshold

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Saves."""
        if self.save_best_only:
            value = self.value(logs)
            if not self.better(value, self.best):
                return
            self.best = value
        known = {**(logs or {}), "epoch": epoch + 1}
        try:
            path = self.filepath.format(**known)
        except KeyError as error:
            raise unknown_name("ModelCheckpoint: filepath", error.args[0], known) from None
        except (ValueError, IndexError) as error:
            raise OptionError(
                f"ModelCheckpoint: `filepath`: expected names in braces, such as '{{epoch:02d}}', got "
                f"{self.filepath!r}: {error}."
            ) from None
        self.model.save_weights(path)
        self.say(f"Epoch {epoch + 1}: saved {path}.")


# --- the rest ---------------------------------------------------------------------------------------------------------


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch.

    Args:
        schedule: a function of the epoch, counted from 0, or of the epoch and the present rate.
        verbose: print a line each time?

    The logs get the rate as ``lr``.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise OptionError(f"LearningRateScheduler: `schedule`: expected a function of the epoch, got {schedule!r}.")
        self.schedule, self.verbose = schedule, verbose
        self._both = len(inspect.signature(schedule).parameters) > 1

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Sets the rate."""
        optimizer = self.model.optimizer
        rate = self.schedule(epoch, optimizer.learning_rate) if self._both else self.schedule(epoch)
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {optimizer.learning_rate:g}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Logs the rate."""
        if logs is not None:
            logs["lr"] = self.model.optimizer.learning_rate


class CSVLogger(Callback):
    """Writes a line of numbers for each epoch, under a line of names.

    Args:
        filename: the file. Folders on the way to it that are not there are made, as `ModelCheckpoint` makes them.
        separator: what stands between two numbers.
        append: add to the file that is there, under its own names?
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        text.read("CSVLogger: `separator`", separator)
        if not isinstance(filename, (str, os.PathLike)):
            raise OptionError(f"CSVLogger: `filename`: expected the path of a file, got {filename!r}.")
        self.filename, self.separator, self.append = (
            str(os.fspath(filename)),
            separator,
            flag.read("CSVLogger: `append`", append),
        )
        self._names: list[str] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Empties the file, or reads the names in it."""
        self._names = []
        if self.append and os.path.exists(self.filename):
            with open(self.filename, encoding="utf-8") as file:
                self._names = file.readline().rstrip("\n").split(self.separator)[1:]
        else:
            write_atomically(self.filename, lambda file: None)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Adds a line."""
        logs = logs or {}
        try:
            with open(self.filename, "a", encoding="utf-8") as file:
                if not self._names:
                    self._names = sorted(logs)
                    print("epoch", *self._names, sep=self.separator, file=file)
                print(epoch, *(logs.get(name, "NA") for name in self._names), sep=self.separator, file=file)
        except OSError as error:
            raise cannot_write(self.filename, error) from None
