"""What a callback is: an object that the training loop tells what it does."""

from __future__ import annotations

from typing import Any

Logs = dict[str, Any]


class Callback:
    """The base class: define the methods that you need.

    `logs` holds the loss and the metrics, means over the epoch so far, and at the end of an epoch ``val_…`` too. It is
    one dictionary for all callbacks, in their order: what one adds, those after it see, and the history keeps.

    Attributes:
        model: the model in training. ``model.stop_training = True`` ends the training after this epoch.
        params: ``epochs``, ``steps``, ``verbose``.
    """

    model: Any = None
    params: dict[str, Any] | None = None

    def set_model(self, model: Any) -> None:
        """Is told the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Is told how long the training will be."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a training step, counted from 0 in each epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a training step."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """`on_train_batch_begin` by its older name."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """`on_train_batch_end` by its older name."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before an evaluation, validation included."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After an evaluation."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class CallbackList:
    """Several callbacks, told the same in their order.

    Attributes:
        for_batches: does any of them ask for the single batches? Else nobody need compute their logs.
    """

    def __init__(self, callbacks: list[Callback], model: Any, params: dict[str, Any]) -> None:
        self.callbacks = callbacks
        for callback in callbacks:
            callback.set_params(params)
            callback.set_model(model)
        self.for_batches = any(_defines(c, hook) for c in callbacks for hook in HOOKS if "batch" in hook)

    def tell(self, hook: str, *args: Any) -> None:
        """Calls one method of each callback."""
        for callback in self.callbacks:
            getattr(callback, hook)(*args)


def _defines(callback: Any, hook: str) -> bool:
    return hook in vars(callback) or getattr(type(callback), hook, None) is not getattr(Callback, hook)
