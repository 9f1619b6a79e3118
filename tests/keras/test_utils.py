"""Helpers for scripts."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad import random
from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.keras import utils
from minigrad.layers.options import OptionError
from option_errors import COUNT, POSITIVE_INTEGER


def test_to_categorical():
    np.testing.assert_array_equal(utils.to_categorical([[1], [0]], num_classes=3), np.eye(3)[[1, 0]])
    assert utils.to_categorical(np.array([[0, 1], [1, 1]]), dtype="float64").shape == (2, 2, 2)
    with pytest.raises(ShapeError, match=r"expected `y`, labels from 0 to 2 .`num_classes` − 1., got 0 to 3"):
        utils.to_categorical([0, 3], num_classes=3)


@pytest.mark.parametrize("labels", [[0.5, 1], [np.nan], np.array([1e30, 0.1])])
def test_labels_are_whole(labels):
    with pytest.raises(DTypeError, match=r"to_categorical: `y`: expected integers, got float.* with fractions or NaN"):
        utils.to_categorical(labels)
    np.testing.assert_array_equal(utils.to_categorical([1.0, 0.0]), [[0, 1], [1, 0]])


@pytest.mark.parametrize("count", [-1, 0, 1.5, "two"])
def test_the_number_of_classes(count):
    with pytest.raises(OptionError, match=f"`num_classes`: {POSITIVE_INTEGER}, got"):
        utils.to_categorical([0], count)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [[0, 0, 1], [2, 3, 4]]),
        ({"padding": "post"}, [[1, 0, 0], [2, 3, 4]]),
        ({"maxlen": 2}, [[0, 1], [3, 4]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3]]),
        ({"maxlen": 4, "value": 9}, [[9, 9, 9, 1], [9, 2, 3, 4]]),
        ({"maxlen": 0}, [[], []]),
    ],
)
def test_pad_sequences(arguments, expected):
    padded = utils.pad_sequences([[1], [2, 3, 4]], **arguments)
    assert padded.tolist() == expected
    assert padded.dtype == "int32"


def test_pad_sequences_of_nothing_and_of_nonsense():
    assert utils.pad_sequences([], maxlen=3).shape == (0, 3)
    for sequences in (5, [1, 2], None):
        with pytest.raises(ShapeError, match="pad_sequences: expected `sequences`, a list of lists of numbers, got"):
            utils.pad_sequences(sequences)
    for length in (-1, 1.5, "2"):
        with pytest.raises(OptionError, match=f"`maxlen`: {COUNT}, got"):
            utils.pad_sequences([[1]], maxlen=length)
    with pytest.raises(OptionError, match="`padding`: expected one of 'pre', 'post', got 'left'"):
        utils.pad_sequences([[1]], padding="left")


def test_set_random_seed():
    utils.set_random_seed(3)
    first = random.normal((4,)).numpy()
    utils.set_random_seed(3)
    np.testing.assert_array_equal(first, random.normal((4,)).numpy())
