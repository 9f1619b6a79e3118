"""The initial networks of the page."""

from __future__ import annotations

import numpy as np

import minigrad as mg
from minigrad.keras.layers import LSTM
from minigrad.playground.networks import MARK, UNITS, Network, X, examples, networks


def layer(net: Network) -> LSTM:
    lstm = LSTM(UNITS, dtype="float64")
    lstm.build((None, len(X), 2))
    lstm.set_weights(list(net.weights))
    return lstm


def test_there_are_eight_steps_of_a_value_and_a_mark() -> None:
    assert len(X) == 8
    assert [mark for _, mark in X] == [float(t == MARK) for t in range(8)]


def test_the_trained_one_remembers_wherever_the_mark_is(nets: dict[str, Network]) -> None:
    x, y = examples(99, 512)
    error = np.abs((layer(nets["trained"])(x) - y).numpy())
    assert error.mean(axis=0).max() < 0.06  # values are spread over −0.8 … 0.8
    untrained = np.abs((layer(nets["fresh"])(x) - y).numpy())
    assert (untrained.mean(axis=0) > 0.3).all()


def test_examples_ask_for_the_marked_value_and_for_the_last() -> None:
    x, y = (t.numpy() for t in examples(1, 64))
    assert x.shape == (64, 8, 2)
    assert (x[:, :, 1].sum(axis=1) == 1).all()
    marked = x[x[:, :, 1] == 1][:, 0]
    np.testing.assert_allclose(y, 0.8 * np.stack([marked, x[:, -1, 0]], 1))
    assert len(set(x[:, :, 1].argmax(axis=1))) == 8


def test_fresh_ones_are_what_a_layer_starts_from(nets: dict[str, Network]) -> None:
    (W, U, b), (W_2, U_2, b_2) = nets["fresh"].weights, nets["unbiased"].weights
    np.testing.assert_array_equal(W, W_2)
    np.testing.assert_array_equal(U, U_2)
    np.testing.assert_array_equal(b, [0, 0, 1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(b_2, 0)
    np.testing.assert_allclose(U @ U.T, np.eye(UNITS), atol=1e-12)


def test_minigrads_generator_is_left_alone(nets: dict[str, Network]) -> None:
    mg.random.seed(5)
    before = mg.random.get_state()
    again = networks()
    assert mg.random.get_state() == before
    for net in again:
        for a, b in zip(net.weights, nets[net.key].weights, strict=True):
            np.testing.assert_array_equal(a, b)
