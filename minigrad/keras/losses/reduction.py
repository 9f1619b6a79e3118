"""The reduction of losses and metrics of single examples to one number, under masks and weights.

With losses lᵢ, weights wᵢ (1 where none are given) and a mask mᵢ of 0 and 1 (1 where there is none):

    "none"                              wᵢ mᵢ lᵢ
    "sum"                               Σ w m l
    "auto", "sum_over_batch_size"       Σ w m l / Σ m      as TensorFlow 2.15: the divisor counts unmasked losses
    "mean_valid"                        Σ w m l / Σ w m    the weighted mean of the unmasked losses
    "mean_all"                          Σ w m l / n        padding counts as loss 0, as in Keras before 2.11

Where nothing counts the sum is 0, and so is the mean (TensorFlow's is NaN). The engine's `reduced` does the sums.

Where several processes share a batch, each reduces its rows so that the mean over processes, weighted by their rows, is
the value of the whole batch: its sum times n / nᵣ, over the divisor of the whole batch.
"""

from __future__ import annotations

from typing import Any

from minigrad.distributed import sharing as distributed
from minigrad.engine import functional as F
from minigrad.engine import rows
from minigrad.engine.creation import as_tensor_like
from minigrad.engine.dtypes import is_half
from minigrad.engine.errors import ShapeError
from minigrad.engine.functional.half import narrowed, widened
from minigrad.engine.functional.loss import REDUCTIONS, mean_of
from minigrad.engine.tensor import Tensor, TensorLike
from minigrad.layers.options import choice

KERAS_REDUCTIONS = ("auto", "none", "sum", "sum_over_batch_size")
option_kind = choice(*KERAS_REDUCTIONS, "mean_valid", "mean_all")


def reduce_losses(losses: Tensor, weights: TensorLike, mask: TensorLike, reduction: str) -> Tensor:
    """Return the losses under weights and mask, reduced by the module's table.

    Args:
        losses: one for each example (and time step …).
        weights: a number, or of the shape of `losses`, or of its first axes: (batch,) for losses of (batch, time).
        mask: the same, of bools.
        reduction: a word of the table.

    Raises:
        ShapeError: weights or mask do not fit the losses.
    """
    if is_half(losses.dtype):
        return narrowed(reduce_losses(widened(losses), weights, mask, reduction), losses)
    w = None if weights is None else broadcast_weights(losses, weights, "sample_weight")
    m = None if mask is None else broadcast_weights(losses, mask, "mask")
    both = w if m is None else m if w is None else w * m
    if not losses.size and reduction != "none":
        reduction = "sum"  # 0, where a mean of no losses is NaN
    if reduction != "none" and (own := rows.current()) is not None:
        return _of_own_rows(losses, both, m, reduction, own)
    if reduction in REDUCTIONS:
        return F.reduced(losses, both, reduction)
    return mean_of(F.reduced(losses, both, "sum"), float(losses.size) if m is None else m.sum())


def _of_own_rows(losses: Tensor, both: Any, m: Any, reduction: str, own: rows.Rows) -> Tensor:
    """Return the part of this process's rows in the reduction of a whole batch."""
    scale = own.total / own.size
    total = F.reduced(losses, both, "sum") * scale
    counted = both if reduction == "mean_valid" else m if reduction in ("auto", "sum_over_batch_size") else None
    if reduction == "sum":
        return total
    divisor = losses.size * scale if counted is None else distributed.total_of(counted.sum())
    return mean_of(total, float(divisor))


def broadcast_weights(losses: Tensor, weights: TensorLike, what: str) -> Tensor:
    """Return the weights in the dtype and the shape of the losses.

    Raises:
        ShapeError: they have neither the shape of the losses nor that of their first axes.
    """
    w = as_tensor_like(losses, weights, what).astype(losses.dtype)
    if w.ndim == losses.ndim + 1 and w.shape[-1] == 1:
        w = w.reshape(w.shape[:-1])
    elif 0 < w.ndim < losses.ndim:
        w = w.reshape(w.shape + (1,) * (losses.ndim - w.ndim))
    if w.ndim > losses.ndim or any(n not in (1, size) for n, size in zip(w.shape, losses.shape, strict=bool(w.ndim))):
        raise ShapeError(
            f"loss: expected `{what}` of shape {losses.shape}, one for each loss, or of its first axes, got "
            f"{getattr(weights, 'shape', w.shape)}."
        )
    return w if w.shape == losses.shape else F.broadcast_to(w, losses.shape)
