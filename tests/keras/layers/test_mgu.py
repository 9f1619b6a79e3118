"""The minimal gated unit: its formula written a second time, its gradient by three roads, masks and configuration."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import minigrad as mg
from minigrad.keras import layers as L
from minigrad.recurrent.mgu import MGU
from minigrad.testing import check_cell, check_gradient, on_tape

X = np.random.default_rng(0).standard_normal((3, 6, 2))
MASK = np.array([[1, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]], bool)


def made(**options: object) -> L.MGU:
    mg.random.seed(1)
    layer = L.MGU(
        4, return_sequences=True, return_state=True, bias_initializer="glorot_uniform", dtype="float64", **options
    )
    layer(X)
    return layer


def test_the_formula(backend: ModuleType) -> None:
    layer = made()
    W, U, b = layer.get_weights()
    h, expected = np.full((3, 4), 0.5), []
    for t in range(6):
        f = 1 / (1 + np.exp(-(X[:, t] @ W + b)[:, :4] - h @ U[:, :4]))
        g = np.tanh((X[:, t] @ W + b)[:, 4:] + (f * h) @ U[:, 4:])
        h = (1 - f) * h + f * g
        expected.append(h)
    y, last = layer(X, initial_state=np.full((3, 4), 0.5))
    np.testing.assert_allclose(y.numpy(), np.stack(expected, 1), rtol=1e-12)
    np.testing.assert_allclose(last.numpy(), h, rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"activation": "gelu"}, {"use_bias": False}], ids=str)
def test_three_roads(options: dict[str, object]) -> None:
    layer, found = made(**options), []
    h = np.random.default_rng(2).standard_normal((3, 4))
    check_gradient(lambda x, h: layer(x, initial_state=h, mask=MASK), X, h, weights=layer.trainable_weights)
    for tape in (False, True):
        x = mg.tensor(X, requires_grad=True)
        if tape:
            with on_tape(layer):
                y, last = layer(x, initial_state=h, mask=MASK)
        else:
            y, last = layer(x, initial_state=h, mask=MASK)
        found.append([g.numpy() for g in mg.grad((y * y).sum() + (last**3).sum(), [x, *layer.trainable_weights])])
    for by_hand, tapes in zip(*found, strict=True):
        np.testing.assert_allclose(by_hand, tapes, rtol=1e-10, atol=1e-13)


def test_the_backward_by_hand_is_the_derived_one() -> None:
    check_cell(MGU)


def test_a_configuration_makes_the_same_layer() -> None:
    layer = made(dropout=0.1, recurrent_dropout=0.2)
    again = L.MGU.from_config(layer.get_config())
    again(X)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(X)[0].numpy(), layer(X)[0].numpy())
    assert [w.shape for w in layer.weights] == [(2, 8), (4, 8), (8,)]


def test_with_dropout_of_both_kinds() -> None:
    layer = made(dropout=0.3, recurrent_dropout=0.3, implementation=1)
    y, _ = layer(X, training=True)
    y.sum().backward()
    assert all(np.isfinite(w.grad.numpy()).all() for w in layer.trainable_weights)
