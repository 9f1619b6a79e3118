"""Freezing: `trainable` sets all layers inside, and keeps the order of a model's weights.

Names, orders and flags are those of TensorFlow 2.15.1 for the same layers, but for one: where only a part of a layer is
frozen, as one direction of a Bidirectional, TensorFlow moves it within the *model's* weights too.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import GradientError, MinigradError
from minigrad.keras import Model, Sequential, optimizers, saving
from minigrad.keras import layers as L
from minigrad.layers.call_context import clear_session
from minigrad.layers.weight import Weight
from minigrad.train.tasks import copy as copy_task
from minigrad.train.trainer import Trainer
from option_errors import FLAG


class Own(L.Layer):
    """Weights that are trained and weights that are not, around a layer."""

    def build(self, input_shape: Any) -> None:
        self.a = self.add_weight("a", (1,), trainable=False)
        self.b = self.add_weight("b", (1,))
        self.inner = L.Dense(2, name="inner")
        self.inner.build((None, 2))
        self.c = self.add_weight("c", (1,), trainable=False)

    def call(self, inputs: Any) -> Any:
        return self.inner(inputs) * (self.a + self.b + self.c)


class Everything(Model):
    """A layer of each kind, and weights of the model's own."""

    def __init__(self) -> None:
        super().__init__(name="everything")
        self.weight = self.add_weight("own", (1,))
        self.fixed = self.add_weight("fixed", (1,), trainable=False)
        self.one = L.Dense(2, name="one")
        self.layer = Own(name="layer")
        self.nested = Sequential(
            [L.Dense(2, name="i0"), Sequential([L.Dense(2, name="i1")], name="deep")], name="nested"
        )
        self.each = L.TimeDistributed(L.Dense(2, name="each"))
        self.both = L.Bidirectional(L.LSTM(1, name="lstm"))
        self.stacked = L.RNN([L.LSTMCell(2, name="cell0"), L.GRUCell(2, name="cell1")], name="stacked")
        self.heads = [L.Dense(2, name="h0"), {"last": L.Dense(1, name="h1")}]
        self.again = self.one
        self.variable = Weight(np.ones(1, "float32"), name="variable:0")

    def call(self, inputs: Any) -> Any:
        x = self.nested(self.layer(self.one(inputs)))
        x = self.each(mg.stack([x, x + 1.0], 1))
        x = self.both(x) + self.stacked(x)
        return self.heads[1]["last"](self.heads[0](x)) * self.weight * self.variable + self.fixed


def everything() -> Everything:
    clear_session()
    mg.random.seed(1)
    model = Everything()
    model(np.ones((2, 2), "float32"))
    return model


def last_of(weights: Any) -> list[str]:
    return ["/".join(w.name.removesuffix(":0").split("/")[-2:]) for w in weights]


ORDER = [
    "one/kernel", "one/bias", "layer/b", "inner/kernel", "inner/bias", "layer/a", "layer/c", "i0/kernel", "i0/bias",
    "i1/kernel", "i1/bias", "time_distributed/kernel", "time_distributed/bias",
    *(f"lstm_cell/{name}" for _ in range(2) for name in ("kernel", "recurrent_kernel", "bias")),
    *(f"{cell}/{name}" for cell in ("cell0", "cell1") for name in ("kernel", "recurrent_kernel", "bias")),
    "h0/kernel", "h0/bias", "h1/kernel", "h1/bias", "own", "variable", "fixed",
]  # fmt: skip


def parts_of(model: Any) -> list[Any]:
    return [part for part in model.submodules if isinstance(part, L.Layer)]


def freezings() -> list[tuple[int, ...]]:
    """No part, each part, and some pairs of parts."""
    count = range(len(parts_of(everything())))
    return [(), *((k,) for k in count), *itertools.islice(itertools.combinations(count, 2), 0, None, 7)]


@pytest.mark.parametrize("frozen", freezings())
def test_freezing_moves_no_weight_of_a_model(frozen: tuple[int, ...]) -> None:
    model = everything()
    kept, ids = model.get_weights(), [id(w) for w in model.weights]
    for k in frozen:
        parts_of(model)[k].trainable = False
    assert [id(w) for w in model.weights] == [id(w) for w in model.variables] == ids
    parted = {id(w) for w in [*model.trainable_weights, *model.non_trainable_weights]}
    assert parted == set(ids)
    model.set_weights([array + 1.0 for array in kept])
    for w, array in zip(model.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(w, array + 1.0)


def test_the_order_is_tensorflows() -> None:
    """The weights' names too, except that TensorFlow's scope for a layer built directly lacks its name, "inner"."""
    assert last_of(everything().weights) == ORDER


@pytest.mark.parametrize("frozen", freezings()[1::3])
@pytest.mark.parametrize("before", [True, False])
def test_files_written_before_freezing_are_read_after_it_and_the_reverse(
    tmp_path: Any, frozen: Any, before: bool
) -> None:
    written, read = everything(), everything()
    for k in frozen:
        parts_of(read if before else written)[k].trainable = False
    for w in written.weights:
        w.assign(mg.random.normal(w.shape))
    written.save_weights(tmp_path / "w")
    read.load_weights(tmp_path / "w")
    for mine, theirs in zip(read.weights, written.weights, strict=True):
        assert mine.name == theirs.name
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def test_a_layers_own_weights_are_the_trainable_ones_and_then_the_others() -> None:
    layer = Own(name="own")
    layer(np.ones((1, 2), "float32"))
    assert last_of(layer.weights) == ["own/b", "inner/kernel", "inner/bias", "own/a", "own/c"]
    layer.trainable = False
    assert last_of(layer.weights) == ["own/b", "own/a", "own/c", "inner/kernel", "inner/bias"]
    both = L.Bidirectional(L.LSTM(1))
    both.build((None, 2, 3))
    both.forward_layer.trainable = False
    assert [w.name.split("/")[-3] for w in both.weights] == ["backward_lstm"] * 3 + ["forward_lstm"] * 3


# --- setting it -------------------------------------------------------------------------------------------------------

INSIDE: dict[str, Any] = {
    "LSTM": lambda: L.LSTM(2),
    "GRU of compat": lambda: mg.compat.v1.keras.layers.GRU(2),
    "RNN": lambda: L.RNN(L.SimpleRNNCell(2)),
    "RNN of a stack": lambda: L.RNN([L.LSTMCell(1), L.StackedRNNCells([L.GRUCell(1), L.GRUCell(2)])]),
    "Bidirectional": lambda: L.Bidirectional(L.RNN([L.LSTMCell(1), L.GRUCell(1)])),
    "TimeDistributed": lambda: L.TimeDistributed(L.TimeDistributed(L.Dense(2))),
    "Sequential": lambda: Sequential([L.LSTM(1), Sequential([L.Dense(1)])]),
    "a model": Everything,
    "wrapped cells": lambda: mg.compat.v1.nn.rnn_cell.MultiRNNCell(
        [mg.compat.v1.nn.rnn_cell.DropoutWrapper(mg.compat.v1.nn.rnn_cell.GRUCell(2))] * 1
    ),
}


@pytest.mark.parametrize("name", INSIDE)
def test_setting_it_goes_down_to_all_that_is_inside(name: str, fresh_variables: None) -> None:
    layer = INSIDE[name]()
    inside = layer.submodules
    assert inside
    layer.trainable = False
    assert [part.trainable for part in inside] == [False] * len(inside)
    inside[-1].trainable = True
    assert layer.trainable_weights == []  # the layer around a part decides
    layer.trainable = True
    assert [part.trainable for part in inside] == [True] * len(inside)
    inside[0].trainable = False
    assert layer.trainable


def test_the_constructor_sets_it_for_the_layer_and_a_cell_that_it_makes() -> None:
    lstm, rnn = L.LSTM(2, trainable=False), L.RNN(L.LSTMCell(2), trainable=False)
    assert (lstm.cell.trainable, rnn.cell.trainable) == (False, True)
    for layer in (lstm, rnn):
        layer.build((None, 2, 3))
        assert layer.trainable_weights == []
        layer.trainable = True
        assert len(layer.trainable_weights) == 3


@pytest.mark.parametrize("name", ["LSTM", "RNN", "RNN of a stack", "Sequential"])
def test_a_configuration_keeps_what_is_frozen(name: str) -> None:
    layer = INSIDE[name]()
    layer.build((None, 2, 3))
    layer.submodules[-1].trainable = False
    again = type(layer).from_config(layer.get_config())
    again.build((None, 2, 3))
    if name == "LSTM":  # the cell's arguments are the layer's, and so is this one
        layer.trainable = again.trainable = False
    assert last_of(again.trainable_weights) == last_of(layer.trainable_weights)


def test_a_module_that_is_no_layer() -> None:
    class Pair(mg.Module):
        def __init__(self) -> None:
            self.parts = [L.LSTM(1), {"inner": mg.Module()}]

    pair = Pair()
    pair.trainable = False
    assert [part.trainable for part in pair.submodules] == [False] * 3


@pytest.mark.parametrize("value", ["no", None, 2, np.ones(2)])
def test_what_is_neither_true_nor_false_is_refused(value: Any) -> None:
    layer = L.LSTM(1)
    with pytest.raises(MinigradError, match=f"LSTM: `trainable`: {FLAG}"):
        layer.trainable = value
    assert layer.trainable
    assert layer.cell.trainable


# --- training ---------------------------------------------------------------------------------------------------------

X, Y = np.random.default_rng(0).normal(size=(2, 12, 2)), np.random.default_rng(1).normal(size=(12, 1))


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd", "adagrad"])
@pytest.mark.parametrize("frozen", [0, 1])
def test_training_goes_on_with_the_slots_of_what_is_not_frozen(optimizer: str, frozen: int) -> None:
    """The same weights as after explicit updates with the gradients of the other weights only."""

    def made() -> Any:
        clear_session()
        mg.random.seed(3)
        model = Sequential([L.Dense(2, input_shape=(2,), dtype="float64"), L.Dense(1, dtype="float64")])
        model.compile(optimizer, "mse")
        model.train_on_batch(X[0], Y)
        return model

    model, by_hand = made(), made()
    model.layers[frozen].trainable = False
    before = model.get_weights()
    others = by_hand.layers[1 - frozen].weights
    for step in range(6):
        if step == 3:  # and on with all
            assert not np.array_equal(model.get_weights()[2 - 2 * frozen], before[2 - 2 * frozen])
            np.testing.assert_array_equal(model.get_weights()[2 * frozen], before[2 * frozen])
            model.trainable, others = True, by_hand.weights
        model.train_on_batch(X[1], Y)
        loss = mg.keras.losses.MeanSquaredError()(Y, by_hand(X[1]))
        by_hand.optimizer.minimize(loss, others)
    for mine, theirs in zip(model.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12)
    for name, array in model.optimizer.get_state().items():
        np.testing.assert_allclose(array, by_hand.optimizer.get_state()[name], rtol=1e-12)


def test_the_average_of_a_frozen_weight_does_not_replace_it() -> None:
    model = Sequential([L.Dense(2, input_shape=(2,)), L.Dense(1)])
    model.compile(optimizers.SGD(0.1, use_ema=True), "mse")
    model.fit(X[0], Y, epochs=2, verbose=0)
    model.layers[0].set_weights([np.full((2, 2), 0.5), np.ones(2)])
    model.layers[0].trainable = False
    model.fit(X[0], Y, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], np.full((2, 2), 0.5))


def test_a_checkpoint_of_a_training_is_read_whatever_is_frozen() -> None:
    options = copy_task.CopyOptions(units=4, batch=2, steps=4)
    trainer, other = (Trainer(copy_task.Copy(options), options) for _ in range(2))
    trainer.advance()
    other.model.recurrent[0].trainable = False
    other.restore(trainer.capture())
    for mine, theirs in zip(other.model.weights, trainer.model.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    trainer.restore(other.capture())


# --- files of version 1, which had frozen weights last ----------------------------------------------------------------


@pytest.mark.parametrize("numbers", [(0, 1), (7, 9), (9, 10), (3, 12)])
def test_a_file_of_version_1_that_has_frozen_weights_last(tmp_path: Any, numbers: tuple[int, int]) -> None:
    one, two = (f"dense_{k}" if k else "dense" for k in numbers)
    order = [f"{two}/kernel:0", f"{two}/bias:0", f"{one}/kernel:0", f"{one}/bias:0"]
    arrays = [np.full((2, 2), 2.0), np.full(2, 2.0), np.full((2, 2), 1.0), np.full(2, 1.0)]
    named = {f"{k:03d}/{name}": array for k, (name, array) in enumerate(zip(order, arrays, strict=True))}
    np.savez(tmp_path / "w.npz", **{saving.MARK: 1}, **named)
    clear_session()
    model = Sequential([L.Dense(2, input_shape=(2,)), L.Dense(2)])
    model.load_weights(tmp_path / "w.npz")
    assert [w.ravel()[0] for w in model.get_weights()] == [1, 1, 2, 2]


def test_a_layer_that_was_frozen_from_the_start_wants_to_be_compiled_again() -> None:
    """The error of TensorFlow, whose optimizers accept the weights of the first update only."""
    model = Sequential([L.Dense(2, input_shape=(2,)), L.Dense(1)])
    model.layers[0].trainable = False
    model.compile("adam", "mse")
    model.train_on_batch(X[0], Y)
    model.trainable = True
    with pytest.raises(GradientError, match="compile again to train a layer that was frozen"):
        model.train_on_batch(X[0], Y)
    model.compile("adam", "mse")
    before = model.get_weights()[0]
    model.train_on_batch(X[0], Y)
    assert not np.array_equal(model.get_weights()[0], before)
    model.trainable = False  # all of it: the loss is computed, and nothing changes
    before = model.get_weights()[0]
    model.fit(X[0], Y, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)
