"""One step of training, evaluation or prediction: what `fit` repeats, and what a model of one's own may override."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from inspect import signature
from typing import Any, ClassVar, ParamSpec, TypeVar

from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.arguments import flag
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import NaNLossError
from minigrad.engine.flow import FlowAttribute
from minigrad.engine.memory import with_advice
from minigrad.engine.tensor import Tensor, recording
from minigrad.keras import optimizers
from minigrad.keras.metrics import Metric
from minigrad.keras.models.compiled import Compiled, NotCompiledError
from minigrad.keras.models.data import Arrays, unpacked, with_class_weight
from minigrad.layers.layer import Layer
from minigrad.layers.options import unexpected
from minigrad.layers.rnn import RNN
from minigrad.layers.weight import Weight

UNREAD = 100  # steps after which losses that lie on a device are looked at, all at once

Logs = dict[str, Any]
P = ParamSpec("P")
R = TypeVar("R")


def explained(method: Callable[P, R]) -> Callable[P, R]:
    """Returns the method with an answer of our own to an argument that it does not have."""
    known = list(signature(method).parameters)[1:]

    @wraps(method)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        for name in kwargs.keys() - known:
            raise unexpected(method.__name__, name, known)
        return method(*args, **kwargs)

    return checked


class Stepping(Layer):
    """A layer with a loss and an optimizer, that can make one step. The base class of `Trainable`.

    Attributes:
        optimizer: as given to `compile`.
    """

    serialized_module: ClassVar[str] = "keras"
    optimizer: Any = None
    loss: Any = None
    _compiled: Compiled | None = None
    # Of the fit, evaluate or predict that runs in this thread or task.
    _skips_nan: Any = FlowAttribute(False)  # leave out steps whose loss is not finite, in place of an error
    _place: Any = FlowAttribute("train_on_batch")  # where we are, for messages
    _trained: Any = FlowAttribute[Sequence[Weight]](())  # the trainable weights, as they were when the epoch began
    _unread: Any = FlowAttribute[Sequence[tuple[str, Tensor]]](())  # losses on a device, and where

    # --- compile ------------------------------------------------------------------------------------------------------

    @explained
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
        """Says how to train; `minigrad.keras.models.compiled` says what becomes of masks and weights.

        Args:
            optimizer: a name or an optimizer.
            loss: a name, a function of (y_true, y_pred) or a `Loss`; for several outputs also a list of them, or a
                dictionary by the outputs' names: their keys, or ``output_1``, ``output_2`` …
            metrics: a list of names, functions or metrics, for all outputs; or a list or dictionary of such lists.
            loss_weights: a factor for the loss of each output.
            weighted_metrics: metrics that see the sample weights.
            run_eagerly: as in Keras; means nothing here.
            steps_per_execution: as in Keras; means nothing here.
            jit_compile: as in Keras; means nothing here.

        Raises:
            UnknownNameError: there is no optimizer or loss of that name.
        """
        if run_eagerly is not None:
            flag("compile: `run_eagerly`", run_eagerly)
        self.optimizer = optimizers.get(optimizer)
        self._compiled = Compiled(loss, metrics, loss_weights, weighted_metrics, self._output_name)
        self.loss = loss

    def _output_name(self) -> str | None:
        """A name of the one output beside ``output_1``, if it has one."""
        return None

    @property
    def compiled(self) -> Compiled:
        """What `compile` was given.

        Raises:
            NotCompiledError: it was not called yet.
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
        """Their names, in the order in which `evaluate` returns them."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Starts the metrics anew."""
        self.compiled.reset()

    # --- one step, to override ----------------------------------------------------------------------------------------

    def train_step(self, data: Any) -> Logs:
        """Makes one training step.

        Args:
            data: (x,), (x, y) or (x, y, sample_weight).

        Returns:
            What goes into the logs, numbers or tensors by name.
        """
        x, y, sample_weight = self._checked(data)
        y_pred = self(x, training=True)
        loss = self.compute_loss(x, y, y_pred, sample_weight)
        if not self._trained:  # to collect them takes as long as a small layer's call
            self._trained = self.trainable_weights
        if self._skips_nan or getattr(loss.backend, "on_host", False):
            if self._is_finite(loss):
                self.optimizer.minimize(loss, self._trained)
        else:  # to look would cost a transfer
            self._unread = [*self._unread[1 - UNREAD :], (self._place, loss.detach())]
            self.optimizer.minimize(loss, self._trained, where=F.isfinite(loss))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> Logs:
        """Evaluates one batch; as `train_step`, without a gradient."""
        x, y, sample_weight = self._checked(data)
        y_pred = self(x, training=False)
        self._is_finite(self.compute_loss(x, y, y_pred, sample_weight), so_far="")
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def _checked(self, data: Any) -> tuple[Any, Any, Any]:
        """A batch as (x, y, sample_weight), with the targets that the loss wants."""
        x, y, sample_weight = unpacked(data)
        if self._compiled is not None:
            self._compiled.where = self._place
            self._compiled.check(x, y)
        return x, y, sample_weight

    def predict_step(self, data: Any) -> Any:
        """Returns the outputs for one batch."""
        return self(unpacked(data)[0], training=False)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Tensor:
        """Returns the loss of a batch, with `losses` added, and takes it into the mean."""
        return self.compiled.loss(y, y_pred, sample_weight, self.losses)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Logs:
        """Takes a batch into the metrics and returns their values so far, not read from the device yet."""
        self.compiled.update(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> Logs:
        """Returns the metrics' values so far."""
        return {metric.name: metric.result() for metric in self.metrics}

    def _is_finite(self, loss: Any, so_far: str = " That step changed no weight.") -> bool:
        """Is the loss finite? If not, raises, unless such steps are to be left out; stateful layers start anew."""
        value = float(loss)
        if math.isfinite(value):
            return True
        for layer in self.submodules:
            if isinstance(layer, RNN) and layer.stateful and tree.first(layer.states) is not None:
                layer.reset_states()  # what is not finite would be carried on for ever
        if self._skips_nan:
            return False
        raise NaNLossError(
            f"{self._place}: the loss is {value}.{so_far} Look for NaN in the data, try a smaller learning "
            f"rate (it is {self.optimizer.learning_rate:g}) or clipping (global_clipnorm=1.0), or go on in spite of it "
            'with fit(on_nan="continue") or evaluate(on_nan="continue").'
        )

    def _look(self) -> None:
        """Raises for the first of the losses on the device, since the last look, that was not finite."""
        unread, self._unread = self._unread, []
        if unread and not bool(F.all(F.isfinite(F.stack([loss for _, loss in unread])))):
            for self._place, loss in unread:
                self._is_finite(loss)

    def _fitting(self, step: Callable[[Any], R], data: Any) -> R:
        """One of the steps above on a batch. If memory does not suffice, the error says which batch size would do."""
        try:
            return step(data)
        except MemoryError as error:
            x = tree.first(unpacked(data)[0])
            raise with_advice(self._place, x.backend, error, x.shape[0]) from error

    # --- single batches -----------------------------------------------------------------------------------------------

    @explained
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """Makes one training step and returns as `evaluate`."""
        reset_metrics, return_dict = _flags("train_on_batch", reset_metrics, return_dict)
        data = Arrays("train_on_batch", x, y, sample_weight, None).whole()
        if class_weight is not None:
            data = with_class_weight("train_on_batch", class_weight)(data)
        if reset_metrics:
            self.reset_metrics()
        self._place, self._skips_nan, self._trained, self._unread = "train_on_batch", False, (), []
        logs = numbers(self._fitting(self.train_step, data))
        self._look()
        return logs if return_dict else values_of(logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, reset_metrics: bool = True, return_dict: bool = False
    ) -> Any:
        """Evaluates one batch and returns as `evaluate`."""
        reset_metrics, return_dict = _flags("test_on_batch", reset_metrics, return_dict)
        data = Arrays("test_on_batch", x, y, sample_weight, None).whole()
        if reset_metrics:
            self.reset_metrics()
        self._place, self._skips_nan = "test_on_batch", False
        with recording(False):
            logs = numbers(self._fitting(self.test_step, data))
        return logs if return_dict else values_of(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """Returns the outputs for one batch, NumPy arrays."""
        self._place = "predict_on_batch"
        with recording(False):
            outputs = self._fitting(self.predict_step, Arrays("predict_on_batch", x, None, None, None).whole())
        return tree.map(lambda y: y.numpy(), outputs)


def _flags(where: str, reset_metrics: bool, return_dict: bool) -> tuple[bool, bool]:
    return flag(f"{where}: `reset_metrics`", reset_metrics), flag(f"{where}: `return_dict`", return_dict)


def numbers(logs: Logs) -> Logs:
    """Returns logs as Python numbers: here, and not before, they are read from the device."""
    return {name: float(as_tensor(value)) for name, value in logs.items()}


def values_of(logs: Logs) -> Any:
    """Returns the one number, or the list of them."""
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
