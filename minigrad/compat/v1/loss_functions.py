"""Losses of TensorFlow 1: a mean over the examples whose weight is not 0. `tf.compat.v1.losses`."""

from __future__ import annotations

from typing import Any

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.ops.arrays import convert
from minigrad.engine import functional as F
from minigrad.engine.arguments import name as checked_name
from minigrad.engine.errors import ShapeError
from minigrad.engine.tensor import Tensor


class Reduction:
    """Ways from one loss for each example to a number."""

    NONE = "none"
    SUM = "weighted_sum"
    MEAN = "weighted_mean"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    SUM_BY_NONZERO_WEIGHTS = SUM_OVER_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"


@recordable
def compute_weighted_loss(
    losses: Any, weights: Any = 1.0, scope: Any = None, loss_collection: Any = None,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """Σ w loss, divided by the number of weights that are not 0; other reductions as `Reduction` names them."""
    return _reduced(convert(losses), weights, reduction)


def _reduced(losses: Tensor, weights: Any, reduction: str) -> Tensor:
    checked_name("losses: `reduction`", reduction, [value for name, value in vars(Reduction).items() if name.isupper()])
    w = convert(weights, losses.dtype)
    weighted = losses * w
    if reduction == Reduction.NONE:
        return weighted
    total = F.sum(weighted)
    if reduction == Reduction.SUM:
        return total
    if reduction == Reduction.SUM_OVER_BATCH_SIZE:
        return total / float(losses.size)
    every = F.broadcast_to(w, losses.shape)
    count = F.sum(every if reduction == Reduction.MEAN else (every != 0).astype(losses.dtype))
    return total / F.where(count == 0, 1.0, count)


def _alike(where: str, labels: Any, predictions: Any) -> tuple[Tensor, Tensor]:
    p = convert(predictions)
    y = convert(labels).astype(p.dtype)
    if y.shape != p.shape:
        raise ShapeError(f"{where}: expected `labels` and predictions of one shape, got {y.shape} and {p.shape}.")
    return y, p


@recordable
def mean_squared_error(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: Any = None, loss_collection: Any = None,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """(p − y)²"""
    y, p = _alike("losses.mean_squared_error", labels, predictions)
    return _reduced(F.square(p - y), weights, reduction)


@recordable
def absolute_difference(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: Any = None, loss_collection: Any = None,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """|p − y|"""
    y, p = _alike("losses.absolute_difference", labels, predictions)
    return _reduced(F.abs(p - y), weights, reduction)


@recordable
def huber_loss(
    labels: Any, predictions: Any, weights: Any = 1.0, delta: float = 1.0, scope: Any = None,
    loss_collection: Any = None, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """d²/2 where d = |p − y| ≤ δ, and δ (d − δ/2) beyond."""
    y, p = _alike("losses.huber_loss", labels, predictions)
    near = F.clip(p - y, -float(delta), float(delta))
    return _reduced(near * (p - y - 0.5 * near), weights, reduction)


@recordable
def hinge_loss(
    labels: Any, logits: Any, weights: Any = 1.0, scope: Any = None, loss_collection: Any = None,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """max(1 − y x, 0), for labels 0 and 1 read as y of −1 and 1."""
    y, x = _alike("losses.hinge_loss", labels, logits)
    return _reduced(F.relu(1.0 - (2.0 * y - 1.0) * x), weights, reduction)


@recordable
def log_loss(
    labels: Any, predictions: Any, weights: Any = 1.0, epsilon: float = 1e-7, scope: Any = None,
    loss_collection: Any = None, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """−y ln(p + ε) − (1 − y) ln(1 − p + ε)"""
    y, p = _alike("losses.log_loss", labels, predictions)
    return _reduced(-y * F.log(p + epsilon) - (1.0 - y) * F.log(1.0 - p + epsilon), weights, reduction)


@recordable
def sigmoid_cross_entropy(
    multi_class_labels: Any, logits: Any, weights: Any = 1.0, label_smoothing: float = 0.0, scope: Any = None,
    loss_collection: Any = None, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """−z ln σ(x) − (1 − z) ln(1 − σ(x)), with z ← (1 − s) z + s/2 for a smoothing s."""
    z, x = _alike("losses.sigmoid_cross_entropy", multi_class_labels, logits)
    z = z * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return _reduced(F.softplus(x) - x * z, weights, reduction)


@recordable
def softmax_cross_entropy(
    onehot_labels: Any, logits: Any, weights: Any = 1.0, label_smoothing: float = 0.0, scope: Any = None,
    loss_collection: Any = None, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """−Σ y ln softmax(x), with y ← (1 − s) y + s / classes for a smoothing s."""
    y, x = _alike("losses.softmax_cross_entropy", onehot_labels, logits)
    y = y * (1.0 - label_smoothing) + label_smoothing / y.shape[-1]
    return _reduced(-F.sum(y * F.log_softmax(x), -1), weights, reduction)


@recordable
def sparse_softmax_cross_entropy(
    labels: Any, logits: Any, weights: Any = 1.0, scope: Any = None, loss_collection: Any = None,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """−ln softmax(x)[y], for labels y of whole numbers."""
    x, y = convert(logits), convert(labels)
    y = F.squeeze(y, -1) if y.ndim == x.ndim and y.shape[-1] == 1 else y
    return _reduced(F.softmax_cross_entropy(x, y, reduction="none"), weights, reduction)
