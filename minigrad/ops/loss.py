"""Losses whose gradient is simpler than their parts': one loss for each example, none summed or averaged yet."""

from __future__ import annotations

from minigrad.backend.protocol import Array, Xp
from minigrad.ops.op import Op


class SoftmaxCrossEntropy(Op):
    """y = ln Σⱼ e^xⱼ − x_label over the last axis; dx = dy (softmax(x) − onehot(label)).

    Inputs: logits x (…, classes), and the integer labels (…) as the parameter `labels`. A label that is no class has
    no loss: NaN.
    """

    def forward(xp: Xp, x: Array, *, labels: Array) -> Array:
        shifted, onehot = x - xp.max(x, -1, True), _onehot(xp, x, labels)
        chosen = xp.sum(xp.where(onehot, shifted, 0.0), -1)
        return xp.where(xp.any(onehot, -1), xp.log(xp.sum(xp.exp(shifted), -1)) - chosen, float("nan"))

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, labels: Array) -> Array:
        e = xp.exp(x - xp.max(x, -1, True))
        softmax = e / xp.sum(e, -1, True)
        return xp.expand_dims(dy, -1) * (softmax - xp.astype(_onehot(xp, x, labels), x.dtype))


def _onehot(xp: Xp, x: Array, labels: Array) -> Array:
    """True at the label, shape of x."""
    return xp.expand_dims(labels, -1) == xp.arange(x.shape[-1])


class BinaryCrossEntropy(Op):
    """y = −z ln σ(x) − (1 − z) ln(1 − σ(x)) = max(x, 0) − x z + ln(1 + e^(−|x|)); dx = dy (σ(x) − z).

    Inputs: logits x and targets z in [0, 1], of one shape.
    """

    broadcasts = True

    def forward(xp: Xp, x: Array, z: Array) -> Array:
        return xp.maximum(x, 0.0) - x * z + xp.log1p(xp.exp(-xp.abs(x)))

    def backward(xp: Xp, dy: Array, y: Array, x: Array, z: Array) -> tuple[Array, Array]:
        e = xp.exp(-xp.abs(x))
        sigmoid = xp.where(x >= 0, 1.0, e) / (1.0 + e)
        return dy * (sigmoid - z), -dy * x
