"""Reading by index: values against NumPy, gradients against finite differences, for any index."""

from __future__ import annotations

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, basic_indices, integer_array_indices

import minigrad as mg
from minigrad import functional as F
from minigrad.testing import check_gradient
from op_cases import Case, numbers, test_float32_stays_float32, test_gradients, test_value

X = numbers(3, 4, 2)
ROWS = np.array([2, 0, 2, -1])
MASK = X > 0.3

INDICES = {
    "integer": 1,
    "negative": -1,
    "numpy-integer": np.int64(1),
    "slice": slice(1, None),
    "step-back": slice(None, None, -2),
    "ellipsis": (Ellipsis, 0),
    "new-axis": (None, slice(None), None, 1),
    "element": (1, 2, 0),
    "nothing": slice(2, 2),
    "list": [0, 2, 0],
    "array": ROWS,
    "array-2d": np.array([[0, 1], [1, 1]]),
    "array-and-slice": (slice(None), np.array([3, 3, 0])),
    "two-arrays": (np.array([0, 2, 0]), np.array([1, 1, 1])),
    "arrays-apart": (np.array([0, 2, 0]), slice(None), np.array([1, 1, 1])),
    "mask": MASK,
    "mask-of-rows": np.array([True, False, True]),
    "mask-and-integer": (np.array([True, False, True]), 1),
}

CASES = [
    *[Case(name, lambda x, i=i: x[i], lambda x, i=i: x[i], (X,)) for name, i in INDICES.items()],
    Case("take", lambda x: F.take(x, ROWS), lambda x: x[ROWS], (X,)),
    Case("take-2d", lambda x: F.take(x, ROWS.reshape(2, 2)), lambda x: x[ROWS.reshape(2, 2)], (X,)),
    Case("take-axis", lambda x: F.take(x, [[1, 0], [1, 1]], -1), lambda x: np.take(x, [[1, 0], [1, 1]], -1), (X,)),
    Case("take-one", lambda x: F.take(x, 1, 1), lambda x: np.take(x, 1, 1), (X,)),
    Case(
        "scatter_add",
        lambda x, v: F.scatter_add(x, ROWS, v),
        lambda x, v: np.stack([x[0] + v[1], x[1], x[2] + v[0] + v[2] + v[3]]),
        (X, numbers(4, 4, 2, seed=1)),
    ),
    Case(
        "scatter_add-slice", lambda x, v: F.scatter_add(x, 1, v), lambda x, v: x + [[[0]], [[1]], [[0]]] * v, (X, X[0])
    ),
]


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_index(data: st.DataObject) -> None:
    """Numbers as in NumPy, and a gradient that counts how often each was read."""
    shape = data.draw(array_shapes(min_dims=1, max_dims=4, max_side=4))
    kinds = basic_indices(shape, allow_newaxis=True, allow_ellipsis=True) | integer_array_indices(shape)
    masks = st.integers(0, 2**32).map(lambda n: np.random.default_rng(n).random(shape) < 0.5)
    index = data.draw(kinds | masks)
    values = numbers(*shape)
    x = mg.tensor(values, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.numpy(), values[index])
    dy = numbers(*y.shape, seed=1)
    expected = np.zeros(shape)
    np.add.at(expected, index, dy)
    np.testing.assert_allclose(mg.grad(y, x, dy)[0].numpy(), expected, rtol=1e-12)


def test_an_index_can_be_a_tensor() -> None:
    x = mg.tensor(X, requires_grad=True)
    for index in (ROWS, MASK, np.array(1)):
        np.testing.assert_array_equal(x[mg.tensor(index)].numpy(), X[index])
    np.testing.assert_array_equal(x[mg.tensor(ROWS), 1].numpy(), X[ROWS, 1])


def test_an_index_that_changes_later_changes_nothing() -> None:
    x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    rows = np.array([0, 1])
    y = x[rows]
    rows[:] = 2
    assert mg.grad(y.sum(), x)[0].tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("index", [3, (0, 4), np.array([0, 3]), np.array([True, False]), (0, 0, 0, 0)])
def test_places_that_are_not_there(index: object) -> None:
    with pytest.raises(mg.errors.IndexRangeError, match=r"GetItem: .*\(3, 4, 2\)"):
        mg.tensor(X)[index]


def test_many_rows_of_few() -> None:
    """An embedding: every row is read often, and all that was read comes back."""
    rows = np.random.default_rng(0).integers(-5, 5, (7, 11))
    check_gradient(lambda x: mg.take(x, rows), numbers(5, 3))


def test_indices_of_few_bits() -> None:
    """They name every row that they can, and so do the numbers made of them on the way."""
    x = mg.tensor(np.zeros((300, 2)), requires_grad=True)
    for rows, expected in (
        (np.array([255, 255, 1], "uint8"), {255: 2.0, 1: 1.0}),
        (np.array([-1, 1], "int8"), {299: 1.0, 1: 1.0}),
    ):
        (dx,) = mg.grad(mg.take(x, rows).sum(), x)
        assert {k: row[0] for k, row in enumerate(dx.tolist()) if row[0]} == expected


__all__ = ["test_float32_stays_float32", "test_gradients", "test_value"]
