"""Metrics: means over all batches of an epoch.

Metrics record no gradients, and copy nothing to the host until `result` is read.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from minigrad.engine import functional as F
from minigrad.engine.arguments import function
from minigrad.engine.creation import as_tensor, as_tensor_like
from minigrad.engine.dtypes import dtype_name, is_half
from minigrad.engine.errors import MinigradError, ShapeError, unknown_name
from minigrad.engine.foreign import attempted, with_name
from minigrad.engine.functional.half import widened
from minigrad.engine.functional.loss import mean_of
from minigrad.engine.kinds import text
from minigrad.engine.recording import no_grad
from minigrad.engine.tensor import Tensor, TensorLike
from minigrad.keras.losses import functions as losses
from minigrad.keras.losses.catalogue import FUNCTIONS
from minigrad.keras.losses.reduction import broadcast_weights
from minigrad.layers.catalogue import Catalogue, snake_case
from minigrad.layers.module import Module
from minigrad.layers.options import Configured, Kind, number, option, optional


class Metric(Configured, own_options_first=True):
    """The base class of metrics. A custom metric defines `update_state`, `result` and `reset_state`.

    Args:
        name: the class's name by default, as ``"binary_accuracy"``.
        dtype: as in Keras; the numbers keep their dtype.
    """

    dtype: Any = option(optional(Kind(lambda where, value: dtype_name(value))), None)
    name: str = option(optional(text), None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = self.name or snake_case(type(self).__name__)
        self.reset_state()

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike = None) -> None:
        """Update the metric with a batch."""
        raise NotImplementedError(f"{type(self).__name__} must define update_state(y_true, y_pred, sample_weight).")

    def result(self) -> Any:
        """Return the value for all batches since the last `reset_state`."""
        raise NotImplementedError(f"{type(self).__name__} must define result().")

    def reset_state(self) -> None:
        """Reset the metric."""

    def reset_states(self) -> None:
        """`reset_state` by its older name."""
        self.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Update the metric with a batch, and return its value for all batches so far."""
        self.update_state(*args, **kwargs)
        return self.result()


class Mean(Metric):
    """Σ w x / Σ w over all values x of all batches.

    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> mean.update_state([8.0], sample_weight=2.0)
    >>> mean.result().item()
    5.0
    """

    total: Any
    count: Any
    _values_dtype: Any

    def update_state(self, values: TensorLike, sample_weight: TensorLike = None) -> None:  # type: ignore[override]
        """Update the mean with values.

        Args:
            values: any shape.
            sample_weight: a number, or the values' shape, or that of their first axes.
        """
        with no_grad():
            given = as_tensor(values, None, f"{self.name}: `values`").detach()
            self._values_dtype, x = given.dtype, widened(given)
            count: Any = float(x.size)
            if isinstance(sample_weight, (int, float)):
                weight = attempted(float, sample_weight)
                if weight is None:  # 10**400
                    number.read(f"{self.name}: `sample_weight`", sample_weight)
                x, count = x * weight, count * weight
            elif sample_weight is not None:
                w = broadcast_weights(x, sample_weight, "sample_weight")
                x, count = x * w, w.sum()
            self.total = self.total + (x.sum() if x.ndim else x)
            self.count = self.count + count

    def result(self) -> Tensor:
        """Return the mean, which stays on the device; 0 if there are no values."""
        return self._rounded(self._mean())

    def _mean(self) -> Tensor:
        """Return the mean, of float16 in float32."""
        return mean_of(as_tensor(self.total), self.count)

    def _rounded(self, x: Tensor) -> Tensor:
        """Return a result in the dtype of the values."""
        return x.astype("float16") if is_half(self._values_dtype) else x

    def reset_state(self) -> None:
        """Reset the mean."""
        self.total = self.count = 0.0
        self._values_dtype = "float32"


class MeanMetricWrapper(Mean):
    """The mean of a function of (y_true, y_pred) over all examples.

    Args:
        fn: the function, which returns one number for each example.
        name: the function's name by default.
    """

    def __init__(self, fn: Callable[..., Tensor], name: str | None = None, dtype: Any = None) -> None:
        self._fn = function("MeanMetricWrapper: `fn`", fn)
        super().__init__(name=getattr(fn, "__name__", None) if name is None else name, dtype=dtype)

    def update_state(  # type: ignore[override]
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike = None
    ) -> None:
        """Update the metric with a batch."""
        with no_grad():
            p = as_tensor(y_pred, None, f"{self.name}: `y_pred`")
            y = as_tensor_like(p, y_true, f"{self.name}: `y_true`")
            try:
                values = as_tensor(self._fn(*losses.squeezed(y, widened(p))), None, f"{self.name}: the result")
            except MinigradError as error:
                raise with_name(error, f"{self.name}: `fn` of `y_true` and `y_pred`") from error.__cause__
            super().update_state(values, sample_weight)
            self._values_dtype = p.dtype


class _OfFunction(MeanMetricWrapper):
    """The mean of the class's `function`, called with the metric's options."""

    function: Callable[..., Tensor]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Mean.__init__(self, *args, **kwargs)
        own = {name: getattr(self, name) for name in self._options if name not in ("name", "dtype")}
        function = type(self).function
        self._fn = lambda y_true, y_pred: function(y_true, y_pred, **own)


# --- accuracies -------------------------------------------------------------------------------------------------------


def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5) -> Tensor:
    """The share over the last axis of the predictions that are on their target's side of the threshold."""
    threshold = number.read("binary_accuracy: `threshold`", threshold)
    y, p = losses.same_dtype_and_shape("binary_accuracy", y_true, y_pred)
    return (y == (p > threshold).astype(p.dtype)).astype(p.dtype).mean(-1)


def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """1 where the largest prediction has the index of the largest target, else 0."""
    y, p = losses.same_dtype_and_shape("categorical_accuracy", y_true, y_pred)
    return (y.argmax(-1) == p.argmax(-1)).astype(p.dtype)


def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """1 where the index of the largest prediction equals the integer target, else 0."""
    p = as_tensor(y_pred, None, "sparse_categorical_accuracy: `y_pred`")
    y = as_tensor_like(p, y_true, "sparse_categorical_accuracy: `y_true`")
    if not p.ndim:
        raise ShapeError("sparse_categorical_accuracy: expected `y_pred` of shape (…, classes), got ().")
    if y.ndim == p.ndim and y.shape[-1] == 1:
        y = y.reshape(y.shape[:-1])
    if y.shape != p.shape[:-1]:
        raise ShapeError(
            f"sparse_categorical_accuracy: expected `y_true` of shape {p.shape[:-1]} for `y_pred` of shape "
            f"{p.shape}, got {y.shape}."
        )
    return (y == p.argmax(-1)).astype(p.dtype)


class BinaryAccuracy(_OfFunction):
    """The mean of `binary_accuracy`."""

    threshold: float = option(number, 0.5)

    function = binary_accuracy


class CategoricalAccuracy(_OfFunction):
    """The mean of `categorical_accuracy`."""

    function = categorical_accuracy


class SparseCategoricalAccuracy(_OfFunction):
    """The mean of `sparse_categorical_accuracy`."""

    function = sparse_categorical_accuracy


class MeanSquaredError(_OfFunction):
    """The mean squared error."""

    function = losses.mean_squared_error


class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean squared error over all batches."""

    def result(self) -> Tensor:
        """Return the root."""
        return self._rounded(F.sqrt(self._mean()))


class MeanAbsoluteError(_OfFunction):
    """The mean absolute error."""

    function = losses.mean_absolute_error


class MeanAbsolutePercentageError(_OfFunction):
    """The mean absolute percentage error."""

    function = losses.mean_absolute_percentage_error


class MeanSquaredLogarithmicError(_OfFunction):
    """The mean squared logarithmic error."""

    function = losses.mean_squared_logarithmic_error


class LogCoshError(_OfFunction):
    """The mean of `log_cosh`."""

    name: str = option(optional(text), "logcosh")

    function = losses.log_cosh


_CLASSES = (
    BinaryAccuracy, CategoricalAccuracy, LogCoshError, Mean, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredError, MeanSquaredLogarithmicError, RootMeanSquaredError, SparseCategoricalAccuracy,
)  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    **FUNCTIONS,
    **{f.__name__: f for f in (binary_accuracy, categorical_accuracy, sparse_categorical_accuracy)},
}
_catalogue = Catalogue("metric", "keras.metrics", _CLASSES)
serialize, deserialize = _catalogue.serialize, _catalogue.deserialize
_BY_SHAPE = {"acc": "accuracy", "accuracy": "accuracy", "ce": "crossentropy", "crossentropy": "crossentropy"}
_NAMES = {*(name for name in _FUNCTIONS if name.islower()), *map(snake_case, _catalogue.classes)}


def get(identifier: Any) -> Any:
    """Return the metric for a name, a serialized metric, a class, a function or a metric; by name as in `losses.get`.

    Raises:
        UnknownNameError: no metric has that name.
    """
    return find("metrics.get: `identifier`", identifier)


def find(where: str, identifier: Any) -> Any:
    """Return the metric as `get` does; messages begin with `where`."""
    if isinstance(identifier, str) and identifier in _FUNCTIONS:
        return _FUNCTIONS[identifier]
    known = callable(identifier) or isinstance(identifier, dict)
    named = isinstance(identifier, str) and (identifier in _NAMES or identifier in _catalogue.classes)
    if not known and not named:
        names = {"accuracy", *_NAMES}
        raise unknown_name(where, identifier, names, "Or pass a function of (y_true, y_pred).")
    return _catalogue.read(where, identifier)


def check(identifier: Any, where: str = "metrics.get: `identifier`") -> None:
    """Raise UnknownNameError for the name of no metric; ``"accuracy"`` passes, although it depends on the output."""
    if identifier is not None and not (isinstance(identifier, str) and identifier.lower() in _BY_SHAPE):
        find(where, identifier)


def reset_copy(metric: Metric) -> Metric:
    """Return a reset copy of a metric; models among its attributes are shared."""
    known: dict[int, Any] = {id(value): value for value in vars(metric).values() if isinstance(value, Module)}
    new = copy.deepcopy(metric, known)
    new.reset_state()
    return new


copied = reset_copy  # its earlier name


def for_output(identifier: Any, y_true: Tensor | None, y_pred: Tensor) -> Metric:
    """Return the metric for one output of a model; shapes decide the meaning of ``"accuracy"`` and ``"crossentropy"``.

    Args:
        identifier: as for `get`.
        y_true: the targets, or None if the output has none; then integer classes are assumed.
        y_pred: the output.
    """
    found = identifier
    if isinstance(identifier, str) and identifier.lower() in _BY_SHAPE:
        sparse = y_true is None or y_true.ndim < y_pred.ndim or (y_true.shape[-1] == 1 and y_pred.shape[-1] > 1)
        which = "binary" if y_pred.shape[-1] == 1 else "sparse_categorical" if sparse else "categorical"
        found = f"{which}_{_BY_SHAPE[identifier.lower()]}"
    found = get(found)
    name = identifier if isinstance(identifier, str) else getattr(found, "name", None)
    return found if isinstance(found, Metric) else MeanMetricWrapper(found, name=name)
