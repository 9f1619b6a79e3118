"""The callback that saves the weights after each epoch."""

from __future__ import annotations

from typing import Any

from minigrad.engine.errors import unknown_name
from minigrad.keras.callbacks.base import Logs
from minigrad.keras.callbacks.monitor import Monitor
from minigrad.keras.saving import file_name
from minigrad.layers.options import Kind, OptionError, choice, flag, number, option, optional


class ModelCheckpoint(Monitor):
    """Save the model's weights after each epoch, as `Model.save_weights` does.

    Args:
        filepath: the file, ``.npz``; ``"{epoch:02d}-{val_loss:.3f}.npz"`` is filled in from the logs, epochs from 1.
            As in Keras, missing folders of the path are created.
        save_best_only: whether to save only when the number of `monitor` improves.
        save_weights_only: as in Keras; True, because only weights are saved.
        save_freq: as in Keras; ``"epoch"``.
        initial_value_threshold: the number that the first save must improve on.

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

    @property
    def needs_validation(self) -> bool:
        """Whether it reads a number of a validation."""
        return self.save_best_only and super().needs_validation

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save the weights."""
        if self.save_best_only:
            value = self.value(logs)
            if not self.better(value, self.best):
                return
            self.best = value
        known = {**(logs or {}), "epoch": epoch + 1}
        try:
            path = self.filepath.format(**known)
        except KeyError as error:
            raise unknown_name("ModelCheckpoint: `filepath`", error.args[0], known) from None
        except (ValueError, IndexError, TypeError, AttributeError) as error:
            raise OptionError(
                f"ModelCheckpoint: `filepath`: expected names in braces, such as '{{epoch:02d}}', got "
                f"{self.filepath!r}: {error}."
            ) from None
        if not self.silent:  # the weights of all processes are the same
            self.model_for("on_epoch_end").save_weights(path)
        self.say(f"Epoch {epoch + 1}: saved {path}.")
