"""One step of training, evaluation or prediction, which `fit` repeats and a custom model may override."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from inspect import signature
from typing import Any, ClassVar, ParamSpec, TypeVar

from minigrad.distributed import sharing
from minigrad.distributed.exchange import allgather
from minigrad.distributed.optimizer import OfWholeBatch
from minigrad.distributed.world import rank, size
from minigrad.engine import functional as F
from minigrad.engine import rows, tree
from minigrad.engine.arguments import flag
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import MinigradError, NaNLossError
from minigrad.engine.flow import FlowAttribute
from minigrad.engine.foreign import naming, with_name
from minigrad.engine.memory import with_advice
from minigrad.engine.recording import no_grad
from minigrad.engine.tensor import Tensor
from minigrad.keras import optimizers
from minigrad.keras.callbacks.base import Logs
from minigrad.keras.metrics import Metric
from minigrad.keras.metrics.shared import results
from minigrad.keras.models.compiled import Compiled, NotCompiledError
from minigrad.keras.models.data import Arrays, class_weighter, tensors, unpacked
from minigrad.layers.layer import Layer
from minigrad.layers.options import unexpected
from minigrad.layers.rnn import RNN
from minigrad.layers.weight import Weight

PENDING = 100  # steps after which losses on a device are checked, all at once

P = ParamSpec("P")
R = TypeVar("R")


QUEUE = ("max_queue_size", "workers", "use_multiprocessing")  # of Keras' readers of batches; without effect here


def check_keywords(method: Callable[P, R]) -> Callable[P, R]:
    """Decorate a method so that an unknown argument raises an error with the nearest known name."""
    known = list(signature(method).parameters)[1:]

    @wraps(method)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        for name in QUEUE:
            kwargs.pop(name, None)
        for name in kwargs.keys() - known:
            raise unexpected(method.__name__, name, known)
        return method(*args, **kwargs)

    return checked


class StepTrainer(Layer):
    """A layer with a loss and an optimizer that runs single steps. The base class of `Trainer`.

    Attributes:
        optimizer: the optimizer given to `compile`.
    """

    serialized_module: ClassVar[str] = "keras"
    optimizer: Any = None
    loss: Any = None
    _compiled: Compiled | None = None
    # Of the fit, evaluate or predict that runs in this thread or task.
    _skips_nan: Any = FlowAttribute(False)  # skip steps whose loss is not finite, instead of raising
    _where: Any = FlowAttribute("train_on_batch")  # the current call and step, for messages
    _trained: Any = FlowAttribute[Sequence[Weight]](())  # the trainable weights at the start of the epoch
    _pending: Any = FlowAttribute[Sequence[tuple[str, Tensor]]](())  # unchecked losses on a device, with their steps

    # --- compile ------------------------------------------------------------------------------------------------------

    @check_keywords
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool | None = None,
        steps_per_execution: int | None = None,
        jit_compile: bool | None = None,
    ) -> None:
        """Configure the training; `minigrad.keras.models.compiled` describes the use of masks and weights.

        Args:
            optimizer: a name or an optimizer.
            loss: a name, a function of (y_true, y_pred) or a `Loss`; for several outputs also a list of them, or a
                dictionary by the outputs' names: their keys, or ``output_1``, ``output_2`` …
            metrics: a list of names, functions or metrics, for all outputs; or a list or dictionary of such lists.
            loss_weights: a factor for the loss of each output.
            weighted_metrics: metrics that use the sample weights.
            run_eagerly: as in Keras; without effect.
            steps_per_execution: as in Keras; without effect.
            jit_compile: as in Keras; without effect.

        Raises:
            UnknownNameError: there is no optimizer or loss of that name.
        """
        if run_eagerly is not None:
            flag("compile: `run_eagerly`", run_eagerly)
        with naming("compile: `optimizer`"):
            self.optimizer = optimizers.get(optimizer)
        self._compiled = Compiled(loss, metrics, loss_weights, weighted_metrics, self._output_name)
        self.loss = loss

    def _output_name(self) -> str | None:
        """Return the second name of the single output, ``output_1``, or None."""
        return None

    @property
    def compiled(self) -> Compiled:
        """The losses and metrics given to `compile`.

        Raises:
            NotCompiledError: `compile` has not been called.
        """
        if self._compiled is None:
            raise NotCompiledError(f"{self.name}: call model.compile(optimizer, loss) first.")
        return self._compiled

    @property
    def metrics(self) -> list[Metric]:
        """The mean loss, and the metrics of `compile`."""
        return self.compiled.metrics

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics, in the order in which `evaluate` returns them."""
        return [metric.name for metric in self.metrics]

    @property
    def _is_shared(self) -> bool:
        """Whether several processes share each batch: the optimizer is a `DistributedOptimizer`."""
        return isinstance(self.optimizer, OfWholeBatch) and size() > 1

    @property
    def _is_silent(self) -> bool:
        """Whether another process prints for this one."""
        return self._is_shared and rank() > 0

    def reset_metrics(self) -> None:
        """Reset the metrics."""
        self.compiled.reset()

    # --- one step, to override ----------------------------------------------------------------------------------------

    def train_step(self, data: Any) -> Logs:
        """Run one training step.

        Args:
            data: (x,), (x, y) or (x, y, sample_weight).

        Returns:
            The entries of the logs, numbers or tensors by name.
        """
        x, y, sample_weight = self._checked(data)
        y_pred = self._outputs_for(x, True)
        loss = self.compute_loss(x, y, y_pred, sample_weight)
        if not self._trained:  # collecting them takes as long as a small layer's call
            self._trained = self.trainable_weights
        if self._skips_nan or getattr(loss.backend, "on_host", False) or self._is_shared:
            if self._is_finite(loss):
                self.optimizer.minimize(loss, self._trained)
        else:  # checking now would cost a transfer
            self._pending = [*self._pending[1 - PENDING :], (self._where, loss.detach())]
            self.optimizer.minimize(loss, self._trained, where=F.isfinite(loss))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> Logs:
        """Evaluate one batch, as `train_step` without a gradient."""
        x, y, sample_weight = self._checked(data)
        y_pred = self._outputs_for(x, False)
        self._is_finite(self.compute_loss(x, y, y_pred, sample_weight), so_far="")
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def _checked(self, data: Any) -> tuple[Any, Any, Any]:
        """Return a batch as (x, y, sample_weight), with the targets that the loss needs."""
        x, y, sample_weight = unpacked(data)
        if self._compiled is not None:
            self._compiled.where = self._where
            self._compiled.check(x, y)
        return x, y, sample_weight

    def predict_step(self, data: Any) -> Any:
        """Return the outputs for one batch."""
        return self._outputs_for(unpacked(data)[0], False)

    def _outputs_for(self, x: Any, training: bool) -> Any:
        try:
            return self(x, training=training)
        except MinigradError as error:
            raise with_name(error, f"{self._where}: the model called on `x`") from error.__cause__

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Tensor:
        """Return the loss of a batch, with `losses` added, and update the mean loss."""
        y, y_pred = tensors("compute_loss: `y`", y), tensors("compute_loss: `y_pred`", y_pred)
        if sample_weight is not None:
            sample_weight = tensors("compute_loss: `sample_weight`", sample_weight)
        return self.compiled.loss(y, y_pred, sample_weight, self.losses)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Logs:
        """Update the metrics with a batch, and return their values so far, which stay on the device."""
        y, y_pred = tensors("compute_metrics: `y`", y), tensors("compute_metrics: `y_pred`", y_pred)
        sample_weight = tensors("compute_metrics: `sample_weight`", sample_weight)
        self.compiled.update(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> Logs:
        """Return the metrics' values so far."""
        return results(self.metrics)

    def _is_finite(self, loss: Any, so_far: str = " That step changed no weight.") -> bool:
        """Return whether the loss is finite; if not, reset stateful layers, and raise unless such steps are skipped."""
        value = float(loss) if rows.current() is None else sharing.mean(loss)  # all processes decide together
        if math.isfinite(value):
            return True
        for layer in self.submodules:
            if isinstance(layer, RNN) and layer.stateful and tree.first(layer.states) is not None:
                layer.reset_states()  # a state that is not finite would stay so
        if self._skips_nan:
            return False
        scaled = " or large `loss_weights`" if self._compiled is not None and self._compiled.is_weighted else ""
        raise NaNLossError(
            f"{self._where}: the loss is {value}.{so_far} Look for NaN in the data{scaled}, try a smaller learning "
            f"rate (it is {self.optimizer.learning_rate:g}) or clipping (global_clipnorm=1.0), or continue anyway "
            'with fit(on_nan="continue") or evaluate(on_nan="continue").'
        )

    def _check_pending(self) -> None:
        """Raise NaNLossError for the first pending loss on the device that is not finite."""
        pending, self._pending = self._pending, []
        if pending and not bool(F.all(F.isfinite(F.stack([loss for _, loss in pending])))):
            for self._where, loss in pending:
                self._is_finite(loss)

    def _run_step(self, step: Callable[[Any], R], data: Any) -> R:
        """Run a step on a batch, or on this process's rows. If memory runs out, the error names a size that fits."""
        try:
            if not self._is_shared:
                return step(data)
            own, taken = sharing.rows_and_parts(data)
            with rows.of_batch(own):
                return step(taken)
        except MemoryError as error:
            x = tree.first(unpacked(data)[0])
            raise with_advice(self._where, x.backend, error, x.shape[0]) from error

    def _predicted(self, data: Any) -> Any:
        """Return the outputs for a batch, of all its rows."""
        return self._run_step(self._outputs_of_all_rows, data)

    def _outputs_of_all_rows(self, data: Any) -> Any:
        outputs, own = self.predict_step(data), rows.current()
        return outputs if own is None else tree.map(lambda y: allgather(y[: own.stop - own.start]), outputs)

    # --- single batches -----------------------------------------------------------------------------------------------

    @check_keywords
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """Run one training step, and return its loss and metrics as `evaluate` does."""
        reset_metrics, return_dict = _flags("train_on_batch", reset_metrics, return_dict)
        data = Arrays("train_on_batch", x, y, sample_weight, None).whole()
        if class_weight is not None:
            data = class_weighter("train_on_batch", class_weight)(data)
        if reset_metrics:
            self.reset_metrics()
        self._where, self._skips_nan, self._trained, self._pending = "train_on_batch", False, (), []
        logs = numbers(self._run_step(self.train_step, data))
        self._check_pending()
        return logs if return_dict else values_of(logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, reset_metrics: bool = True, return_dict: bool = False
    ) -> Any:
        """Evaluate one batch, and return its loss and metrics as `evaluate` does."""
        reset_metrics, return_dict = _flags("test_on_batch", reset_metrics, return_dict)
        data = Arrays("test_on_batch", x, y, sample_weight, None).whole()
        if reset_metrics:
            self.reset_metrics()
        self._where, self._skips_nan = "test_on_batch", False
        with no_grad():
            logs = numbers(self._run_step(self.test_step, data))
        return logs if return_dict else values_of(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch, as NumPy arrays."""
        self._where = "predict_on_batch"
        with no_grad():
            outputs = self._predicted(Arrays("predict_on_batch", x, None, None, None).whole())
        return tree.map(lambda y: y.numpy(), outputs)


def _flags(where: str, reset_metrics: bool, return_dict: bool) -> tuple[bool, bool]:
    return flag(f"{where}: `reset_metrics`", reset_metrics), flag(f"{where}: `return_dict`", return_dict)


def numbers(logs: Logs) -> Logs:
    """Return logs as Python numbers, which are read from the device only here."""
    return {name: value if isinstance(value, float) else float(as_tensor(value)) for name, value in logs.items()}


def values_of(logs: Logs) -> Any:
    """Return the values of the logs: a single number, or a list."""
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
