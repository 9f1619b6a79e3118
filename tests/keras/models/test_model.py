"""Custom models: layers, weights, files, masks."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.keras import Model, Sequential, backend
from minigrad.keras.layers import LSTM, Dense, Embedding
from minigrad.keras.models import WeightsFileError

X = np.random.default_rng(0).integers(0, 5, (4, 6))


class Tagger(Model):
    def __init__(self, units=3, **kwargs):
        super().__init__()
        self.embedding = Embedding(5, 2, mask_zero=True)
        self.stack = [LSTM(units, return_sequences=True, **kwargs), LSTM(units, return_sequences=True, **kwargs)]
        self.dense = Dense(2)

    def call(self, inputs, training=None):
        x = self.embedding(inputs)
        for layer in self.stack:
            x = layer(x, training=training)
        return self.dense(x)


@pytest.fixture(autouse=True)
def _names():
    backend.clear_session()


def test_layers_and_weights_are_found_and_named():
    model = Tagger()
    model(X)
    assert [layer.name for layer in model.layers] == ["embedding", "lstm", "lstm_1", "dense"]
    assert model.weights[1].name == "tagger/lstm/lstm_cell/kernel:0"
    assert model.get_layer("dense") is model.get_layer(index=-1) is model.dense
    with pytest.raises(ValueError, match=r"unknown name 'dens'\. Did you mean 'dense'"):
        model.get_layer("dens")


def test_build_makes_the_weights():
    model = Tagger()
    model.build((None, 6))
    assert model.built
    assert model.count_params() == 10 + 72 + 84 + 8


def test_a_build_of_ones_own():
    class Scaled(Model):
        def build(self, input_shape):
            self.scale = self.add_weight("scale", (input_shape[-1],), initializer="ones")

        def call(self, inputs):
            return inputs * self.scale

    model = Scaled()
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.zeros((4, 3)), epochs=3, verbose=0)
    assert model.weights[0].name == "scaled/scale:0"
    assert (model.weights[0].numpy() < 1.0).all()


def test_the_mask_of_the_last_layer_is_the_models():
    np.testing.assert_array_equal(Tagger()(X)._keras_mask.numpy(), X != 0)


def test_reset_states_reaches_all_layers_inside():
    model = Sequential([Tagger(stateful=True)])
    first = model.predict(X)
    assert np.abs(model.predict(X) - first).max() > 0
    model.reset_state()
    np.testing.assert_array_equal(model.predict(X), first)


# --- files ------------------------------------------------------------------------------------------------------------


def test_weights_come_back(tmp_path):
    model = Tagger()
    before = model.predict(X)
    model.save_weights(tmp_path / "w")
    assert [p.name for p in tmp_path.iterdir()] == ["w.npz"]
    again = Tagger()  # its layers are named lstm_2, dense_1 …
    again.build((None, 6))
    again.load_weights(tmp_path / "w.npz")
    np.testing.assert_array_equal(again.predict(X), before)
    with pytest.raises(WeightsFileError, match="exists already"):
        model.save_weights(tmp_path / "w", overwrite=False)


def test_a_file_of_another_model_changes_nothing(tmp_path):
    model, other = Tagger(), Tagger(units=4)
    model.build((None, 6))
    other.build((None, 6))
    other.save_weights(tmp_path / "other.npz")
    before = model.get_weights()
    with pytest.raises(WeightsFileError) as caught:
        model.load_weights(tmp_path / "other.npz")
    assert str(caught.value).endswith(
        "other.npz: the file is of another model: expected tagger/lstm/lstm_cell/kernel:0 of shape (2, 12), got "
        "tagger_1/lstm_2/lstm_cell/kernel:0 of shape (2, 16)."
    )
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(WeightsFileError, match=r"expected 0 weights, got 9. The model has not been built"):
        Tagger().load_weights(tmp_path / "other.npz")
