"""Losses as classes: a function of `minigrad.keras.losses.functions`, reduced to one number under masks and weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine.arguments import function
from minigrad.engine.creation import as_tensor, as_tensor_like
from minigrad.engine.errors import MinigradError
from minigrad.engine.foreign import with_name
from minigrad.engine.kinds import at_least_0, integer, text, unit
from minigrad.engine.tensor import Tensor, TensorLike
from minigrad.keras.losses import functions, reduction
from minigrad.keras.losses.functions import squeezed
from minigrad.layers.catalogue import snake_case
from minigrad.layers.options import Configured, flag, option, optional


class Reduction:
    """Names of Keras' reductions."""

    AUTO, NONE, SUM, SUM_OVER_BATCH_SIZE = reduction.KERAS_REDUCTIONS


class Loss(Configured, own_options_first=True):
    """The base class of losses. A custom loss defines ``call(y_true, y_pred)``, one number per example.

    Args:
        reduction: the reduction to one number; see `minigrad.keras.losses.reduction`.
        name: the class's name by default, as ``"mean_squared_error"``.

    The arguments of the function of the same name come before these.
    """

    reduction: str = option(reduction.option_kind, "auto")
    name: str = option(optional(text), None)

    function: Callable[..., Tensor]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = self.name or snake_case(type(self).__name__)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the losses of the examples, (batch, …) without the last axis."""
        if not hasattr(type(self), "function"):
            raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred).")
        own = {name: getattr(self, name) for name in self._options if name not in ("reduction", "name")}
        return type(self).function(*squeezed(y_true, y_pred), **own)

    def __call__(
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike = None, mask: TensorLike = None
    ) -> Tensor:
        """Return the reduced loss.

        Args:
            y_true: the targets.
            y_pred: the predictions.
            sample_weight: a number, (batch,), or the shape of the losses.
            mask: (batch,), or the shape of the losses; by default the mask of `y_pred`.
        """
        p = as_tensor(y_pred, None, f"{self.name}: `y_pred`")
        losses = self.call(as_tensor_like(p, y_true, f"{self.name}: `y_true`"), p)
        mask = getattr(p, "_keras_mask", None) if mask is None else mask
        ignored = getattr(losses, "_keras_mask", None)
        if ignored is not None:
            counted = ignored.astype(losses.dtype)
            mask = counted if mask is None else reduction.broadcast_weights(losses, mask, "mask") * counted
        return reduction.reduce_losses(losses, sample_weight, mask, self.reduction)


class MeanSquaredError(Loss):
    """`mean_squared_error`, reduced.

    >>> MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]).item()
    0.5
    """

    function = functions.mean_squared_error


class MeanAbsoluteError(Loss):
    """`mean_absolute_error`, reduced."""

    function = functions.mean_absolute_error


class MeanAbsolutePercentageError(Loss):
    """`mean_absolute_percentage_error`, reduced."""

    function = functions.mean_absolute_percentage_error


class MeanSquaredLogarithmicError(Loss):
    """`mean_squared_logarithmic_error`, reduced."""

    function = functions.mean_squared_logarithmic_error


class LogCosh(Loss):
    """`log_cosh`, reduced."""

    function = functions.log_cosh


class Huber(Loss):
    """`huber`, reduced. `delta`: the distance from which the loss grows linearly."""

    delta: float = option(at_least_0, 1.0)
    name: str = option(optional(text), "huber_loss")

    function = functions.huber


class BinaryCrossentropy(Loss):
    """`binary_crossentropy`, reduced."""

    from_logits: bool = option(flag, False)
    label_smoothing: float = option(unit, 0.0)
    axis: int = option(integer, -1)

    function = functions.binary_crossentropy


class CategoricalCrossentropy(Loss):
    """`categorical_crossentropy`, reduced."""

    from_logits: bool = option(flag, False)
    label_smoothing: float = option(unit, 0.0)
    axis: int = option(integer, -1)

    function = functions.categorical_crossentropy


class SparseCategoricalCrossentropy(Loss):
    """`sparse_categorical_crossentropy`, reduced."""

    from_logits: bool = option(flag, False)
    ignore_class: int | None = option(optional(integer), None)

    function = functions.sparse_categorical_crossentropy


class KLDivergence(Loss):
    """`kl_divergence`, reduced."""

    function = functions.kl_divergence


class Poisson(Loss):
    """`poisson`, reduced."""

    function = functions.poisson


class Hinge(Loss):
    """`hinge`, reduced."""

    function = functions.hinge


class FunctionLoss(Loss):
    """A custom function of (y_true, y_pred) that returns a loss for each example, reduced."""

    def __init__(self, of: Callable[[Tensor, Tensor], Tensor], **kwargs: Any) -> None:
        self.of = function("FunctionLoss: `of`", of)
        super().__init__(**{"name": getattr(of, "__name__", type(of).__name__), **kwargs})

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the losses of the examples."""
        try:
            return as_tensor(self.of(*squeezed(y_true, y_pred)), None, f"{self.name}: the result")
        except MinigradError as error:
            raise with_name(error, f"{self.name}: `of`, the function of a `loss`") from error.__cause__
