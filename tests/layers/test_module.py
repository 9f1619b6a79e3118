"""Module: weights and modules found among the attributes of an object that is not a layer."""

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers.weight import Weight


class Tagger(mg.Module):
    """Layers in a list and in a dict, a module of modules, its own weight."""

    def __init__(self) -> None:
        self.scale = Weight(np.ones(2, "float32"), name="scale:0")
        self.layers = [mg.keras.layers.Dense(2), {"out": mg.keras.layers.LSTM(1)}]
        self.inner = Scaler(name="inner")
        self.again = self.layers[0]  # the same layer again

    def __call__(self, x: Any) -> Any:
        y = self.inner(self.layers[0](x) * self.scale)
        return self.layers[1]["out"](mg.stack([y, y], 1))


class Scaler(mg.Module):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.frozen = Weight(np.ones(1, "float32"), trainable=False, name="frozen:0")

    def __call__(self, x: Any) -> Any:
        return x * self.frozen


@pytest.fixture
def tagger() -> Tagger:
    tagger = Tagger()
    tagger(np.ones((3, 4)))
    return tagger


def test_weights_of_all_parts_are_found_once_the_trainable_first(tagger: Tagger) -> None:
    dense, lstm = tagger.layers[0], tagger.layers[1]["out"]
    trained = [tagger.scale, *dense.weights, *lstm.weights]
    assert [id(w) for w in tagger.trainable_variables] == [id(w) for w in trained]
    assert [w.name for w in tagger.non_trainable_variables] == ["frozen:0"]
    assert [id(w) for w in tagger.variables] == [id(w) for w in [*trained, tagger.inner.frozen]]


def test_a_frozen_part_is_not_trained(tagger: Tagger) -> None:
    tagger.layers[0].trainable = False
    assert [w.shape for w in tagger.non_trainable_weights] == [(4, 2), (2,), (1,)]
    assert len(tagger.trainable_weights) == 1 + 3


def test_submodules_each_followed_by_its_own(tagger: Tagger) -> None:
    dense, lstm = tagger.layers[0], tagger.layers[1]["out"]
    assert tagger.submodules == (dense, lstm, lstm.cell, tagger.inner)
    assert tagger.inner.submodules == ()


def test_names() -> None:
    assert Scaler("s").name == "s"
    assert mg.Module().name == "Module"
    assert Tagger().name is None  # it never called super().__init__()


def test_layers_and_models_are_modules(tagger: Tagger) -> None:
    model = mg.keras.Sequential([mg.keras.layers.Dense(1), tagger.layers[0]])
    assert isinstance(model, mg.Module)
    assert model.submodules == tuple(model.layers)
    both = mg.keras.layers.Bidirectional(mg.keras.layers.LSTM(1))
    assert both.submodules[:2] == (both.forward_layer, both.forward_layer.cell)


def test_an_optimizer_trains_it(tagger: Tagger) -> None:
    before = [w.numpy() for w in tagger.variables]
    optimizer = mg.keras.optimizers.SGD(1.0)
    mg.sum(tagger(np.ones((3, 4)))).backward()
    optimizer.apply_gradients([(w.grad, w) for w in tagger.trainable_variables])
    changed = [not np.array_equal(w.numpy(), old) for w, old in zip(tagger.variables, before, strict=True)]
    assert changed == [True] * 6 + [False]
