"""`TensorArray`: written and read one by one, with a gradient through both."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import minigrad as mg
from minigrad.compat.v1 import TensorArray
from minigrad.engine.errors import IndexRangeError, ShapeError
from minigrad.testing import check_gradient

X = np.random.default_rng(0).standard_normal((3, 2))


def test_what_was_unstacked_is_read_and_stacked() -> None:
    array = TensorArray("float64", 3).unstack(X)
    assert array.size() == 3
    np.testing.assert_array_equal(array.read(1).numpy(), X[1])
    np.testing.assert_array_equal(array.read(np.int64(2)).numpy(), X[2])
    np.testing.assert_array_equal(array.stack().numpy(), X)


def test_the_last_write_counts_and_the_dtype_is_the_arrays() -> None:
    array = TensorArray("float32", 2)
    assert array.write(0, X[0]) is array
    stacked = array.write(1, [1, 2]).write(0, X[1]).stack()
    assert stacked.dtype.name == "float32"
    np.testing.assert_array_equal(stacked.numpy(), np.stack([X[1], [1, 2]]).astype("float32"))


def test_it_grows_if_it_may() -> None:
    array = TensorArray("float64", dynamic_size=True)
    for k, row in enumerate(X):
        array.write(k, row)
    np.testing.assert_array_equal(array.stack().numpy(), X)
    with pytest.raises(
        IndexRangeError, match=r"write: expected `index` from 0 to 1, below `size`, got 2\. dynamic_size=True"
    ):
        TensorArray("float64", 2).write(2, X[0])


def test_gradients() -> None:
    def reversed_and_doubled(x: mg.Tensor) -> mg.Tensor:
        array, found = TensorArray("float64", 3).unstack(x), TensorArray("float64", 3)
        for k in range(3):
            found.write(k, array.read(2 - k) * 2.0)
        return found.stack()

    check_gradient(reversed_and_doubled, X)


def test_what_is_not_there() -> None:
    for place in (-1, 0, 2):
        with pytest.raises(IndexRangeError, match=f"the index of a written tensor, got {place}; the size is 2"):
            TensorArray("float64", 2).read(place)
    with pytest.raises(IndexRangeError, match="the index of a written tensor, got 1"):
        TensorArray("float64", 2).write(0, X[0]).stack()
    assert TensorArray("float64", element_shape=(2, 3)).stack().shape == (0, 2, 3)
    with pytest.raises(ShapeError, match="the array is empty: expected an `element_shape`"):
        TensorArray("float64").stack()


def test_arguments_stand_in_tensorflows_places() -> None:
    expected = "dtype size dynamic_size clear_after_read tensor_array_name handle flow infer_shape element_shape "
    assert list(inspect.signature(TensorArray).parameters) == f"{expected}colocate_with_first_write_call name".split()
    array = TensorArray("float32", 0, True, False, "ta", None, None, True, (2,))
    assert array.stack().shape == (0, 2)
