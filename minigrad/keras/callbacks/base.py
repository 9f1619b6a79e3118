"""The base class of callbacks, and the list in which the training loop holds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine.arguments import dictionary, listed
from minigrad.engine.errors import MinigradError, shown, unknown_name
from minigrad.engine.foreign import with_name
from minigrad.layers.options import OptionError

Logs = dict[str, Any]


class Callback:
    """The base class of callbacks: override the hooks that you need.

    `logs` holds the loss and the metrics, each the mean over the epoch so far; at the end of an epoch ``val_…`` too.
    All callbacks share one dictionary, in their order: an entry that one adds is seen by those after it, and kept in
    the history.

    Attributes:
        model: the model in training. ``model.stop_training = True`` ends the training after this epoch.
        params: ``epochs``, ``steps``, ``verbose``.
    """

    model: Any = None
    params: dict[str, Any] | None = None

    def set_model(self, model: Any) -> None:
        """Set the model in training."""
        self.model = model

    def read_logs(self, hook: str, logs: Any) -> Logs:
        """Return the logs given to one of the hooks; None stands for no logs."""
        return dictionary(f"{type(self).__name__}.{hook}: `logs`", {} if logs is None else logs)

    @property
    def silent(self) -> bool:
        """Whether another process, with which the model shares its batches, prints and writes for this one."""
        return bool(getattr(self.model, "_is_silent", False))

    def model_for(self, hook: str) -> Any:
        """Return the model in training for one of the hooks.

        Raises:
            OptionError: there is none.
        """
        if self.model is None:
            raise OptionError(
                f"{type(self).__name__}.{hook}: `model`: expected set_model(model) first, which fit calls."
            )
        return self.model

    def set_params(self, params: dict[str, Any]) -> None:
        """Set the parameters of the training: its epochs and steps."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Hook before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Hook after the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Hook before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Hook after an epoch and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hook before a training step, counted from 0 in each epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hook after a training step."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """`on_train_batch_begin` by its older name."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """`on_train_batch_end` by its older name."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Hook before an evaluation, validation included."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Hook after an evaluation."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class CallbackList:
    """Several callbacks, called in their order.

    Attributes:
        per_batch: whether a callback defines a hook of single batches. If none does, the logs of batches are not
            computed.
    """

    def __init__(self, callbacks: list[Callback], model: Any, params: dict[str, Any]) -> None:
        self.callbacks = listed("CallbackList: `callbacks`", callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise OptionError(f"CallbackList: `callbacks`: expected callbacks, got {shown(callback)}.")
            callback.set_params(params)
            callback.set_model(model)
        self.per_batch = any(_defines(c, hook) for c in self.callbacks for hook in HOOKS if "batch" in hook)

    def call(self, hook: str, *args: Any) -> None:
        """Call one hook of each callback."""
        for callback in self.callbacks:
            try:
                getattr(callback, hook)(*args)
            except MinigradError as error:
                if hook in vars(callback):  # a function given to LambdaCallback
                    raise with_name(error, f"{type(callback).__name__}: `{hook}`") from error.__cause__
                raise

    tell = call  # by its earlier name, as the next one

    @property
    def for_batches(self) -> bool:
        """`per_batch` by its earlier name."""
        return self.per_batch


def _defines(callback: Any, hook: str) -> bool:
    return hook in vars(callback) or getattr(type(callback), hook, None) is not getattr(Callback, hook)


class LambdaCallback(Callback):
    """Functions in place of methods: ``LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs))``."""

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        for name, function in hooks.items():
            if name not in HOOKS:
                raise unknown_name("LambdaCallback", name, HOOKS)
            if function is not None and not callable(function):
                raise OptionError(f"LambdaCallback: `{name}`: expected a function, got {shown(function)}.")
            if function is not None:
                setattr(self, name, function)
