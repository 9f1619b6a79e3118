"""Losses whose gradient is simpler than their parts': one loss for each example, none summed or averaged yet."""

from __future__ import annotations

from typing import Any

from minigrad.engine.ops.op import Op
from minigrad.engine.ops.pointwise import Sigmoid
from minigrad.engine.protocol import Array, Xp


class SoftmaxCrossEntropy(Op):
    """y = ln Σⱼ e^xⱼ − x_label over the last axis; dx = dy (softmax(x) − onehot(label)).

    Inputs: logits x (…, classes); the parameter `labels`, integers (…). The loss of a label that is not a class is NaN.
    """

    caches = True

    def forward(xp: Xp, x: Array, *, labels: Array) -> Any:
        if fused := _fused(xp, x):
            return fused.forward(x, labels)
        shifted = x - xp.max(x, -1, True)
        e = xp.exp(shifted)
        total = xp.sum(e, -1, True)
        place, is_class = _places(xp, x, labels)
        chosen = xp.reshape(xp.getitem(xp.reshape(shifted, (-1,)), place), labels.shape)
        return xp.where(is_class, xp.log(xp.squeeze(total, -1)) - chosen, float("nan")), (e, total, place, is_class)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, labels: Array, cache: Any) -> Array:
        if fused := _fused(xp, x):
            return fused.backward(dy, labels, cache)
        e, total, place, is_class = cache
        dx, less = e * (xp.expand_dims(dy, -1) / total), xp.where(is_class, -dy, 0.0)
        return xp.reshape(xp.scatter_add(xp.reshape(dx, (-1,)), place, xp.reshape(less, (-1,))), x.shape)


def _fused(xp: Xp, x: Array) -> Any:
    return own if (own := getattr(xp, "fused", {}).get("softmax_cross_entropy")) and not own.unsupported(x) else None


def _places(xp: Xp, x: Array, labels: Array) -> tuple[Array, Array]:
    """Return the labels' positions in flat x, the row's first for an invalid label; and whether each is a class."""
    classes = x.shape[-1]
    is_class = (labels >= 0) & (labels < classes)
    column = xp.reshape(xp.where(is_class, labels, 0), (-1,))
    return classes * xp.arange(column.shape[0]) + column, is_class


class BinaryCrossEntropy(Op):
    """y = −z ln σ(x) − (1 − z) ln(1 − σ(x)) = max(x, 0) − x z + ln(1 + e^(−|x|)); dx = dy (σ(x) − z).

    Inputs: logits x and targets z in [0, 1], of one shape.
    """

    broadcasts = True

    def forward(xp: Xp, x: Array, z: Array) -> Array:
        return xp.maximum(x, 0.0) - x * z + xp.log1p(xp.exp(-xp.abs(x)))

    def backward(xp: Xp, dy: Array, y: Array, x: Array, z: Array) -> tuple[Array, Array]:
        return dy * (Sigmoid.forward(xp, x) - z), -dy * x
