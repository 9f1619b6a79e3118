"""Arguments that the losses accept and refuse, masks and reductions; the bare losses are tested with the operations."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import functional as F
from minigrad.engine.errors import DTypeError, IndexRangeError, OptionError, ShapeError, UnknownNameError
from minigrad.testing import check_gradient
from op_cases import numbers

LOSSES = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
MASK = np.array([[True, False, True], [False, False, True]])


@pytest.mark.parametrize(
    ("reduction", "expected", "masked"),
    [
        ("none", LOSSES, LOSSES * MASK),
        ("sum", 63.0, 37.0),
        ("mean_all", 63.0 / 6, 37.0 / 6),
        ("mean_valid", 63.0 / 6, 37.0 / 3),
    ],
)
def test_reductions(reduction: str, expected: object, masked: object, backend: ModuleType) -> None:
    losses = mg.tensor(LOSSES)
    np.testing.assert_array_equal(F.reduced(losses, reduction=reduction).numpy(), expected)
    for mask in (MASK, mg.tensor(MASK), MASK.astype("float64")):
        np.testing.assert_array_equal(F.reduced(losses, mask, reduction).numpy(), masked)


def test_with_nothing_valid_there_is_no_loss() -> None:
    losses = mg.tensor(LOSSES, requires_grad=True)
    loss = F.reduced(losses, np.zeros((2, 3)))
    assert loss.item() == 0.0
    assert not mg.grad(loss, losses)[0].numpy().any()


@pytest.mark.parametrize("reduction", F.loss.REDUCTIONS)
def test_gradients_under_a_mask(reduction: str, backend: ModuleType) -> None:
    logits, labels = numbers(2, 3, 4), np.array([[0, 1, 2], [3, 3, 0]])
    x, z = numbers(2, 3), numbers(2, 3, seed=1, low=0.0, high=1.0)
    words = {"mask": MASK, "reduction": reduction}
    check_gradient(lambda y: F.softmax_cross_entropy(y, labels, **words), logits, second_order=True, max_elements=0)
    check_gradient(lambda a, b: F.binary_cross_entropy(a, b, **words), x, z, second_order=True, max_elements=0)
    check_gradient(lambda a, b: F.mean_squared_error(a, b, **words), x, z, second_order=True, max_elements=0)


def test_what_is_masked_gets_no_gradient() -> None:
    x = mg.tensor(numbers(2, 3), requires_grad=True)
    (dx,) = mg.grad(F.mean_squared_error(x, LOSSES, MASK), x)
    assert ((dx.numpy() != 0) == MASK).all()


REFUSED = {
    "labels": (
        lambda: F.softmax_cross_entropy(np.ones((2, 3)), [0]),
        ShapeError,
        r"labels` of shape \(2,\).*got \(1,\)",
    ),
    "one number": (lambda: F.softmax_cross_entropy(1.0, 0), ShapeError, "for logits of shape"),
    "label range": (
        lambda: F.softmax_cross_entropy(np.ones((1, 3)), [3]),
        IndexRangeError,
        "`labels` from 0 to 2, got 3 to 3",
    ),
    "negative label": (lambda: F.softmax_cross_entropy(np.ones((1, 3)), [-1]), IndexRangeError, "from 0 to 2, got -1"),
    "label dtype": (lambda: F.softmax_cross_entropy(np.ones((1, 3)), [1.0]), DTypeError, "expected integer `labels`"),
    "targets": (lambda: F.mean_squared_error([1.0], [[1.0]]), ShapeError, r"one shape, got \(1,\) and \(1, 1\)"),
    "binary": (lambda: F.binary_cross_entropy([1.0], [1.0, 0.0]), ShapeError, r"one shape, got \(1,\) and \(2,\)"),
    "mask": (lambda: F.mean_squared_error([1.0], [1.0], mask=[[True]]), ShapeError, r"expected `mask` of shape \(1,\)"),
    "reduction": (
        lambda: F.mean_squared_error([1.0], [1.0], reduction="mean_valud"),
        UnknownNameError,
        "reduced: `reduction`: unknown name 'mean_valud'. Did you mean 'mean_valid'",
    ),
}


@pytest.mark.parametrize(("act", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals(act: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        act()


@pytest.mark.parametrize("targets", [[-5.0, 0.5], [0.0, 7.0], [float("nan"), 1.0]])
def test_targets_that_are_no_probabilities(targets):
    with pytest.raises(OptionError, match="binary_cross_entropy: expected `targets` from 0 to 1"):
        F.binary_cross_entropy(mg.ones((2,)), targets)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("loss", [F.mean_squared_error, F.binary_cross_entropy])
def test_the_mean_of_no_losses_is_nan(loss: Any) -> None:
    """As in PyTorch's mse_loss and TensorFlow's reduce_mean."""
    nothing = mg.tensor(np.ones((0, 3)))
    assert np.isnan(loss(nothing, nothing).item())
    assert loss(nothing, nothing, mask=np.ones((0, 3))).item() == 0.0
    assert mg.keras.losses.MeanSquaredError(reduction="mean_all")(nothing, nothing).item() == 0.0


def test_losses_that_are_integers_keep_fractional_weights() -> None:
    assert F.reduced([1, 2, 3], [0.5, 0.25, 0.0]).numpy() == pytest.approx(1.0 / 0.75)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_labels_of_every_integer_dtype(dtype: str) -> None:
    x, labels = np.linspace(-1, 1, 6).reshape(2, 3), np.array([2, 0])
    found = []
    for kind in ("int64", dtype):
        logits = mg.tensor(x, requires_grad=True)
        loss = F.softmax_cross_entropy(logits, labels.astype(kind))
        loss.backward()
        found.append((loss.numpy(), logits.grad.numpy()))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])
