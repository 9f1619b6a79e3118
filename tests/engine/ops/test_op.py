"""Operations: the class, and the tape's errors for a wrong one."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.ops.op import MultiOp, Op
from minigrad.engine.tensor import apply
from minigrad.testing import check_gradient


class Cube(Op):
    def forward(xp, x):
        return x * x * x

    def backward(xp, dy, y, x):
        return 3.0 * dy * x * x


class Keeper(Op):
    """y = x³; caches x² for the backward pass."""

    caches = True

    def forward(xp, x):
        square = x * x
        return x * square, square

    def backward(xp, dy, y, x, *, cache):
        return 3.0 * dy * cache


class SumAndProduct(MultiOp):
    def forward(xp, a, b):
        return a + b, a * b

    def backward(xp, dy, y, a, b, *, needs):
        ds, dp = dy
        return ds + dp * b if needs[0] else None, ds + dp * a if needs[1] else None


X = np.array([0.5, -1.5, 2.0])


def test_rules_are_functions_without_self() -> None:
    assert Cube.forward(None, 2.0) == 8.0
    assert Cube.backward(None, 1.0, 8.0, 2.0) == 12.0


def test_selective_is_set_by_the_signature() -> None:
    assert SumAndProduct.selective
    assert not Cube.selective

    class OnlyALocal(Op):
        def backward(xp, dy, y, x):
            needs = 2.0
            return needs * dy

    assert not OnlyALocal.selective


@pytest.mark.parametrize("op", [Cube, Keeper])
def test_ones_own_operation(op: type[Op]) -> None:
    check_gradient(lambda x: apply(op, x), X, second_order=True)


def test_several_outputs() -> None:
    check_gradient(lambda a, b: apply(SumAndProduct, a, b), X, X + 1, second_order=True)
    check_gradient(lambda a, b: apply(SumAndProduct, a, b)[1], X, X + 1, second_order=True)


def test_needs_says_who_asks() -> None:
    asked = []

    class Asking(Op):
        def forward(xp, a, b, c):
            return a + b

        def backward(xp, dy, y, a, b, c, *, needs):
            asked.append(list(needs))
            return dy, dy, None

    a = mg.tensor(X, requires_grad=True)
    apply(Asking, a, mg.tensor(X), None).sum().backward()
    assert asked == [[True, False, False]]


def test_a_gradient_of_the_wrong_shape() -> None:
    class Wrong(Op):
        def forward(xp, x):
            return x

        def backward(xp, dy, y, x):
            return xp.sum(dy)

    x = mg.tensor(X, requires_grad=True)
    with pytest.raises(mg.errors.ShapeError, match=r"Wrong.backward: expected dx of shape \(3,\).*got \(\)"):
        apply(Wrong, x).sum().backward()


def test_an_operation_without_backward_passes_no_gradient() -> None:
    class Rank(Op):
        def forward(xp, x):
            return x * 0.0 + x.ndim

    assert not apply(Rank, mg.tensor(X, requires_grad=True)).requires_grad
