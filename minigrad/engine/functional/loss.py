"""Losses of raw scores: one number for each example, weighted by a mask and reduced."""

from __future__ import annotations

from minigrad.engine.arguments import name
from minigrad.engine.creation import as_tensor, as_tensor_like
from minigrad.engine.dtypes import is_half, is_integer
from minigrad.engine.errors import DTypeError, IndexRangeError, OptionError, ShapeError
from minigrad.engine.functional.elementwise import real, square
from minigrad.engine.functional.half import narrowed, widened
from minigrad.engine.functional.reduction import sum as total
from minigrad.engine.indices import all_in_range, index_array
from minigrad.engine.ops import loss
from minigrad.engine.tensor import Tensor, TensorLike, apply

REDUCTIONS = ("none", "sum", "mean_all", "mean_valid")


def softmax_cross_entropy(
    logits: TensorLike, labels: TensorLike, mask: TensorLike = None, reduction: str = "mean_valid"
) -> Tensor:
    """−ln softmax(logits)[label], in nats.

    Args:
        logits: (…, classes).
        labels: integers (…), each in 0 … classes − 1. On a device, where a check costs a transfer, the loss of a label
            out of range is NaN.
        mask: (…) of bools or weights, by which each example's loss is multiplied.
        reduction: see `reduced`.

    Raises:
        ShapeError: labels, or mask, and logits do not fit together.
        IndexRangeError: a label is out of range.
        DTypeError: the labels are not integers.
    """
    x = real(logits, "softmax_cross_entropy", "logits")
    where = as_tensor_like(x, labels, "softmax_cross_entropy: `labels`")
    if x.ndim == 0 or where.shape != x.shape[:-1]:
        raise ShapeError(
            f"softmax_cross_entropy: expected `labels` of shape {x.shape[:-1]} for logits of shape "
            f"{x.shape}, got {where.shape}."
        )
    if not is_integer(where.array.dtype):
        raise DTypeError(
            f"softmax_cross_entropy: expected integer `labels`, got {where.dtype}. For probabilities use "
            "keras.losses.CategoricalCrossentropy."
        )
    if getattr(x.backend, "on_host", False) and not all_in_range(where.array, x.shape[-1], x.backend):
        raise IndexRangeError(
            f"softmax_cross_entropy: expected `labels` from 0 to {x.shape[-1] - 1}, got {int(where.min())} to "
            f"{int(where.max())}."
        )
    known = index_array(where.array, labels, x.backend)
    return narrowed(reduced(apply(loss.SoftmaxCrossEntropy, widened(x), labels=known), mask, reduction), x)


def binary_cross_entropy(
    logits: TensorLike, targets: TensorLike, mask: TensorLike = None, reduction: str = "mean_valid"
) -> Tensor:
    """−z ln σ(x) − (1 − z) ln(1 − σ(x)), in nats, for logits x and targets z in [0, 1] of one shape.

    Raises:
        ShapeError: the shapes differ, or the mask does not fit.
        OptionError: a target is not in [0, 1]. Not checked on a device, where that costs a transfer.
    """
    x, z = _alike("binary_cross_entropy", "logits", logits, targets)
    x, z = real(x, "binary_cross_entropy", "logits"), real(z, "binary_cross_entropy", "targets")
    if getattr(z.backend, "on_host", False) and z.size and not 0 <= float(z.min()) <= float(z.max()) <= 1:
        raise OptionError(
            f"binary_cross_entropy: expected `targets` from 0 to 1, got {float(z.min()):g} to {float(z.max()):g}."
        )
    return narrowed(reduced(apply(loss.BinaryCrossEntropy, widened(x), z), mask, reduction), x)


def mean_squared_error(
    predictions: TensorLike, targets: TensorLike, mask: TensorLike = None, reduction: str = "mean_valid"
) -> Tensor:
    """(prediction − target)², the two of one shape."""
    a, b = _alike("mean_squared_error", "predictions", predictions, targets)
    a, b = real(a, "mean_squared_error", "predictions"), real(b, "mean_squared_error", "targets")
    return narrowed(reduced(square(widened(a) - widened(b)), mask, reduction), a)


def reduced(losses: TensorLike, mask: TensorLike = None, reduction: str = "mean_valid") -> Tensor:
    """Return losses weighted by a mask and reduced.

    Args:
        losses: one for each example, of any shape.
        mask: bools or weights of that shape; None counts every example.
        reduction: ``"none"``, ``"sum"``, ``"mean_all"`` (the sum divided by the number of examples, padding included)
            or ``"mean_valid"`` (divided by the sum of the mask, and 0 where that is 0). The mean of no losses is NaN.

    Raises:
        UnknownNameError: no such reduction.
        ShapeError: the mask does not fit.
    """
    name("reduced: `reduction`", reduction, REDUCTIONS)
    found = real(losses, "reduced", "losses")
    if is_half(found.dtype):
        return narrowed(reduced(widened(found), mask, reduction), found)
    count = float(found.size)
    if mask is not None:
        weights = as_tensor(as_tensor_like(found, mask, "loss: mask"), found.dtype)
        if weights.shape != found.shape:
            raise ShapeError(f"loss: expected `mask` of shape {found.shape}, one for each loss, got {weights.shape}.")
        found = found * weights
        if reduction == "mean_valid":
            return mean_of(total(found), total(weights))
    if reduction == "none":
        return found
    return total(found) if reduction == "sum" else total(found) / count


def mean_of(sum_: Tensor, count: Tensor | float) -> Tensor:
    """Σ / count, with 1 in place of a count of 0: where nothing counts the sum is 0, and so is the mean."""
    if isinstance(count, Tensor):
        return sum_ / (count + (count == 0.0).astype(count.dtype))
    return sum_ / (count or 1.0)


def _alike(where: str, first: str, a: TensorLike, b: TensorLike) -> tuple[Tensor, Tensor]:
    """Return two tensors of one shape; messages call the first by its name, and the second `targets`."""
    what, targets = f"{where}: `{first}`", f"{where}: `targets`"
    x = as_tensor(a, None, what) if isinstance(a, Tensor) or not isinstance(b, Tensor) else as_tensor_like(b, a, what)
    z = as_tensor_like(x, b, targets)
    if x.shape != z.shape:
        raise ShapeError(f"{where}: expected `{first}` and `targets` of one shape, got {x.shape} and {z.shape}.")
    return x, z
