"""Callbacks that change the learning rate: by a schedule, or when a number no longer improves."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from minigrad.engine.errors import shown
from minigrad.engine.foreign import naming
from minigrad.engine.kinds import at_least_0, below_1, count
from minigrad.keras.callbacks.base import Callback, Logs
from minigrad.keras.callbacks.monitor import Monitor
from minigrad.layers.options import OptionError, choice, number, option


class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch.

    Args:
        schedule: a function of the epoch, counted from 0, or of the epoch and the current rate.
        verbose: whether to print a line at each change.

    The logs get the rate as ``lr``.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise OptionError(
                f"LearningRateScheduler: `schedule`: expected a function of the epoch, got {shown(schedule)}."
            )
        self.schedule, self.verbose = schedule, choice(0, 1, 2).read("LearningRateScheduler: `verbose`", verbose)
        try:
            self._takes_rate = len(inspect.signature(schedule).parameters) > 1
        except ValueError:  # a function written in C may have no signature
            self._takes_rate = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        optimizer = self.model_for("on_epoch_begin").optimizer
        with naming("LearningRateScheduler: `schedule`"):
            rate = self.schedule(epoch, optimizer.learning_rate) if self._takes_rate else self.schedule(epoch)
            optimizer.learning_rate = rate
        if self.verbose and not self.silent:
            print(f"Epoch {epoch + 1}: the learning rate is {optimizer.learning_rate:g}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the rate."""
        if logs is not None:
            self.read_logs("on_epoch_end", logs)["lr"] = self.model_for("on_epoch_end").optimizer.learning_rate


class ReduceLROnPlateau(Monitor):
    """Multiply the learning rate by `factor` when the number has not improved for `patience` epochs.

    Args:
        factor: the factor, below 1.
        patience: the number of epochs to wait.
        min_delta: as in `Monitor`.
        cooldown: the number of epochs after a change before the count starts again.
        min_lr: the lower bound of the rate.

    The logs get the rate as ``lr``.
    """

    factor: float = option(below_1, 0.1)
    patience: int = option(count, 10)
    min_delta: float = option(number, 1e-4)
    cooldown: int = option(count, 0)
    min_lr: float = option(at_least_0, 0.0)

    order = ("monitor", "factor", "patience", "verbose", "mode")

    wait = cooldown_left = 0  # before the first training
    best: float | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Reset the best value and the counts of epochs."""
        self.wait = self.cooldown_left = 0
        self.best = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the number with the best one."""
        value, optimizer = self.value(logs), self.model_for("on_epoch_end").optimizer
        if logs is not None:
            logs["lr"] = optimizer.learning_rate
        if self.cooldown_left:
            self.cooldown_left, self.wait = self.cooldown_left - 1, 0
        if self.better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.cooldown_left:
            self.wait += 1
            if self.wait >= self.patience and optimizer.learning_rate > self.min_lr:
                optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
                self.say(f"Epoch {epoch + 1}: the learning rate is now {optimizer.learning_rate:g}.")
                self.cooldown_left, self.wait = self.cooldown, 0
