"""The training loop `fit`, and the same loop without gradients: `evaluate` and `predict`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad.distributed.exchange import any_of, check_equal, synchronize
from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.errors import DataError, NaNLossError, shown
from minigrad.engine.kinds import below_1, count
from minigrad.engine.recording import no_grad
from minigrad.engine.tensor import Tensor
from minigrad.keras.callbacks import Callback, CallbackList, History, LambdaCallback, TerminateOnNaN
from minigrad.keras.callbacks.base import Logs
from minigrad.keras.callbacks.monitor import Monitor
from minigrad.keras.callbacks.progress import ProgbarLogger, formatted
from minigrad.keras.models.data import (
    Arrays,
    Batch,
    Stream,
    class_weighter,
    first_batches,
    source_of,
    unpacked,
)
from minigrad.keras.models.steps import PENDING, StepTrainer, check_keywords, numbers, values_of
from minigrad.layers.options import Kind, choice, flag, optional, positive_int


def _frequency(where: str, value: Any) -> Any:
    """Return the interval between validations in epochs, or the set of validated epochs, counted from 1."""
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


def _read(where: str, **given: Any) -> dict[str, Any]:
    """Return checked arguments of `fit`, `evaluate` or `predict`."""
    return {name: _KINDS[name].read(f"{where}: `{name}`", value) for name, value in given.items()}


class _FitOptions(NamedTuple):
    """Checked arguments of `fit`: the data, and how often to validate."""

    source: Arrays | Stream
    shuffle: bool
    steps: int | None
    weigh: Callable[[Batch], Batch] | None
    validation: Arrays | Stream | None
    validation_steps: int | None
    validation_freq: int | set[int]

    def validates(self, epoch: int) -> bool:
        """Return whether a validation follows this epoch, counted from 1."""
        freq = self.validation_freq
        return self.validation is not None and (epoch in freq if isinstance(freq, set) else epoch % freq == 0)


class Trainer(StepTrainer):
    """A layer with the training loop. The base class of `Model`.

    Attributes:
        stop_training: if True, `fit` ends after this step.
        history: the history of the last `fit`.
    """

    stop_training = False
    history: History | None = None

    # --- fit ----------------------------------------------------------------------------------------------------------

    @check_keywords
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
        """Train the model.

        Args:
            x: the inputs: an array, a list or dictionary of arrays, or an iterable of batches (x, y[, sample_weight]).
            y: the targets, in the structure of the outputs.
            batch_size: 32 by default.
            epochs: the number of the last epoch.
            verbose: 0 shows nothing, 1 a bar (on a terminal) or a line for each epoch, 2 a line.
            callbacks: a list of callbacks.
            validation_split: the fraction of the examples, the last ones before shuffling, to validate with.
            validation_data: (x, y), (x, y, sample_weight), or an iterable of batches, to validate with.
            shuffle: whether to draw a new order for each epoch, from minigrad's generator.
            class_weight: a weight for each class, by which the losses of its examples are multiplied.
            sample_weight: a weight for each example, (batch,), or for each time step.
            initial_epoch: the epoch to resume at, counted from 0.
            steps_per_epoch: the number of batches in an epoch.
            validation_steps: the number of batches in a validation.
            validation_batch_size: as `batch_size` by default.
            validation_freq: the interval between validations in epochs, or a list of epochs, counted from 1.
            on_nan: how to treat a loss that is not finite: ``"raise"``, or ``"continue"``: skip that step and change no
                weight. The default is to raise, unless a `TerminateOnNaN` is among the callbacks. In a validation such
                a loss is an error too; with ``"continue"`` it goes into the logs.

        Returns:
            The history of the logs.

        Raises:
            NaNLossError: a loss is not finite; the message names the step. The weights are those before that step. On
                a device losses are checked a hundred at a time unless `on_nan` is ``"continue"``, so that later steps
                may have changed the weights. Or, at the end of an epoch, a weight is not finite.
            OutOfMemoryError: a batch does not fit into memory; the message names a batch size that does.
            OptionError: an argument is not what it should be.
            DataError: the data cannot be used.
            NotCompiledError: the model has no loss yet.
        """
        _read("fit", epochs=epochs, initial_epoch=initial_epoch, verbose=verbose, shuffle=shuffle, on_nan=on_nan)
        _read("fit", steps_per_epoch=steps_per_epoch, validation_batch_size=validation_batch_size)
        validating = _read("fit", validation_steps=validation_steps, validation_freq=validation_freq)
        self.reset_metrics()
        source = source_of("fit", x, y, sample_weight, batch_size)
        source, validation_data = _split(source, validation_split, validation_data)
        validation = _validation(validation_data, validation_batch_size or batch_size)
        weigh = None if class_weight is None else class_weighter("fit", class_weight)
        options = _FitOptions(source, shuffle, steps_per_epoch, weigh, validation, **validating)
        given, progress = _listed("fit", callbacks), ProgbarLogger(verbose)
        _check_validation(given, validation)
        self._skips_nan = _skips_nan(on_nan, given)
        self.stop_training, self.history = False, History()
        all_callbacks = [*given, self.history, *([progress] if verbose and not self._is_silent else [])]
        params = {"epochs": epochs, "steps": steps_per_epoch or source.steps, "verbose": verbose}
        try:
            self._epochs(range(initial_epoch, epochs), options, CallbackList(all_callbacks, self, params))
        finally:
            progress.close()
        return self.history

    def _epochs(self, epochs: range, options: _FitOptions, callbacks: CallbackList) -> None:
        """Loop over the epochs: train, validate, call the callbacks."""
        if self._is_shared:
            check_equal("shapes of weights", [w.shape for w in self.weights])
            check_equal("data in fit", options.source.fingerprint())
            synchronize(self.weights)
        callbacks.call("on_train_begin", {})
        for epoch in epochs:
            callbacks.call("on_epoch_begin", epoch, {})
            logs = self._epoch(epoch, options, callbacks)
            self._check_weights(epoch)
            if options.validation is not None and options.validates(epoch + 1):
                found = self._test(
                    f"fit, epoch {epoch + 1}, `validation_data`",
                    options.validation,
                    options.validation_steps,
                    callbacks,
                )
                logs |= {f"val_{name}": value for name, value in found.items()}
            callbacks.call("on_epoch_end", epoch, logs)
            if self._stops():
                break
        self.optimizer.finalize_variable_values(self.trainable_weights)
        callbacks.call("on_train_end", {})

    def _epoch(self, epoch: int, options: _FitOptions, callbacks: CallbackList) -> Logs:
        """Loop over the batches of an epoch, and return its logs."""
        self.reset_metrics()
        self._trained, self._pending = (), []
        own_step = type(self).train_step is not StepTrainer.train_step
        logs: Logs = {}
        where = f"fit, epoch {epoch + 1}"
        for step, data in enumerate(first_batches(where, options.source.batches(options.shuffle), options.steps)):
            self._where = f"{where}, step {step + 1}"
            if callbacks.per_batch:
                callbacks.call("on_train_batch_begin", step, {})
            logs = self._run_step(self.train_step, data if options.weigh is None else options.weigh(data))
            if own_step and "loss" in logs:
                self._is_finite(logs["loss"], so_far="")
            if callbacks.per_batch or len(self._pending) == PENDING:
                self._check_pending()
            if callbacks.per_batch:
                callbacks.call("on_train_batch_end", step, numbers(logs))
            if self._stops():
                break
        self._check_pending()
        return numbers(logs)

    def _stops(self) -> bool:
        """Return whether a callback has stopped the training, in any of the processes that share it."""
        self.stop_training = any_of(self.stop_training) if self._is_shared else self.stop_training
        return bool(self.stop_training)

    def _check_weights(self, epoch: int) -> None:
        """Raise NaNLossError for a weight that is not finite though the loss is: after √0, log 0, or overflow."""
        wrong = [] if self._skips_nan else [w.name for w in self._trained if not bool(F.all(F.isfinite(w)))]
        if wrong:
            raise NaNLossError(
                f"fit, epoch {epoch + 1}: the loss is finite, but no longer {', '.join(wrong)}: a gradient was NaN or "
                "infinite, as that of a root or a logarithm is at 0. Add a small number to their arguments, or try a "
                "smaller learning rate."
            )

    # --- evaluate and predict -----------------------------------------------------------------------------------------

    @check_keywords
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
        """Return the loss, or [loss, metrics …] in the order of `metrics_names`, or a dictionary with `return_dict`.

        The arguments are those of `fit`; with ``on_nan="continue"`` a loss that is not finite is returned unchanged.
        """
        _read("evaluate", batch_size=batch_size, verbose=verbose, steps=steps, return_dict=return_dict, on_nan=on_nan)
        self._skips_nan = on_nan == "continue"
        source = source_of("evaluate", x, y, sample_weight, batch_size)
        called = CallbackList(
            _listed("evaluate", callbacks), self, {"steps": steps or source.steps, "verbose": verbose}
        )
        logs = self._test("evaluate", source, steps, called)
        if verbose and not self._is_silent:
            print(formatted(logs))
        return logs if return_dict else values_of(logs)

    def _test(self, where: str, source: Arrays | Stream, steps: int | None, callbacks: CallbackList) -> Logs:
        self.reset_metrics()
        callbacks.call("on_test_begin", {})
        own_step = type(self).test_step is not StepTrainer.test_step
        logs: Logs = {}
        with no_grad():
            for step, data in enumerate(first_batches(where, source.batches(), steps)):
                self._where = f"{where}, step {step + 1}"
                logs = self._run_step(self.test_step, data)
                if own_step and "loss" in logs:
                    self._is_finite(logs["loss"], so_far="")
        logs = numbers(logs)
        callbacks.call("on_test_end", logs)
        return logs

    @check_keywords
    def predict(
        self, x: Any, batch_size: int | None = None, verbose: int | str = "auto", steps: int | None = None
    ) -> Any:
        """Return the outputs for all examples, as NumPy arrays in the structure of the outputs.

        Args:
            x: the inputs, as in `fit`.
            batch_size: 32 by default.
            verbose: as in Keras; without effect.
            steps: the number of batches to predict.
        """
        _read("predict", batch_size=batch_size, verbose=verbose, steps=steps)
        source = source_of("predict", x, None, None, batch_size)
        self._where = "predict"
        with no_grad():
            outputs = [self._predicted(data) for data in first_batches("predict", source.batches(), steps)]
        return tree.map(lambda *parts: F.concat(parts).numpy(), *outputs)

    # --- the earlier names of these for generators --------------------------------------------------------------------

    def fit_generator(self, generator: Any, steps_per_epoch: int | None = None, epochs: int = 1, **more: Any) -> Any:
        """`fit` on an iterable of batches; `more`: further arguments of it."""
        return self.fit(generator, steps_per_epoch=steps_per_epoch, epochs=epochs, **more)

    def evaluate_generator(self, generator: Any, steps: int | None = None, **more: Any) -> Any:
        """`evaluate` on an iterable of batches; `more`: further arguments of it."""
        return self.evaluate(generator, steps=steps, **more)

    def predict_generator(self, generator: Any, steps: int | None = None, **more: Any) -> Any:
        """`predict` on an iterable of batches; `more`: further arguments of it."""
        return self.predict(generator, steps=steps, **more)


def _split(source: Arrays | Stream, fraction: Any, validation_data: Any) -> tuple[Arrays | Stream, Any]:
    """Return the training and validation data; with `validation_split` the latter is a part of the former."""
    if fraction is None or below_1.read("fit: `validation_split`", fraction) == 0:
        return source, validation_data
    if not isinstance(source, Arrays) or validation_data is not None:
        raise DataError(
            f"fit: `validation_split`: expected arrays as `x`, and no `validation_data`, got "
            f"validation_split={fraction}. Leave it out, or pass arrays alone."
        )
    return source.split(fraction)


def _validation(data: Any, batch_size: int | None) -> Arrays | Stream | None:
    """Return the source of validation batches, for (x, y[, sample_weight]) or an iterable of batches."""
    if data is None:
        return None
    where = "fit: validation_data"
    if isinstance(data, (Tensor, dict)) or hasattr(data, "__array__"):
        raise DataError(f"{where}: expected (x, y) or (x, y, sample_weight), got {type(data).__name__} alone.")
    if isinstance(data, (tuple, list)):
        return Arrays(where, *unpacked(tuple(data), where), batch_size)
    if not hasattr(data, "__iter__") and not hasattr(data, "__getitem__"):
        raise DataError(f"{where}: expected (x, y) or an iterable of batches, got {type(data).__name__}.")
    return Stream(where, data)


def _skips_nan(on_nan: str | None, callbacks: list[Callback]) -> bool:
    return on_nan == "continue" or (on_nan is None and any(isinstance(c, TerminateOnNaN) for c in callbacks))


def _check_validation(callbacks: list[Callback], validation: Arrays | Stream | None) -> None:
    """Refuse, before the first epoch, a callback that reads a number of a validation where nothing is validated.

    A custom callback before it may add the number to the logs.
    """
    for callback in callbacks if validation is None else ():
        shipped = type(callback).__module__.startswith(Callback.__module__.rpartition(".")[0])
        if not shipped or isinstance(callback, LambdaCallback):
            return
        if isinstance(callback, Monitor):
            callback.check_validation()


def _listed(where: str, callbacks: Any) -> list[Callback]:
    """Return one callback or several as a list."""
    found = [] if callbacks is None else list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    for callback in found:
        if not isinstance(callback, Callback):
            raise DataError(
                f"{where}: `callbacks`: expected callbacks, got {shown(callback)}. Give objects, not classes."
            )
    return found
