"""Measures of a model's outputs: bits per symbol, standard errors, the outputs at the ends of sequences."""

from __future__ import annotations

import math

import numpy as np

from minigrad.engine.protocol import Array
from minigrad.train.batch import Batch


def log_softmax(logits: Array) -> Array:
    """Return log softmax over the last axis, in float64.

    log pₖ = zₖ − m − log Σⱼ exp(zⱼ − m),  m = maxⱼ zⱼ
    """
    shifted = np.asarray(logits, dtype=np.float64)
    shifted = shifted - shifted.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def bits(logits: Array, batch: Batch) -> float:
    """Return the mean of −log₂ p(target) where the batch's weights are 1."""
    return float((bits_each(logits, batch.targets) * batch.weights).sum() / batch.weights.sum())


def bits_each(logits: Array, targets: Array) -> Array:
    """Return −log₂ p(target) of every target, (batch, time)."""
    chosen = np.take_along_axis(log_softmax(logits), targets[..., None], axis=-1)[..., 0]
    return -chosen / np.log(2)


def standard_error(values: Array) -> float:
    """Return the standard error of the mean of independent values, NaN for fewer than two of them.

    s / √n,  s² = Σ (xᵢ − x̄)² / (n − 1)

    >>> standard_error(np.array([0.0, 1.0, 1.0, 0.0]))
    0.28867513459481287
    """
    return float(np.std(values, ddof=1, dtype=np.float64) / math.sqrt(len(values))) if len(values) > 1 else math.nan


def ends(sequences: Array, weights: Array) -> Array:
    """Return the last time step of each sequence whose weight is not 0.

    Args:
        sequences: (batch, time, …).
        weights: (batch, time).

    Returns:
        (batch, …).
    """
    last = weights.shape[1] - 1 - np.argmax(weights[:, ::-1] != 0, axis=1)
    return sequences[np.arange(len(sequences)), last]
