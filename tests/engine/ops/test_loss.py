"""Losses of raw scores: values against NumPy, gradients against finite differences, and the ends of the range."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import minigrad as mg
from minigrad import functional as F
from minigrad.engine.ops.loss import SoftmaxCrossEntropy
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
    """NaN, for a check on a device would cost a transfer; a NaN costs nothing and is noticed."""
    xp, labels = mg.use("numpy"), np.array([0, 5, -1])
    losses, cache = SoftmaxCrossEntropy.forward(xp, LOGITS[0], labels=labels)
    assert np.isnan(losses).tolist() == [False, True, True]
    dx = SoftmaxCrossEntropy.backward(xp, np.ones(3), losses, LOGITS[0], labels=labels, cache=cache)
    np.testing.assert_allclose(dx.sum(-1), [0.0, 1.0, 1.0], atol=1e-15)  # softmax, less one where there is a class


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("integers", ["uint8", "int32", "int64"])
def test_the_short_way_gives_every_bit_of_the_formula(dtype: str, integers: str, backend: ModuleType) -> None:
    """One look at each class, one exponential each; a fused loop gives the formula's numbers up to rounding."""
    source = np.random.default_rng(0)
    x, dy = source.normal(size=(4, 7, 11)).astype(dtype), source.normal(size=(4, 7)).astype(dtype)
    labels = source.integers(0, 11, (4, 7))
    shifted = x - x.max(-1, keepdims=True)
    onehot = (labels[..., None] == np.arange(11)).astype(dtype)
    total = np.exp(shifted).sum(-1, keepdims=True)
    t = mg.tensor(x, requires_grad=True)
    losses = F.softmax_cross_entropy(t, labels.astype(integers), reduction="none")
    few = 8 * np.finfo(dtype).eps if hasattr(backend, "fused") else 0.0  # a fused loop sums in another order
    expected = np.log(total)[..., 0] - (shifted * onehot).sum(-1)
    np.testing.assert_allclose(losses.numpy(), expected, rtol=few, atol=few)
    (dx,) = mg.grad(losses, [t], [mg.tensor(dy)])
    cotangents = dy[..., None]
    expected = np.exp(shifted) * (cotangents / total) - onehot * cotangents
    np.testing.assert_allclose(dx.numpy(), expected, rtol=few, atol=few)


__all__ = ["test_float32_stays_float32", "test_gradients", "test_value"]
