"""Operations and calls as they were written for version 0.1.0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy
from minigrad.engine import tape
from minigrad.engine.ops.op import MultiOp, Op
from minigrad.engine.ops.pointwise import Sigmoid, Tanh
from minigrad.engine.tensor import apply
from minigrad.testing import check_gradient


class Cube(Op):
    """y = x³"""

    keeps = True

    def forward(xp: Any, x: Any) -> Any:
        square = x * x
        return x * square, square

    def backward(xp: Any, dy: Any, y: Any, x: Any, kept: Any) -> Any:
        return 3.0 * dy * kept


class Scaled(MultiOp):
    """y_0 = k x and y_1 = x²"""

    keeps = True

    def forward(xp: Any, x: Any, *, k: float) -> Any:
        return (k * x, x * x), (x,)

    def backward(xp: Any, dy: Any, y: Any, x: Any, *, k: float, kept: Any, needs: Any) -> Any:
        assert needs == [True]
        return k * dy[0] + 2.0 * dy[1] * kept[0]


class Inherited(Cube):
    """y = x³, with the gradient of y = −x³"""

    def backward(xp: Any, dy: Any, y: Any, x: Any, kept: Any) -> Any:
        return -3.0 * dy * kept


X = np.array([0.5, -1.5, 2.0])


def test_an_operation_that_keeps() -> None:
    check_gradient(lambda x: apply(Cube, x), X)
    check_gradient(lambda x: apply(Scaled, x, k=3.0), X)


def test_it_can_be_differentiated_twice() -> None:
    x = mg.tensor(X, requires_grad=True)
    (dx,) = mg.grad(apply(Cube, x).sum(), x, create_graph=True)
    (ddx,) = mg.grad(dx.sum(), x)
    np.testing.assert_allclose(ddx.numpy(), 6.0 * X)


def test_a_subclass_of_one() -> None:
    x = mg.tensor(X, requires_grad=True)
    apply(Inherited, x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), -3.0 * X**2)


def test_the_attribute_has_both_names() -> None:
    assert [(op.keeps, op.caches) for op in (Op, Tanh, Cube, Inherited)] == [(False,) * 2] * 2 + [(True,) * 2] * 2  # type: ignore[attr-defined]
    assert Sigmoid.keeps == Sigmoid.caches  # type: ignore[attr-defined]


@pytest.mark.parametrize("on_tensors", [False, True])
def test_propagate_from_targets(on_tensors: bool) -> None:
    x = mg.tensor(X, requires_grad=True)
    y = x * x
    z = y.sum()
    seed = mg.tensor(np.array(2.0))
    xp = mg.functional if on_tensors else minigrad_numpy
    found = tape.propagate([z], [seed if on_tensors else seed.array], xp, on_tensors=on_tensors, wanted=[x, y])  # type: ignore[call-arg, list-item, arg-type]
    np.testing.assert_array_equal(np.asarray(found.get(x)), 4.0 * X)
    np.testing.assert_array_equal(np.asarray(found.get(y)), [2.0, 2.0, 2.0])
    assert isinstance(found.get(x), mg.Tensor) == on_tensors


def test_propagate_since_a_node() -> None:
    x = mg.tensor(X, requires_grad=True)
    y = x * x
    z = y.sum()
    found = tape.propagate([z], [np.ones(())], minigrad_numpy, wanted=[y], since=z.node.serial, free=True)  # type: ignore[call-arg, list-item, arg-type, union-attr]
    np.testing.assert_array_equal(found.get(y), np.ones(3))
    assert found.get(x) is None
    assert z.node.op is None  # type: ignore[union-attr]
