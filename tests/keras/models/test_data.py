"""Batches cut from arrays; the rest is tested in training."""

from __future__ import annotations

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.keras.models.data import Arrays, DataError, source_of, unpacked


@given(st.integers(1, 40), st.integers(1, 50), st.booleans())
def test_every_example_comes_once_with_its_target_and_weight(n, batch_size, shuffle):
    x = np.arange(n)[:, None] * np.ones(2)
    arrays = Arrays("test", [x, x[:, 0]], {"y": np.arange(n)}, np.arange(n) / 2.0, batch_size)
    batches = list(arrays.batches(shuffle))
    assert len(batches) == arrays.steps
    assert all(len(b[0][0]) == batch_size for b in batches[:-1])
    seen = []
    for (a, b), targets, weights in batches:
        np.testing.assert_array_equal(a.numpy()[:, 1], b.numpy())
        np.testing.assert_array_equal(targets["y"].numpy(), b.numpy())
        np.testing.assert_array_equal(weights.numpy() * 2, b.numpy())
        seen += b.tolist()
    assert sorted(seen) == list(range(n))
    assert shuffle or seen == sorted(seen)


def test_what_is_not_given_is_not_in_the_batch():
    assert [len(b) for b in Arrays("test", np.ones((3, 1)), None, None, None).batches()] == [1]
    assert [len(b) for b in Arrays("test", np.ones((3, 1)), np.ones(3), None, None).batches()] == [2]
    assert unpacked((1, 2)) == (1, 2, None)
    assert unpacked(1) == (1, None, None)
    with pytest.raises(DataError, match="got a tuple of 4"):
        unpacked((1, 2, 3, 4))


def test_lists_of_numbers_are_one_array_and_tensors_stay():
    (x,) = Arrays("test", [[1.0, 2.0], [3.0, 4.0]], None, None, None).whole()
    assert x.shape == (2, 2)
    tensor = mg.ones((2, 2))
    assert Arrays("test", tensor, None, None, None).whole()[0] is tensor


def test_the_arrays_given_are_not_changed_or_held():
    x = np.zeros((4, 1))
    arrays = Arrays("test", x, None, None, None)
    x += 1.0
    assert arrays.whole()[0].numpy().max() == 0.0


def test_a_split():
    first, last = Arrays("test", np.arange(10), np.arange(10), None, None).split(0.3)
    assert first.whole()[0].tolist() == list(range(7))
    assert last[1].tolist() == [7, 8, 9]
    assert last[2] is None


def test_a_single_number_is_no_example():
    with pytest.raises(DataError, match="`x` of 0"):
        source_of("fit", np.float64(3.0), None, None, None)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_batches_keep_their_length_for_steps_of_ones_own(size):
    x = np.ones((4, 2), "float32")
    arrays = source_of("fit", *[x] * size, *[None] * (4 - size))
    for source in (source_of("fit", iter([(x,) * size]), None, None, None), arrays):
        (batch,) = source.batches()
        assert len(batch) == size
