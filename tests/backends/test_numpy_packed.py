"""Packed forms of weights: cached as long as the arrays live, and computed again for new arrays."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.keras import layers as L
from minigrad_numpy import packed as module
from minigrad_numpy.packed import packed


@pytest.fixture(autouse=True)
def _emptied() -> Iterator[None]:
    module._entries.clear()
    yield
    module._entries.clear()


def test_computed_once_for_the_same_arrays() -> None:
    W, U, made = np.ones(3), np.ones(3), []

    def make() -> int:
        made.append(None)
        return len(made)

    assert [packed("a", (W, U), make), packed("a", (W, U), make)] == [1, 1]
    assert packed("b", (W, U), make) == 2
    assert packed("a", (U, W), make) == 3
    assert packed("a", (W,), make) == 4
    assert packed("a", (W.copy(), U), make) == 5


def test_an_entry_is_dropped_with_any_of_its_arrays() -> None:
    W, U = np.ones(3), np.ones(3)
    packed("a", (W, U), object)
    assert len(module._entries) == 1
    del U
    gc.collect()
    assert not module._entries


def test_an_array_at_the_address_of_a_deleted_one_is_another() -> None:
    W = np.ones(3)
    packed("a", (W,), lambda: "old")
    references, made = module._entries["a", id(W)]
    module._entries["a", id(W)] = [lambda: None for _ in references], made  # as if the callback had not run yet
    assert packed("a", (W,), lambda: "new") == "new"


def test_the_cache_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 3)
    weights = [np.ones(1) for _ in range(5)]
    for W in weights:
        packed("a", (W,), object)
    assert list(module._entries) == [("a", id(W)) for W in weights[2:]]


def test_many_threads() -> None:
    weights, wrong = [np.full(1, k) for k in range(20)], []

    def work(seed: int) -> None:
        for k in np.random.default_rng(seed).integers(0, 20, 2000):
            if packed("a", (weights[k],), lambda k=k: float(weights[k][0])) != k:
                wrong.append(k)
            packed("b", (np.ones(1),), object)  # deleted at once

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def _an_element(weight: Any) -> None:
    with mg.no_grad():
        weight[0, 0] = 2.0


WAYS: dict[str, Any] = {
    "set_weights": lambda layer: layer.set_weights([w + 0.5 for w in layer.get_weights()]),
    "assign": lambda layer: layer.weights[1].assign(layer.weights[1].numpy() + 0.5),
    "an element": lambda layer: _an_element(layer.weights[0]),
    "an optimizer": lambda layer: mg.keras.optimizers.SGD(0.5).apply_gradients(
        [(mg.tensor(np.ones(w.shape, "float32")), w) for w in layer.trainable_weights]
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [L.LSTM, L.GRU, L.SimpleRNN])
def test_an_updated_weight_is_packed_again(backend: Any, kind: Any, way: str) -> None:
    """Updates by every public function, between two calls, forward and backward."""
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")
    layer = kind(5)

    def results(layer: Any) -> list[Any]:
        tensor = mg.tensor(x, requires_grad=True)
        y = layer(tensor)
        return [y.numpy(), *[g.numpy() for g in mg.grad((y * y).sum(), [tensor, *layer.trainable_weights])]]

    before = results(layer)
    WAYS[way](layer)
    after = results(layer)
    other = kind(5)
    other(x)
    other.set_weights([w.copy() for w in layer.get_weights()])
    module._entries.clear()
    assert not np.allclose(before[0], after[0])
    for a, b in zip(after, results(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_the_array_of_a_packed_weight_is_read_only(name: str) -> None:
    """Protection from writes, after which the packed form would be stale."""
    pytest.importorskip(name)
    with mg.using(name):
        layer = L.LSTM(4)
        layer(np.ones((2, 3, 2), "float32"))
        with pytest.raises(ValueError, match="read-only"):
            layer.weights[0].array[...] = 7.0
        copies = layer.get_weights()
        copies[0][...] = 7.0  # users get copies
        layer.set_weights(copies)
        copies[0][...] = 0.0
        assert layer.get_weights()[0].min() == 7.0
