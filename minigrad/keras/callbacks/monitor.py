"""The base class of the callbacks that watch one number of the logs."""

from __future__ import annotations

import math
from typing import ClassVar

from minigrad.engine.errors import UnknownNameError, unknown_name
from minigrad.engine.foreign import naming
from minigrad.engine.kinds import text
from minigrad.keras.callbacks.base import Callback, Logs
from minigrad.layers.options import Configured, Option, choice, number, option


class Monitor(Callback, Configured):
    """The base class of callbacks that watch one number of the logs for an improvement.

    Args:
        monitor: the number's name.
        min_delta: the smallest change that counts as an improvement.
        verbose: whether to print a line at each action.
        mode: ``"min"`` if smaller is better, ``"max"`` if larger is; ``"auto"`` takes max for names that end in acc,
            accuracy or auc.
    """

    monitor: str = option(text, "val_loss")
    min_delta: float = option(number, 0)
    verbose: int = option(choice(0, 1, 2), 0)
    mode: str = option(choice("auto", "min", "max"), "auto")

    order: ClassVar[tuple[str, ...]] = ()  # the arguments that come first

    @classmethod
    def _arranged(cls, options: dict[str, Option]) -> dict[str, Option]:
        return {name: options[name] for name in [*cls.order, *options]}

    def better(self, value: float, than: float | None) -> bool:
        """Return whether a value is better by more than `min_delta`; True for any number if `than` is None."""
        if than is None:
            return not math.isnan(value)
        rising = self.monitor.endswith(("acc", "accuracy", "auc")) if self.mode == "auto" else self.mode == "max"
        delta = abs(self.min_delta)
        return value - delta > than if rising else value + delta < than

    def value(self, logs: Logs | None) -> float:
        """Return the number.

        Raises:
            UnknownNameError: the logs have none of that name.
        """
        logs = self.read_logs("on_epoch_end", logs)
        if self.monitor not in logs:
            with naming(f"{type(self).__name__}: `logs`"):
                raise self._unknown(logs)
        return float(logs[self.monitor])

    @property
    def needs_validation(self) -> bool:
        """Whether the number is one of a validation."""
        return self.monitor.startswith("val_")

    def check_validation(self) -> None:
        """Raise UnknownNameError if the number is one of a validation; `fit` calls this before a training without."""
        if self.needs_validation:
            raise self._unknown({"loss": None})

    def _unknown(self, logs: Logs) -> UnknownNameError:
        hint = "It needs validation_data or validation_split in fit." if self.needs_validation else ""
        return unknown_name(f"{type(self).__name__}: monitor", self.monitor, logs, hint)

    def say(self, text: str) -> None:
        """Print a line, if `verbose`."""
        if self.verbose and not self.silent:
            print(text)
