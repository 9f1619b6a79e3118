"""x W + b in one operation: the numbers of the product and the sum."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ShapeError
from minigrad.engine.ops.affine import Affine
from minigrad.engine.tensor import apply

SHAPES = [(4, 3), (3,), (2, 4, 3), (0, 3), (1, 1, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_are_those_of_the_product_and_the_sum(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, W, b = (mg.tensor(rng.standard_normal(s), "float32", requires_grad=True) for s in (shape, (3, 5), (5,)))
    one, two = apply(Affine, x, W, b), x @ W + b
    dy = mg.tensor(rng.standard_normal(one.shape), "float32")
    found, expected = ([y, *mg.grad(y, [x, W, b], dy)] for y in (one, two))
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def test_gradients_match_finite_differences() -> None:
    rng = np.random.default_rng(1)
    x, W, b = (mg.tensor(rng.standard_normal(s), requires_grad=True) for s in ((2, 4, 3), (3, 2), (2,)))
    mg.testing.check_gradient(lambda *inputs: apply(Affine, *inputs), x, W, b)
    dx = mg.grad(apply(Affine, x, W, b).sum(), x, create_graph=True)[0]
    np.testing.assert_allclose(mg.grad(dx.sum(), W)[0].numpy(), [[8.0, 8.0]] * 3, rtol=1e-12)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"Affine: cannot be applied to .*\(2, 3\).*\(4, 5\)"):
        apply(Affine, *[mg.tensor(np.ones(s)) for s in ((2, 3), (4, 5), (5,))])
