"""The training loop: `fit`, and beside it `evaluate` and `predict`, which are the same loop without gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.errors import DataError, NaNLossError
from minigrad.engine.tensor import Tensor, recording
from minigrad.keras.bounds import count, real
from minigrad.keras.callbacks import Callback, CallbackList, History, TerminateOnNaN
from minigrad.keras.models.data import Arrays, Batch, Stream, source_of, taken, unpacked, with_class_weight
from minigrad.keras.models.steps import UNREAD, Logs, Stepping, explained, numbers, values_of
from minigrad.keras.progress import ProgbarLogger, summary_of
from minigrad.layers.options import Kind, choice, flag, optional, positive_int


def _frequency(where: str, value: Any) -> Any:
    """After every so many epochs, or the epochs after which, counted from 1."""
    if isinstance(value, (list, tuple, set, range)):
        return {positive_int.read(where, epoch) for epoch in value}
    return positive_int.read(where, value)


_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("epochs", "initial_epoch"), count),
    **dict.fromkeys(("steps", "steps_per_epoch", "validation_steps"), optional(positive_int)),
    "validation_batch_size": optional(positive_int),
    "validation_freq": Kind(_frequency),
    "verbose": choice(0, 1, 2, "auto"),
    **dict.fromkeys(("shuffle", "return_dict", "reset_metrics"), flag),
    "batch_size": optional(positive_int),
    "on_nan": choice(None, "raise", "continue"),
}


_SPLIT = real("a fraction between 0 and 1", lambda x: 0 <= x < 1)


def _read(where: str, **given: Any) -> dict[str, Any]:
    """Returns the arguments of `fit` and its like, each checked."""
    return {name: _KINDS[name].read(f"{where}: `{name}`", value) for name, value in given.items()}


class _Plan(NamedTuple):
    """What `fit` was asked for."""

    source: Arrays | Stream
    shuffle: bool
    steps: int | None
    weigh: Callable[[Batch], Batch] | None
    validation: Arrays | Stream | None
    validation_steps: int | None
    validation_freq: int | set[int]

    def validates(self, epoch: int) -> bool:
        """Is an epoch, counted from 1, one that a validation follows?"""
        freq = self.validation_freq
        return self.validation is not None and (epoch in freq if isinstance(freq, set) else epoch % freq == 0)


class Trainable(Stepping):
    """A layer with the training loop. The base class of `Model`.

    Attributes:
        stop_training: set it, and `fit` ends after the step.
        history: of the last `fit`.
    """

    stop_training = False
    history: History | None = None

    # --- fit ----------------------------------------------------------------------------------------------------------

    @explained
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        on_nan: str | None = None,
    ) -> History:
        """Trains.

        Args:
            x: the inputs: an array, or lists or dictionaries of them; or what yields batches (x, y[, sample_weight]).
            y: the targets, in the structure of the outputs.
            batch_size: 32 by default.
            epochs: the number of the last epoch.
            verbose: 0 shows nothing, 1 a bar (on a terminal) or a line for each epoch, 2 a line.
            callbacks: a list of callbacks.
            validation_split: the fraction of the examples, the last ones before shuffling, to validate with.
            validation_data: (x, y), (x, y, sample_weight), or what yields batches, to validate with.
            shuffle: draw a new order for each epoch, from minigrad's generator?
            class_weight: a weight for each class, by which the losses of its examples are multiplied.
            sample_weight: a weight for each example, (batch,), or for each time step.
            initial_epoch: where to go on, counted from 0.
            steps_per_epoch: after how many batches an epoch ends.
            validation_steps: after how many batches a validation ends.
            validation_batch_size: as `batch_size` by default.
            validation_freq: validate after every so many epochs, or after the epochs of a list, counted from 1.
            on_nan: what to do about a loss that is not finite: ``"raise"``, or ``"continue"``: leave out that step, no
                weight changes. To raise is the default, unless a `TerminateOnNaN` is among the callbacks. In a
                validation such a loss is an error too, and with ``"continue"`` it stands in the logs.

        Returns:
            The history of the logs.

        Raises:
            NaNLossError: a loss is not finite; says where. The weights are as they were before that step; on a device,
                where losses are looked at a hundred at a time unless `on_nan` is ``"continue"``, later steps may have
                changed them. Or, at the end of an epoch, a weight is not.
            OutOfMemoryError: a batch does not fit; says which batch size would.
            OptionError: an argument is not what it should be.
            DataError: the data cannot be used.
            NotCompiledError: there is no loss yet.
        """
        _read("fit", epochs=epochs, initial_epoch=initial_epoch, verbose=verbose, shuffle=shuffle, on_nan=on_nan)
        _read("fit", steps_per_epoch=steps_per_epoch, validation_batch_size=validation_batch_size)
        validating = _read("fit", validation_steps=validation_steps, validation_freq=validation_freq)
        self.reset_metrics()
        source = source_of("fit", x, y, sample_weight, batch_size)
        source, validation_data = _divided(source, validation_split, validation_data)
        validation = _validation(validation_data, validation_batch_size or batch_size)
        weigh = None if class_weight is None else with_class_weight("fit", class_weight)
        plan = _Plan(source, shuffle, steps_per_epoch, weigh, validation, **validating)
        given, progress = _listed(callbacks), ProgbarLogger(verbose)
        self._skips_nan = _skips_nan(on_nan, given)
        self.stop_training, self.history = False, History()
        everybody = [*given, self.history, *([progress] if verbose else [])]
        params = {"epochs": epochs, "steps": steps_per_epoch or source.steps, "verbose": verbose}
        try:
            self._epochs(range(initial_epoch, epochs), plan, CallbackList(everybody, self, params))
        finally:
            progress.close()
        return self.history

    def _epochs(self, epochs: range, plan: _Plan, told: CallbackList) -> None:
        """The loop over epochs: train, validate, tell the callbacks."""
        told.tell("on_train_begin", {})
        for epoch in epochs:
            told.tell("on_epoch_begin", epoch, {})
            logs = self._epoch(epoch, plan, told)
            self._check_weights(epoch)
            if plan.validation is not None and plan.validates(epoch + 1):
                found = self._test(f"fit, epoch {epoch + 1}, validation", plan.validation, plan.validation_steps, told)
                logs |= {f"val_{name}": value for name, value in found.items()}
            told.tell("on_epoch_end", epoch, logs)
            if self.stop_training:
                break
        self.optimizer.finalize_variable_values(self.trainable_weights)
        told.tell("on_train_end", {})

    def _epoch(self, epoch: int, plan: _Plan, told: CallbackList) -> Logs:
        """The loop over the batches of an epoch. Returns its logs."""
        self.reset_metrics()
        self._trained, self._unread = (), []
        own_step = type(self).train_step is not Stepping.train_step
        logs: Logs = {}
        where = f"fit, epoch {epoch + 1}"
        for step, data in enumerate(taken(where, plan.source.batches(plan.shuffle), plan.steps)):
            self._place = f"{where}, step {step + 1}"
            if told.for_batches:
                told.tell("on_train_batch_begin", step, {})
            logs = self._fitting(self.train_step, data if plan.weigh is None else plan.weigh(data))
            if own_step and "loss" in logs:
                self._is_finite(logs["loss"], so_far="")
            if told.for_batches or len(self._unread) == UNREAD:
                self._look()
            if told.for_batches:
                told.tell("on_train_batch_end", step, numbers(logs))
            if self.stop_training:
                break
        self._look()
        return numbers(logs)

    def _check_weights(self, epoch: int) -> None:
        """Raises NaNLossError if a gradient was not finite though the loss was: at √0, log 0, or beyond the dtype."""
        wrong = [] if self._skips_nan else [w.name for w in self._trained if not bool(F.all(F.isfinite(w)))]
        if wrong:
            raise NaNLossError(
                f"fit, epoch {epoch + 1}: the loss is finite, but no longer {', '.join(wrong)}: a gradient was NaN or "
                "infinite, as that of a root or a logarithm is at 0. Keep their arguments away from it by a small "
                "number, or try a smaller learning rate."
            )

    # --- evaluate and predict -----------------------------------------------------------------------------------------

    @explained
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        on_nan: str = "raise",
    ) -> Any:
        """Returns the loss, or [loss, metrics …] in the order of `metrics_names`, or all by name with `return_dict`.

        The arguments are those of `fit`; with ``on_nan="continue"`` a loss that is not finite is returned as it is.
        """
        _read("evaluate", batch_size=batch_size, verbose=verbose, steps=steps, return_dict=return_dict, on_nan=on_nan)
        self._skips_nan = on_nan == "continue"
        source = source_of("evaluate", x, y, sample_weight, batch_size)
        told = CallbackList(_listed(callbacks), self, {"steps": steps or source.steps, "verbose": verbose})
        logs = self._test("evaluate", source, steps, told)
        if verbose:
            print(summary_of(logs))
        return logs if return_dict else values_of(logs)

    def _test(self, where: str, source: Arrays | Stream, steps: int | None, told: CallbackList) -> Logs:
        self.reset_metrics()
        told.tell("on_test_begin", {})
        own_step = type(self).test_step is not Stepping.test_step
        logs: Logs = {}
        with recording(False):
            for step, data in enumerate(taken(where, source.batches(), steps)):
                self._place = f"{where}, step {step + 1}"
                logs = self._fitting(self.test_step, data)
                if own_step and "loss" in logs:
                    self._is_finite(logs["loss"], so_far="")
        logs = numbers(logs)
        told.tell("on_test_end", logs)
        return logs

    @explained
    def predict(
        self, x: Any, batch_size: int | None = None, verbose: int | str = "auto", steps: int | None = None
    ) -> Any:
        """Returns the outputs for all examples, NumPy arrays in the structure of the outputs.

        Args:
            x: the inputs, as in `fit`.
            batch_size: 32 by default.
            verbose: as in Keras; nothing is shown.
            steps: after how many batches to stop.
        """
        _read("predict", batch_size=batch_size, verbose=verbose, steps=steps)
        source = source_of("predict", x, None, None, batch_size)
        self._place = "predict"
        with recording(False):
            outputs = [self._fitting(self.predict_step, data) for data in taken("predict", source.batches(), steps)]
        return tree.map(lambda *parts: F.concat(parts).numpy(), *outputs)


def _divided(source: Arrays | Stream, fraction: Any, validation_data: Any) -> tuple[Arrays | Stream, Any]:
    """What to train on, and what to validate with, which with `validation_split` is a part of the former."""
    if fraction is None or _SPLIT.read("fit: `validation_split`", fraction) == 0:
        return source, validation_data
    if not isinstance(source, Arrays) or validation_data is not None:
        raise DataError("fit: `validation_split` wants arrays, and no `validation_data` beside it.")
    return source.divided(fraction)


def _validation(data: Any, batch_size: int | None) -> Arrays | Stream | None:
    """Where validation batches come from: (x, y[, sample_weight]), or what yields batches."""
    if data is None:
        return None
    where = "fit: validation_data"
    if isinstance(data, (Tensor, dict)) or hasattr(data, "__array__"):
        raise DataError(f"{where}: expected (x, y) or (x, y, sample_weight), got {type(data).__name__} alone.")
    if isinstance(data, (tuple, list)):
        return Arrays(where, *unpacked(tuple(data), where), batch_size)
    if not hasattr(data, "__iter__") and not hasattr(data, "__getitem__"):
        raise DataError(f"{where}: expected (x, y) or what yields batches, got {type(data).__name__}.")
    return Stream(where, data)


def _skips_nan(on_nan: str | None, callbacks: list[Callback]) -> bool:
    return on_nan == "continue" or (on_nan is None and any(isinstance(c, TerminateOnNaN) for c in callbacks))


def _listed(callbacks: Any) -> list[Callback]:
    """One callback or several, as a list."""
    found = [] if callbacks is None else list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    for callback in found:
        if not isinstance(callback, Callback):
            raise DataError(f"`callbacks`: expected callbacks, got {callback!r}. Give objects, not classes.")
    return found
