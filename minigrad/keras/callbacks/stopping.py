"""Callbacks that end the training: when a number no longer improves, or when the loss is not finite."""

from __future__ import annotations

import math
from typing import Any

from minigrad.engine.arguments import integer
from minigrad.engine.kinds import count
from minigrad.keras.callbacks.base import Callback, Logs
from minigrad.keras.callbacks.monitor import Monitor
from minigrad.layers.options import flag, number, option, optional


class TerminateOnNaN(Callback):
    """End the training without an error when the loss is not finite; that step changes no weight."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Check the loss."""
        loss = self.read_logs("on_batch_end", logs).get("loss")
        if loss is not None and not math.isfinite(loss):
            print(f"Batch {batch}: the loss is not finite, the training ends.")
            self.model_for("on_batch_end").stop_training = True


class EarlyStopping(Monitor):
    """End the training when the number has not improved for `patience` epochs.

    Args:
        patience: the number of epochs to wait.
        baseline: a value that the number must beat first.
        restore_best_weights: whether to restore the weights of the best epoch at the end of the training.
        start_from_epoch: the first epoch to watch.

    The other arguments are those of `Monitor`.

    The best weights are restored however the training ends: by this callback, by another, or after the last epoch.
    Keras 3 does the same; TensorFlow 2.15 kept the last weights in the latter two cases. The best weights are those at
    the end of the best epoch from `start_from_epoch` on; without any improvement, those of the first epoch there. After
    an error or Ctrl-C the last weights stay. Each `fit` resets the callback. The optimizer's slots stay those of the
    last epoch.
    """

    patience: int = option(count, 0)
    baseline: float | None = option(optional(number), None)
    restore_best_weights: bool = option(flag, False)
    start_from_epoch: int = option(count, 0)

    order = ("monitor", "min_delta", "patience")

    wait = stopped_epoch = best_epoch = 0  # before the first training
    best: float | None = None
    best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Reset the best value and the count of epochs."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the number with the best one."""
        value, epoch = self.value(logs), integer("EarlyStopping.on_epoch_end: `epoch`", epoch)
        if epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model_for("on_epoch_end").get_weights(), epoch
        self.wait += 1
        if self.better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model_for("on_epoch_end").get_weights()
            if self.better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch, self.model_for("on_epoch_end").stop_training = epoch, True
            self.say(f"Epoch {epoch + 1}: no better {self.monitor} than {self.best} of epoch {self.best_epoch + 1}.")

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restore the best weights."""
        if self.best_weights is not None:
            self.model_for("on_train_end").set_weights(self.best_weights)
            self.say(f"The weights are those at the end of epoch {self.best_epoch + 1}.")
