"""Losses. `tf.compat.v1.losses`."""

from minigrad.compat.out_of_scope import sentence
from minigrad.compat.v1.loss_functions import (
    Reduction,
    absolute_difference,
    compute_weighted_loss,
    hinge_loss,
    huber_loss,
    log_loss,
    mean_squared_error,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
    sparse_softmax_cross_entropy,
)  # fmt: skip
from minigrad.engine.lazy import lazy_getattr

__all__ = [
    "Reduction", "absolute_difference", "compute_weighted_loss", "hinge_loss", "huber_loss", "log_loss",
    "mean_squared_error", "sigmoid_cross_entropy", "softmax_cross_entropy", "sparse_softmax_cross_entropy",
]  # fmt: skip

__getattr__ = lazy_getattr(__name__, __all__, missing=sentence)

del lazy_getattr, sentence
