"""The arithmetic of two arrays: values against NumPy, gradients against finite differences, and broadcasting."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import minigrad as mg
from minigrad.engine.errors import ShapeError
from minigrad.testing import check_gradient
from op_cases import Case, numbers, test_float32_stays_float32, test_gradients, test_value

A, B = numbers(2, 3), numbers(2, 3, seed=1)
ROW, COLUMN, ONE = numbers(3, seed=2), numbers(2, 1, seed=3), numbers(seed=4)
P, Q = numbers(2, 3, low=0.2), numbers(3, seed=5, low=0.2)


def pairs(name: str, function: object, theirs: object, a: object = A, b: object = B, row: object = ROW) -> list[Case]:
    """An operation of two arrays, with the ways in which they can meet."""
    return [
        Case(name, function, theirs, (a, b)),
        Case(f"{name}-row", function, theirs, (a, row)),
        Case(f"{name}-outer", function, theirs, (row, np.abs(COLUMN))),
        Case(f"{name}-number", function, theirs, (np.abs(ONE), b)),
        Case(f"{name}-python-right", lambda x: function(x, 2.5), lambda x: theirs(x, 2.5), (a,)),
        Case(f"{name}-python-left", lambda x: function(2.5, x), lambda x: theirs(2.5, x), (b,)),
    ]


CASES = [
    *pairs("add", mg.add, np.add),
    *pairs("subtract", mg.subtract, np.subtract),
    *pairs("multiply", mg.multiply, np.multiply),
    *pairs("divide", mg.divide, np.divide),
    *pairs("power", mg.power, np.power, P, B, Q),
    *pairs("maximum", mg.maximum, np.maximum),
    *pairs("minimum", mg.minimum, np.minimum),
    Case("power-integer", lambda x: x**3, lambda x: x**3, (A,)),
    Case("power-negative", lambda x: x**-2, lambda x: x**-2.0, (A,)),
    Case("negative", mg.negative, np.negative, (A,)),
    Case("square", mg.square, np.square, (A,)),
    Case("same-tensor-twice", lambda x: x * x + x, lambda x: x * x + x, (A,)),
    Case("where", lambda a, b: mg.where(A > 0, a, b), lambda a, b: np.where(A > 0, a, b), (A, B)),
    Case(
        "where-broadcast",
        lambda a, b: mg.where(A[:, :1] > 0, a, b),
        lambda a, b: np.where(A[:, :1] > 0, a, b),
        (ROW, B),
    ),
    Case("where-number", lambda a: mg.where(A > 0, a, 0.0), lambda a: np.where(A > 0, a, 0.0), (A,)),
    Case("matmul", mg.matmul, np.matmul, (A, B.T)),
    Case("matmul-vector", mg.matmul, np.matmul, (A, ROW)),
    Case("vector-matmul", mg.matmul, np.matmul, (numbers(2), A)),
    Case("vector-vector", mg.matmul, np.matmul, (ROW, numbers(3, seed=6))),
    Case("matmul-batch", mg.matmul, np.matmul, (numbers(4, 2, 3), numbers(4, 3, 2, seed=1))),
    Case("matmul-batch-matrix", mg.matmul, np.matmul, (numbers(2, 2, 2, 3), B.T)),
    Case("matmul-batch-vector", mg.matmul, np.matmul, (numbers(4, 2, 3), ROW)),
    Case("vector-matmul-batch", mg.matmul, np.matmul, (ROW, numbers(4, 3, 2))),
    Case("matrix-matmul-batch", mg.matmul, np.matmul, (A, numbers(4, 3, 2))),
    Case("matmul-broadcast", mg.matmul, np.matmul, (numbers(2, 1, 2, 3), numbers(3, 3, 2, seed=1))),
]


@settings(deadline=None, max_examples=60)
@given(
    mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3, min_side=0),
    st.sampled_from([mg.multiply, mg.add]),
)
def test_broadcasting_is_undone(shapes: object, function: object) -> None:
    """For all shapes that broadcast: dx has the shape of x and collects every copy."""
    a, b = (mg.tensor(numbers(*shape, seed=k), requires_grad=True) for k, shape in enumerate(shapes.input_shapes))
    y = function(a, b)
    assert y.shape == shapes.result_shape
    dy = numbers(*y.shape, seed=2)
    da, db = mg.grad(y, [a, b], dy)
    slopes = (b.numpy(), a.numpy()) if function is mg.multiply else (np.ones(b.shape), np.ones(a.shape))
    for dx, x, slope in ((da, a, slopes[0]), (db, b, slopes[1])):
        copies = np.broadcast_to(dy * slope, y.shape)
        lost = tuple(range(y.ndim - x.ndim)) + tuple(
            k for k in range(y.ndim - x.ndim, y.ndim) if x.shape[k - y.ndim + x.ndim] == 1
        )
        np.testing.assert_allclose(dx.numpy(), copies.sum(lost, keepdims=True).reshape(x.shape), rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(
    mutually_broadcastable_shapes(signature="(m,k),(k,n)->(m,n)", max_dims=2, max_side=3),
    st.booleans(),
    st.booleans(),
)
def test_matrix_products_broadcast(shapes: object, row: bool, column: bool) -> None:
    left, right = shapes.input_shapes
    a = numbers(*(left[-1:] if row else left))
    b = numbers(*(right[-2:-1] if column else right), seed=1)
    np.testing.assert_allclose((mg.tensor(a) @ mg.tensor(b)).numpy(), a @ b, rtol=1e-12, atol=1e-12)
    check_gradient(mg.matmul, a, b, max_elements=8)


def test_equal_numbers_share_the_gradient() -> None:
    a, b = (mg.tensor([1.0, 2.0, 3.0], requires_grad=True) for _ in range(2))
    for function in (mg.maximum, mg.minimum):
        da, db = mg.grad(function(a, b).sum(), [a, b])
        assert da.tolist() == db.tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(("exponent", "slope"), [(0, 0.0), (1, 1.0), (2, 0.0), (0.0, 0.0), (3.0, 0.0)])
def test_powers_of_zero(exponent: float, slope: float) -> None:
    x = mg.tensor(0.0, requires_grad=True)
    assert mg.grad(x**exponent, x)[0].item() == slope
    n = mg.tensor(float(exponent), requires_grad=True)
    dx, dn = mg.grad(x**n, [x, n])
    assert (dx.item(), dn.item()) == (slope, 0.0)


def test_a_python_base_keeps_its_digits() -> None:
    """ln 3 in float64, also where the gradient is recorded."""
    x = mg.tensor(0.5, "float64", requires_grad=True)
    (dx,) = mg.grad(3**x, x, create_graph=True)
    assert dx.item() == pytest.approx(3**0.5 * np.log(3), rel=1e-15)


def test_one_over_zero_is_as_in_numpy() -> None:
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert (1.0 / mg.tensor([0.0])).item() == float("inf")


def test_where_passes_nothing_to_its_condition() -> None:
    x = mg.tensor([1.0, 0.0], requires_grad=True)
    y = mg.tensor([3.0, 4.0], requires_grad=True)
    assert mg.grad(mg.where(x, y, 2.0 * y).sum(), [x, y])[0] is None


__all__ = ["test_float32_stays_float32", "test_gradients", "test_value"]


@pytest.mark.parametrize("shape", [(2,), (2, 2), (3, 2, 2)])
@pytest.mark.parametrize("number", [2.0, 3, True, None])
def test_a_number_is_no_factor_of_a_matrix_product(shape: tuple[int, ...], number: Any) -> None:
    """On either side, of the operator, minigrad's function and NumPy's."""
    x = mg.tensor(np.ones(shape))
    calls = [lambda: x @ number, lambda: number @ x, lambda: mg.matmul(x, number), lambda: mg.matmul(number, x)]
    for call in [*calls, lambda: np.matmul(number, x), lambda: mg.matmul(number, number)]:
        with pytest.raises(ShapeError, match=r"MatMul: `[ab]`: expected one axis or more, got"):
            call()
    with pytest.raises(ShapeError, match=r"MatMul: cannot be applied to a = float64 \(\)"):
        mg.tensor(np.array(2.0)) @ x
