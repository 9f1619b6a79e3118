"""TensorShape as the size of a state; `tests/compat/v1/test_corners.py` compares its use with TensorFlow."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import tree
from minigrad.engine.errors import ShapeError

L = mg.keras.layers
X = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")
MASK = np.array([[True, True, False], [True, False, True]])


class Nested(L.Layer):
    """States of three ranks, two of them nested; each adds up the first feature."""

    state_size = (mg.TensorShape([2, 3]), (mg.TensorShape([]), 5))
    output_size = mg.TensorShape([4])

    def call(self, inputs: Any, states: Any) -> Any:
        a, (b, c) = states
        x = inputs[:, 0]
        return inputs, (a + x.reshape((-1, 1, 1)), (b + x, c + x.reshape((-1, 1))))


def test_it_is_a_tuple_and_a_leaf() -> None:
    shape = mg.TensorShape([2, 3])
    assert isinstance(shape, tuple)
    assert mg.zeros(shape).shape == (2, 3)
    assert tree.leaves([shape, (shape, 5)]) == [shape, shape, 5]
    assert tree.map(lambda n: n, (shape, [5])) == (shape, [5])
    for again in (pickle.loads(pickle.dumps(shape)), copy.deepcopy(shape), copy.copy(shape)):
        assert (type(again), again) == (mg.TensorShape, shape)


@pytest.mark.parametrize("how", [{}, {"unroll": True}, {"stateful": True}, {"go_backwards": True}])
@pytest.mark.parametrize("masked", [False, True])
def test_nested_states_of_several_ranks(how: dict[str, Any], masked: bool) -> None:
    layer = L.RNN(Nested(), return_state=True, **how)
    _, a, (b, c) = layer(X, mask=MASK if masked else None)
    expected = (X[..., 0] * (MASK if masked else 1.0)).sum(1)
    for state, shape in ((a, (2, 2, 3)), (b, (2,)), (c, (2, 5))):
        assert state.shape == shape
        aligned = expected.reshape(-1, *[1] * (len(shape) - 1))
        np.testing.assert_allclose(state.numpy(), np.broadcast_to(aligned, shape), rtol=1e-5)


def test_states_of_another_shape_are_refused() -> None:
    wrong = [np.ones((2, 2, 3)), (np.ones((2, 1)), np.ones((2, 5)))]
    with pytest.raises(ShapeError, match=r"3 states .*: \(2, 2, 3\), \(2,\), \(2, 5\), got 3: \(2, 2, 3\), \(2, 1\)"):
        L.RNN(Nested())(X, initial_state=wrong)


def test_sizes_of_a_state_are_known() -> None:
    cell = Nested()
    cell.state_size = (mg.TensorShape([None, 3]), (mg.TensorShape([]), 5))
    with pytest.raises(ShapeError, match=r"expected `state_size` and `output_size` of known sizes, got TensorShape\("):
        L.RNN(cell)(X)
