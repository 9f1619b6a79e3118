"""Operations that move numbers: values against NumPy, gradients against finite differences."""

from __future__ import annotations

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import minigrad as mg
from minigrad import functional as F
from minigrad.testing import check_gradient
from op_cases import Case, numbers, test_float32_stays_float32, test_gradients, test_value

X, Y = numbers(2, 3, 4), numbers(2, 1, 4, seed=1)


def same(name: str, call: object, *inputs: np.ndarray) -> Case:
    """A call that reads the same for minigrad and for NumPy."""
    return Case(name, lambda *xs: call(mg, *xs), lambda *xs: call(np, *xs), inputs)


CASES = [
    same("reshape", lambda m, x: m.reshape(x, (4, -1)), X),
    same("reshape-flat", lambda m, x: m.reshape(x, -1), X),
    same("transpose", lambda m, x: m.transpose(x), X),
    same("transpose-axes", lambda m, x: m.transpose(x, (1, -1, 0)), X),
    same("swapaxes", lambda m, x: m.swapaxes(x, 0, -1), X),
    same("expand_dims", lambda m, x: m.expand_dims(x, 1), X),
    same("expand_dims-last", lambda m, x: m.expand_dims(x, -1), X),
    same("squeeze", lambda m, x: m.squeeze(x), Y),
    same("squeeze-axis", lambda m, x: m.squeeze(x, -2), Y),
    same("broadcast_to", lambda m, x: m.broadcast_to(x, (3, 2, 3, 4)), Y),
    same("broadcast_to-number", lambda m, x: m.broadcast_to(x, (2, 2)), numbers()),
    same("concat", lambda m, x, y: m.concat([x, y], 1), X, Y),
    same("concat-last", lambda m, x, y: m.concat([x, y, x], -1), X, 2 * X),
    same("stack", lambda m, x, y: m.stack([x, y]), X, 2 * X),
    same("stack-last", lambda m, x, y: m.stack([x, y], -1), X, 2 * X),
    Case("unstack", lambda x: F.unstack(x, 1), lambda x: tuple(np.moveaxis(x, 1, 0)), (X,)),
    Case("unstack-one-unused", lambda x: F.unstack(x)[1], lambda x: x[1], (X,)),
    same("split", lambda m, x: m.split(x, 2, -1), X),
    same("split-at", lambda m, x: m.split(x, [1, 1, 2], 1), X),
    same("flip", lambda m, x: m.flip(x), X),
    same("flip-axis", lambda m, x: m.flip(x, -1), X),
    same("flip-axes", lambda m, x: m.flip(x, (0, 2)), X),
    same("pad", lambda m, x: m.pad(x, [(0, 0), (1, 2), (3, 0)]), X),
]


@settings(deadline=None, max_examples=50)
@given(array_shapes(min_dims=1, max_dims=4, max_side=4), st.data())
def test_split_and_concat_are_inverses(shape: tuple[int, ...], data: st.DataObject) -> None:
    x = mg.tensor(numbers(*shape), requires_grad=True)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    cuts = sorted(data.draw(st.lists(st.integers(0, shape[axis]), max_size=3)))
    parts = mg.split(x, cuts, axis)
    for part, expected in zip(parts, np.split(x.numpy(), cuts, axis), strict=True):
        np.testing.assert_array_equal(part.numpy(), expected)
    whole = mg.concat(parts, axis)
    np.testing.assert_array_equal(whole.numpy(), x.numpy())
    dy = numbers(*shape, seed=1)
    np.testing.assert_array_equal(mg.grad(whole, x, dy)[0].numpy(), dy)


@settings(deadline=None, max_examples=50)
@given(array_shapes(min_dims=1, max_dims=5, max_side=3), st.data())
def test_transpose_is_undone_by_its_inverse(shape: tuple[int, ...], data: st.DataObject) -> None:
    axes = data.draw(st.permutations(range(len(shape))))
    x = mg.tensor(numbers(*shape), requires_grad=True)
    y = mg.transpose(x, axes)
    np.testing.assert_array_equal(y.numpy(), np.transpose(x.numpy(), axes))
    dy = numbers(*y.shape, seed=1)
    np.testing.assert_array_equal(mg.grad(y, x, dy)[0].numpy(), np.transpose(dy, np.argsort(axes)))


def test_astype() -> None:
    check_gradient(lambda x: F.astype(x, "float64") * x, X, second_order=True)


def test_the_gradient_comes_back_in_the_dtype_of_its_input() -> None:
    x = mg.tensor([1.0, 2.0], "float64", requires_grad=True)
    y = x.astype("float32")
    assert y.dtype == "float32"
    (dx,) = mg.grad(y.sum(), x)
    assert dx.dtype == "float64"


def test_no_gradient_passes_through_integers() -> None:
    x = mg.tensor([1.5, 2.5], requires_grad=True)
    assert not x.astype("int64").requires_grad
    assert not x.astype("int64").astype("float32").requires_grad


__all__ = ["test_float32_stays_float32", "test_gradients", "test_value"]
