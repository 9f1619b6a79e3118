"""Reductions: values against NumPy, gradients against finite differences, over every kind of axis."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import functional as F
from op_cases import Case, numbers, test_float32_stays_float32, test_gradients, test_value

X = numbers(2, 3, 4)
AXES = [
    {}, {"axis": 1}, {"axis": -1}, {"axis": (0, 2)}, {"axis": (-1, 0), "keepdims": True}, {"keepdims": True},
    {"axis": ()},
]  # fmt: skip
ONE_AXIS = [{"axis": 0}, {"axis": 1}, {"axis": -1}]


def along(name: str, axes: list[dict[str, object]], ours: object = None, theirs: object = None) -> list[Case]:
    """A reduction over each of some axes."""
    function = ours if ours is not None else getattr(F, name)
    reference = theirs if theirs is not None else getattr(np, name)
    return [
        Case(
            f"{name}-{'-'.join(map(str, words.values()))}",
            lambda x, words=words: function(x, **words),
            lambda x, words=words: reference(x, **words),
            (X,),
        )
        for words in axes
    ]


def logsumexp(x: np.ndarray, axis: object = -1, keepdims: bool = False) -> np.ndarray:
    return np.log(np.exp(x).sum(axis, keepdims=keepdims))


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


CASES = [
    *along("sum", AXES),
    *along("mean", AXES),
    *along("var", AXES[:-1]),
    *along("prod", AXES),
    *along("max", AXES[:-1]),
    *along("min", AXES[:-1]),
    *along("logsumexp", [*AXES[1:-1], {"axis": None}], theirs=logsumexp),
    *along("softmax", ONE_AXIS, theirs=softmax),
    *along("log_softmax", ONE_AXIS, theirs=lambda x, axis: np.log(softmax(x, axis))),
    *along("cumsum", [*ONE_AXIS, {}]),
    Case("prod-with-zeros", F.prod, np.prod, (np.array([2.0, 0.0, 3.0]),)),
    Case("prod-with-two-zeros", lambda x: F.prod(x, 1), lambda x: np.prod(x, 1), (np.array([[0.0, 0.0, 3.0]]),)),
    Case("sum-of-a-number", F.sum, np.sum, (numbers(),)),
    Case("max-of-a-number", F.max, np.max, (numbers(),)),
    Case("prod-of-a-number", F.prod, np.prod, (numbers(),)),
]


def test_equals_share_the_gradient() -> None:
    x = mg.tensor([3.0, 1.0, 3.0], requires_grad=True)
    assert mg.grad(x.max(), x)[0].tolist() == [0.5, 0.0, 0.5]
    assert mg.grad((-x).min(), x)[0].tolist() == [-0.5, 0.0, -0.5]


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax, F.logsumexp], ids=lambda f: f.__name__)
def test_large_numbers_do_not_overflow(function: object) -> None:
    x = mg.tensor([1e4, 0.0, -1e4], requires_grad=True)
    y = function(x)
    (dx,) = mg.grad(y, x, np.ones(y.shape, "float32"))
    assert np.isfinite(y.numpy()).all()
    assert np.isfinite(dx.numpy()).all()


def test_integers() -> None:
    x = mg.tensor([[1, 2], [3, 5]])
    assert x.sum(0).tolist() == [4, 7]
    assert x.mean().item() == 2.75
    assert (x.max().item(), x.argmax().item(), x.argmax(-1).tolist()) == (5, 3, [1, 1])


__all__ = ["test_float32_stays_float32", "test_gradients", "test_value"]
