"""Functions of one number: values against NumPy, gradients against finite differences, and the ends of the range."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest

import minigrad as mg
from minigrad import functional as F
from minigrad.engine.ops import pointwise
from minigrad.engine.ops.op import Op
from op_cases import Case, numbers, test_float32_stays_float32, test_gradients, test_value

X = numbers(3, 4)
POSITIVE = numbers(3, 4, low=0.2, high=4.0)
SCALE, ALPHA = pointwise.SELU_SCALE, pointwise.SELU_ALPHA
erf_of = np.vectorize(erf)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softplus(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(x))


CASES = [
    *[Case(f.__name__, f, getattr(np, f.__name__), (X,)) for f in (F.exp, F.expm1, F.sin, F.cos, F.tanh)],
    *[Case(f.__name__, f, getattr(np, f.__name__), (POSITIVE,)) for f in (F.log, F.log1p, F.sqrt)],
    *[Case(f.__name__, f, getattr(np, f.__name__), (X + 0.01,)) for f in (F.abs, F.sign, F.floor)],
    Case("erf", F.erf, erf_of, (X,)),
    Case("clip", lambda x: F.clip(x, -1.0, 0.55), lambda x: np.clip(x, -1.0, 0.55), (X,)),
    Case("sigmoid", F.sigmoid, sigmoid, (X,)),
    Case("hard_sigmoid", F.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0.0, 1.0), (3 * X,)),
    Case("relu", F.relu, lambda x: np.maximum(x, 0.0), (X,)),
    Case("elu", F.elu, lambda x: np.where(x > 0, x, np.expm1(x)), (X,)),
    Case("elu-alpha", lambda x: F.elu(x, 0.3), lambda x: np.where(x > 0, x, 0.3 * np.expm1(x)), (X,)),
    Case("selu", F.selu, lambda x: SCALE * np.where(x > 0, x, ALPHA * np.expm1(x)), (X,)),
    Case("softplus", F.softplus, softplus, (X,)),
    Case("softsign", F.softsign, lambda x: x / (1 + np.abs(x)), (X,)),
    Case("swish", F.swish, lambda x: x * sigmoid(x), (X,)),
    Case("gelu", F.gelu, lambda x: 0.5 * x * (1 + erf_of(x / sqrt(2))), (X,)),
    Case("mish", F.mish, lambda x: x * np.tanh(softplus(x)), (X,)),
    Case("linear", F.linear, lambda x: x, (X,)),
    Case("scalar", F.tanh, np.tanh, (numbers(),)),
    Case("empty", F.tanh, np.tanh, (np.zeros((0, 3)),)),
]

ACTIVATIONS = [
    F.tanh, F.sigmoid, F.hard_sigmoid, F.relu, F.elu, F.selu, F.softplus, F.softsign, F.swish, F.gelu, F.mish,
]  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_overflows(activation: object, dtype: str) -> None:
    """Flat or straight activations far out, with such gradients: no NaN and no warning."""
    x = mg.tensor([-1e4, -100.0, 0.0, 100.0, 1e4], dtype, requires_grad=True)
    y = activation(x)
    (dx,) = mg.grad(y, x, np.ones(5, dtype))
    assert np.isfinite(y.numpy()).all()
    assert np.isfinite(dx.numpy()).all()


@pytest.mark.parametrize("function", [F.expm1, F.log1p], ids=lambda f: f.__name__)
def test_small_numbers_keep_their_digits(function: object) -> None:
    assert function(mg.tensor(1e-12, "float64")).item() == pytest.approx(1e-12, rel=1e-11)


@pytest.mark.parametrize(
    ("function", "slope"), [(F.abs, 0.0), (F.relu, 0.0), (F.sign, 0.0), (F.softsign, 1.0), (F.elu, 1.0)]
)
def test_slope_at_zero(function: object, slope: float) -> None:
    x = mg.tensor(0.0, requires_grad=True)
    assert mg.grad(function(x), x)[0].item() == slope


def test_the_gradient_passes_at_the_ends_of_clip() -> None:
    x = mg.tensor([-1.0, 1.0, 1.5], requires_grad=True)
    assert mg.grad(F.clip(x, -1, 1).sum(), x)[0].tolist() == [1.0, 1.0, 0.0]


FROM_OUTPUT = [op for op in vars(pointwise).values() if isinstance(op, type) and issubclass(op, Op) and op.from_output]


@pytest.mark.parametrize("op", FROM_OUTPUT, ids=lambda op: op.__name__)
def test_what_says_so_needs_only_the_output(op: type[Op]) -> None:
    """Derivatives from the output alone: recurrent cells cache only their gates, and pass None for z."""
    xp = mg.use("numpy")
    x = POSITIVE if op is pointwise.Sqrt else X
    y = op.forward(xp, x)
    dy = numbers(3, 4, seed=1)
    np.testing.assert_array_equal(op.backward(xp, dy, y, None), op.backward(xp, dy, y, x))


__all__ = ["test_float32_stays_float32", "test_gradients", "test_value"]
