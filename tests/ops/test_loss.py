"""Losses of raw scores: values against NumPy, gradients against finite differences, and the ends of the range."""

from __future__ import annotations

import numpy as np

import minigrad as mg
from minigrad import functional as F
from op_cases import Case, numbers, test_float32_stays_float32, test_gradients, test_value

LOGITS = numbers(2, 3, 5)
LABELS = np.array([[0, 4, 2], [1, 1, 3]])
X, Z = numbers(2, 3), numbers(2, 3, seed=1, low=0.0, high=1.0)


def cross_entropy(x: np.ndarray) -> np.ndarray:
    logs = x - np.log(np.exp(x).sum(-1, keepdims=True))
    return -np.take_along_axis(logs, LABELS[..., None], -1)[..., 0]


def binary(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-x))
    return -z * np.log(p) - (1 - z) * np.log(1 - p)


CASES = [
    Case(
        "softmax_cross_entropy",
        lambda x: F.softmax_cross_entropy(x, LABELS, reduction="none"),
        cross_entropy,
        (LOGITS,),
    ),
    Case(
        "softmax_cross_entropy-mean",
        lambda x: F.softmax_cross_entropy(x, LABELS),
        lambda x: cross_entropy(x).mean(),
        (LOGITS,),
    ),
    Case("binary", lambda x, z: F.binary_cross_entropy(x, z, reduction="none"), binary, (X, Z)),
    Case("mse", lambda x, z: F.mean_squared_error(x, z, reduction="none"), lambda x, z: (x - z) ** 2, (X, Z)),
]


def test_certainty_costs_nothing_and_error_costs_its_distance() -> None:
    x = mg.tensor([[1e4, 0.0], [0.0, 1e4]], requires_grad=True)
    losses = F.softmax_cross_entropy(x, [0, 0], reduction="none")
    assert losses.tolist() == [0.0, 1e4]
    assert mg.grad(losses.sum(), x)[0].tolist() == [[0.0, 0.0], [-1.0, 1.0]]
    x = mg.tensor([1e4, -1e4], requires_grad=True)
    losses = F.binary_cross_entropy(x, [1.0, 1.0], reduction="none")
    assert losses.tolist() == [0.0, 1e4]
    assert mg.grad(losses.sum(), x)[0].tolist() == [0.0, -1.0]


def test_a_label_out_of_range_has_no_loss() -> None:
    """Where the numbers lie on a device, looking for it costs a transfer; a NaN costs nothing and is not overlooked."""
    xp = mg.use("numpy")
    losses = mg.functional.loss.loss.SoftmaxCrossEntropy.forward(xp, LOGITS[0], labels=np.array([0, 5, -1]))
    assert np.isnan(losses).tolist() == [False, True, True]


__all__ = ["test_float32_stays_float32", "test_gradients", "test_value"]
