"""Functions for networks: activations, cross-entropies, `embedding_lookup`, `dropout`. `tf.nn`."""

from __future__ import annotations

from typing import Any

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.ops.arrays import convert, sizes
from minigrad.engine import functional as F
from minigrad.engine import random
from minigrad.engine.arguments import fraction
from minigrad.engine.errors import OptionError, ShapeError
from minigrad.engine.tensor import Tensor


@recordable
def sigmoid(x: Any) -> Tensor:
    """1 / (1 + e⁻ˣ)"""
    return F.sigmoid(convert(x))


@recordable
def tanh(x: Any) -> Tensor:
    """tanh x"""
    return F.tanh(convert(x))


@recordable
def relu(features: Any) -> Tensor:
    """max(x, 0)"""
    return F.relu(convert(features))


@recordable
def relu6(features: Any) -> Tensor:
    """min(max(x, 0), 6), with derivative 0 at both ends."""
    x = F.relu(convert(features))
    return F.where(x < 6, x, F.full((), 6, x.dtype))


@recordable
def leaky_relu(features: Any, alpha: float = 0.2) -> Tensor:
    """x where x > 0, else α x."""
    x = convert(features)
    return F.where(x > 0, x, alpha * x)


@recordable
def elu(features: Any) -> Tensor:
    """x where x > 0, else eˣ − 1."""
    return F.elu(convert(features))


@recordable
def selu(features: Any) -> Tensor:
    """λ x where x > 0, else λ α(eˣ − 1)."""
    return F.selu(convert(features))


@recordable
def softplus(features: Any) -> Tensor:
    """ln(1 + eˣ)"""
    return F.softplus(convert(features))


@recordable
def softsign(features: Any) -> Tensor:
    """x / (1 + |x|)"""
    return F.softsign(convert(features))


@recordable
def silu(features: Any, beta: float = 1.0) -> Tensor:
    """x σ(β x)"""
    x = convert(features)
    return x * F.sigmoid(beta * x)


@recordable
def gelu(features: Any, approximate: bool = False) -> Tensor:
    """x Φ(x), with the normal distribution Φ; or its approximation by tanh."""
    x = convert(features)
    if not approximate:
        return F.gelu(x)
    return 0.5 * x * (1.0 + F.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


@recordable
def softmax(logits: Any, axis: Any = None) -> Tensor:
    """eˣ / Σ eˣ along an axis, the last by default."""
    return F.softmax(convert(logits), -1 if axis is None else int(axis))


@recordable
def log_softmax(logits: Any, axis: Any = None) -> Tensor:
    """x − ln Σ eˣ along an axis, the last by default."""
    return F.log_softmax(convert(logits), -1 if axis is None else int(axis))


@recordable
def bias_add(value: Any, bias: Any, data_format: Any = None) -> Tensor:
    """value + bias, along the last axis."""
    return convert(value) + convert(bias)


@recordable
def xw_plus_b(x: Any, weights: Any, biases: Any) -> Tensor:
    """x W + b"""
    return F.matmul(convert(x), convert(weights)) + convert(biases)


@recordable
def l2_loss(t: Any) -> Tensor:
    """Σ t² / 2"""
    x = convert(t)
    return F.sum(x * x) / 2.0


# --- losses -----------------------------------------------------------------------------------------------------------


def _given(where: str, **values: Any) -> None:
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise OptionError(f"{where}: expected `{'` and `'.join(missing)}` by name: {where}(labels=…, logits=…).")


@recordable
def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1) -> Tensor:
    """−Σ y ln softmax(x) along an axis, one number for each example; for labels of probabilities.

    Raises:
        ShapeError: labels and logits are not of one shape.
    """
    _given("softmax_cross_entropy_with_logits", labels=labels, logits=logits)
    x = convert(logits)
    y = convert(labels).astype(x.dtype)
    if x.shape != y.shape:
        raise ShapeError(
            f"softmax_cross_entropy_with_logits: expected `labels` and `logits` of one shape, got {y.shape} and "
            f"{x.shape}. For integer labels use sparse_softmax_cross_entropy_with_logits."
        )
    return -F.sum(y * F.log_softmax(x, axis), axis)


@recordable
def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any) -> Tensor:
    """−ln softmax(x)[y], one number for each example; for labels of whole numbers."""
    _given("sparse_softmax_cross_entropy_with_logits", labels=labels, logits=logits)
    return F.softmax_cross_entropy(convert(logits), convert(labels), reduction="none")


@recordable
def sigmoid_cross_entropy_with_logits(labels: Any, logits: Any) -> Tensor:
    """−z ln σ(x) − (1 − z) ln(1 − σ(x)), element by element; for labels z.

    Raises:
        ShapeError: labels and logits are not of one shape.
    """
    _given("sigmoid_cross_entropy_with_logits", labels=labels, logits=logits)
    x = convert(logits)
    z = convert(labels).astype(x.dtype)
    if x.shape != z.shape:
        raise ShapeError(
            f"sigmoid_cross_entropy_with_logits: expected `labels` and `logits` of one shape, got {z.shape} and "
            f"{x.shape}."
        )
    return F.softplus(x) - x * z


@recordable
def weighted_cross_entropy_with_logits(labels: Any, logits: Any, pos_weight: Any) -> Tensor:
    """−w z ln σ(x) − (1 − z) ln(1 − σ(x)), element by element, with the weight w of positive labels."""
    x: Tensor = convert(logits)
    z = convert(labels)
    softplus = F.log1p(F.exp(-F.abs(x))) + F.relu(-x)  # of −x, with TensorFlow's derivative at 0
    losses: Tensor = (1.0 - z) * x + (1.0 + (pos_weight - 1.0) * z) * softplus
    return losses


# --- tables and dropout -----------------------------------------------------------------------------------------------


@recordable
def embedding_lookup(params: Any, ids: Any, max_norm: float | None = None) -> Tensor:
    """The rows of a table that the ids name.

    Raises:
        OptionError: a `max_norm` is given, or a table in several parts.
    """
    if max_norm is not None or (isinstance(params, (list, tuple)) and len(params) > 1):
        raise OptionError("embedding_lookup: expected one table and no `max_norm`. Use tf.clip_by_norm on the result.")
    return F.take(convert(params[0] if isinstance(params, (list, tuple)) else params), convert(ids), 0)


@recordable
def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """x with numbers set to 0 with probability `rate`, the others divided by 1 − rate.

    Args:
        x: the numbers.
        rate: the probability, a number or a tensor.
        noise_shape: the shape of the mask, which broadcasts to that of x.
        seed: the seed of a separate generator.
    """
    a = convert(x)
    p = fraction("dropout: `rate`", rate)
    if p == 0.0:
        return a
    shape = a.shape if noise_shape is None else [n if k == -1 else k for k, n in zip(noise_shape, a.shape, strict=True)]
    mask = random.dropout_mask(sizes(shape), p, a.dtype, random.generator_for(seed) if seed is not None else None)
    return a * mask


def dropout_v1(
    x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: Any = None, name: Any = None, rate: Any = None
) -> Any:
    """x with numbers kept with probability `keep_prob` and divided by it, the others 0; or `rate` = 1 − keep_prob.

    Raises:
        OptionError: neither probability is given, or both.
    """
    if (keep_prob is None) == (rate is None):
        raise OptionError("dropout: expected one of `keep_prob` and `rate`.")
    named: Any = dropout  # by `recordable`
    return named(x, subtract_from_one(keep_prob) if rate is None else rate, noise_shape, seed, name=name)


@recordable
def subtract_from_one(x: Any) -> Any:
    """1 − x"""
    return 1.0 - (float(x) if getattr(x, "shape", None) in ((), None) else x)


@recordable
def in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    """Whether each target is among the k classes of the largest predictions."""
    scores, wanted = convert(predictions), convert(targets)
    own = F.getitem(scores, (F.arange(scores.shape[0]), wanted))
    return F.sum((scores > F.expand_dims(own, -1)).astype("int64"), -1) < int(k)
