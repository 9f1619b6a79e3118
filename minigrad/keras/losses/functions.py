"""Losses as functions of targets and predictions: (…, d) → (…), one number for each example."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from minigrad.engine import functional as F
from minigrad.engine.creation import as_tensor, as_tensor_like, is_floating
from minigrad.engine.dtypes import is_half
from minigrad.engine.errors import DTypeError, MinigradError, ShapeError
from minigrad.engine.foreign import with_name
from minigrad.engine.functional.half import widened
from minigrad.engine.kinds import at_least_0, integer, unit
from minigrad.engine.ops.axes import axis_of
from minigrad.engine.tensor import Tensor, TensorLike
from minigrad.layers.options import flag, optional

EPSILON = 1e-7  # as in Keras: the distance of probabilities from 0 and 1, where a logarithm is infinite


_ARGUMENTS = {
    "from_logits": flag, "label_smoothing": unit, "delta": at_least_0, "axis": integer,
    "ignore_class": optional(integer),
}  # fmt: skip


def in_float32(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Decorate a loss so that float16 predictions are computed in float32, where squares and sums do not overflow."""
    known = list(signature(loss).parameters)[2:]

    @wraps(loss)
    def wide(y_true: TensorLike, y_pred: TensorLike, *args: Any, **kwargs: Any) -> Tensor:
        for name, value in (*zip(known, args, strict=False), *kwargs.items()):
            if name in _ARGUMENTS:
                _ARGUMENTS[name].read(f"{loss.__name__}: `{name}`", value)
        if not isinstance(y_pred, Tensor):
            y_pred = as_tensor(y_pred, None, f"{loss.__name__}: `y_pred`")
        if not is_half(y_pred.dtype):
            return loss(y_true, y_pred, *args, **kwargs)
        y: Any = loss(y_true, widened(y_pred), *args, **kwargs)
        rounded: Any = y.astype("float16")
        if hasattr(y, "_keras_mask"):
            rounded._keras_mask = y._keras_mask
        return rounded  # type: ignore[no-any-return]

    return wide


@in_float32
def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of (ŷ − y)² over the last axis.

    Raises:
        ShapeError: the two are not of one shape: (batch,) and (batch, 1) would broadcast to (batch, batch).
    """
    y, p = same_dtype_and_shape("mean_squared_error", y_true, y_pred)
    d = p - y
    return (d * d).mean(-1)


@in_float32
def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of |ŷ − y| over the last axis."""
    y, p = same_dtype_and_shape("mean_absolute_error", y_true, y_pred)
    return F.abs(p - y).mean(-1)


@in_float32
def mean_absolute_percentage_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """100 times the mean of |y − ŷ| / max(|y|, ε) over the last axis."""
    y, p = same_dtype_and_shape("mean_absolute_percentage_error", y_true, y_pred)
    return 100.0 * F.abs((y - p) / F.maximum(F.abs(y), EPSILON)).mean(-1)


@in_float32
def mean_squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of (ln(1 + ŷ) − ln(1 + y))² over the last axis, both at least ε."""
    y, p = same_dtype_and_shape("mean_squared_logarithmic_error", y_true, y_pred)
    d = F.log(F.maximum(p, EPSILON) + 1.0) - F.log(F.maximum(y, EPSILON) + 1.0)
    return (d * d).mean(-1)


@in_float32
def log_cosh(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of ln cosh d over the last axis, d = ŷ − y: about d²/2 near 0, and |d| − ln 2 far from it."""
    y, p = same_dtype_and_shape("log_cosh", y_true, y_pred)
    d = p - y
    return (d + F.softplus(-2.0 * d) - math.log(2.0)).mean(-1)


@in_float32
def huber(y_true: TensorLike, y_pred: TensorLike, delta: float = 1.0) -> Tensor:
    """The mean over the last axis of d²/2, where d = |ŷ − y| ≤ δ, and of δ (d − δ/2) beyond.

    Source: Huber, "Robust Estimation of a Location Parameter", 1964.
    """
    y, p = same_dtype_and_shape("huber", y_true, y_pred)
    d = p - y
    near = F.clip(d, -float(delta), float(delta))  # signed, so that no |d| has a kink at 0
    return (near * (d - 0.5 * near)).mean(-1)


@in_float32
def binary_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """The mean of −y ln p − (1 − y) ln(1 − p) over an axis.

    Args:
        y_true: y, from 0 to 1.
        y_pred: p, or with `from_logits` the x of p = σ(x).
        from_logits: whether `y_pred` holds logits.
        label_smoothing: s of y ← (1 − s) y + s/2.
        axis: the axis of the mean.
    """
    y, p = same_dtype_and_shape("binary_crossentropy", y_true, y_pred)
    if label_smoothing:
        y = y * (1.0 - float(label_smoothing)) + 0.5 * float(label_smoothing)
    if from_logits:
        return F.binary_cross_entropy(p, y, reduction="none").mean(axis)
    p = F.clip(p, EPSILON, 1.0 - EPSILON)
    return -(y * F.log(p + EPSILON) + (1.0 - y) * F.log(1.0 - p + EPSILON)).mean(axis)


@in_float32
def categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """−Σ y ln p over the axis of the classes.

    Args:
        y_true: y, one-hot or probabilities.
        y_pred: p, divided by its sum; or with `from_logits` the x of p = softmax(x).
        from_logits: whether `y_pred` holds logits.
        label_smoothing: s of y ← (1 − s) y + s / classes.
        axis: the axis of the classes.
    """
    y, p = same_dtype_and_shape("categorical_crossentropy", y_true, y_pred)
    if label_smoothing:
        y = y * (1.0 - float(label_smoothing)) + float(label_smoothing) / y.shape[axis]
    if from_logits:
        return -(y * F.log_softmax(p, axis)).sum(axis)
    return -(y * F.log(F.clip(p / p.sum(axis, keepdims=True), EPSILON, 1.0 - EPSILON))).sum(axis)


def _whole(y: Tensor) -> Tensor:
    """Return class labels given as real numbers as integers."""
    if bool(F.any(y != F.floor(y))):
        raise DTypeError(
            "sparse_categorical_crossentropy: expected whole numbers as `y_true`, the classes, got fractions. For "
            "probabilities use categorical_crossentropy, for real targets mean_squared_error."
        )
    return y.astype("int64")


@in_float32
def sparse_categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Tensor:
    """−ln p[y]

    Args:
        y_true: y, integers (…) or (…, 1), each a class from 0.
        y_pred: p (…, classes), divided by its sum; or with `from_logits` the x of p = softmax(x).
        from_logits: whether `y_pred` holds logits.
        axis: the axis of the classes.
        ignore_class: a class whose loss is 0 and masked, so that it does not count in a mean.
    """
    p = _real("sparse_categorical_crossentropy", y_pred)
    y = as_tensor_like(p, y_true, "sparse_categorical_crossentropy: `y_true`")
    if not p.ndim:
        raise ShapeError("sparse_categorical_crossentropy: expected `y_pred` of shape (…, classes), got ().")
    axis = axis_of(axis, p.ndim, "sparse_categorical_crossentropy")
    if axis % p.ndim != p.ndim - 1:
        p = F.transpose(p, [*(k for k in range(p.ndim) if k != axis % p.ndim), axis % p.ndim])
    if y.ndim == p.ndim and y.shape[-1] == 1:
        y = y.reshape(y.shape[:-1])
    if is_floating(y.dtype):
        y = _whole(y)
    valid = None if ignore_class is None else y != ignore_class
    if valid is not None:
        y = F.where(valid, y, 0)
    x = p if from_logits else F.log(F.clip(p, EPSILON, 1.0 - EPSILON))
    try:
        losses: Any = F.softmax_cross_entropy(x, y, mask=valid, reduction="none")
    except MinigradError as error:
        raise with_name(error, "sparse_categorical_crossentropy: `y_true` and `y_pred`") from error.__cause__
    if valid is None:
        return losses  # type: ignore[no-any-return]
    losses._keras_mask = valid
    return losses  # type: ignore[no-any-return]


@in_float32
def kl_divergence(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Σ y ln(y / p) over the last axis, both clipped to [ε, 1]."""
    y, p = same_dtype_and_shape("kl_divergence", y_true, y_pred)
    y, p = F.clip(y, EPSILON, 1.0), F.clip(p, EPSILON, 1.0)
    return (y * F.log(y / p)).sum(-1)


@in_float32
def poisson(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of ŷ − y ln(ŷ + ε) over the last axis, for counts y."""
    y, p = same_dtype_and_shape("poisson", y_true, y_pred)
    return (p - y * F.log(p + EPSILON)).mean(-1)


@in_float32
def hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of max(1 − y ŷ, 0) over the last axis, for y of ±1; labels 0 and 1 are read as −1 and 1."""
    y, p = same_dtype_and_shape("hinge", y_true, y_pred)
    if bool(F.all((y == 0.0) | (y == 1.0))):
        y = 2.0 * y - 1.0
    margin = 1.0 - y * p
    return F.where(margin < 0.0, 0.0, margin).mean(-1)  # at 0 the whole gradient passes, as in TensorFlow


def _real(where: str, x: TensorLike) -> Tensor:
    y = as_tensor(x, None, f"{where}: `y_pred`")
    return y if is_floating(y.dtype) else y.astype("float32")


def same_dtype_and_shape(name: str, y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Return targets and predictions in one dtype, checked to be of one shape.

    Raises:
        ShapeError: their shapes differ.
    """
    p = _real(name, y_pred)
    y = as_tensor_like(p, y_true, f"{name}: `y_true`")
    if y.shape != p.shape or p.ndim == 0:
        hint = "; for integer labels use sparse_categorical_crossentropy" if "categorical" in name else ""
        raise ShapeError(
            f"{name}: expected `y_true` and `y_pred` of one shape (…, outputs), got {y.shape} and {p.shape}{hint}."
        )
    return y if y.dtype == p.dtype else y.astype(p.dtype), p


def squeezed(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Return both without a last axis of length 1 that only one of them has."""
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        y_pred = y_pred.reshape(y_pred.shape[:-1])
    elif y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        y_true = y_true.reshape(y_true.shape[:-1])
    return y_true, y_pred


alike = same_dtype_and_shape  # the earlier name
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
logcosh = log_cosh
kld = KLD = kl_divergence
