"""Training: TensorFlow's numbers step by step, toy models that learn, and the loop."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from linear_model import RNG, X, Y, linear
from minigrad.keras import Model, Sequential, losses, optimizers
from minigrad.keras.layers import GRU, LSTM, Dense, Embedding
from minigrad.keras.models import DataError
from oracle.reader import build, load

# TensorFlow silently broadcasts a target of one column over two outputs; here that is an error.
BROADCAST = ("dense", "dense_mae")
# TensorFlow's norm of an embedding's gradient counts a row that was looked up twice as two rows; see
# test_base.py::test_an_embedding_is_measured_as_one_matrix.
NORM_OF_ROWS = ("masked_weighted",)


@pytest.mark.parametrize("case", load("keras_training"), ids=lambda case: case.name)
def test_it_agrees_with_tensorflow(case):
    model = build(case.spec, mg)
    model.build(case["0/x"].shape)
    model.set_weights(case.group("weight"))
    given = case.info["compile"]
    model.compile(optimizer=build(given["optimizer"], mg), loss=build(given["loss"], mg))

    def batch(step):
        y = case[f"{step}/y"]
        y = np.broadcast_to(y, (*y.shape[:-1], 2)) if case.name in BROADCAST else y
        return {"x": case[f"{step}/x"], "y": y, "sample_weight": case.get(f"{step}/sample_weight")}

    for step in range(3):
        assert model.train_on_batch(**batch(step)) == pytest.approx(float(case[f"{step}/loss"]), abs=1e-10)
        if case.name in NORM_OF_ROWS:
            return
        for w, expected in zip(model.get_weights(), case.group(f"{step}/weight"), strict=True):
            np.testing.assert_allclose(w, expected, rtol=0, atol=1e-10)
    model.reset_states()
    assert model.test_on_batch(**batch(0)) == pytest.approx(float(case["evaluate"]), abs=1e-10)
    model.reset_states()
    np.testing.assert_allclose(model.predict_on_batch(case["0/x"]), case["predict"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_trains_on_by_itself(duplicate):
    model = linear(optimizer="adam")
    model.fit(X, Y, epochs=1, shuffle=False, verbose=0)
    twin, before = duplicate(model), model.get_weights()
    twin.fit(X, Y, epochs=1, shuffle=False, verbose=0)
    for w, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, old)
    model.fit(X, Y, epochs=1, shuffle=False, verbose=0)
    for w, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(w, theirs)


# --- toy models learn -------------------------------------------------------------------------------------------------


def test_a_toy_regression_is_learnt():
    x = RNG.uniform(-1, 1, (256, 2))
    y = (x[:, :1] * x[:, 1:]) + 0.5
    model = Sequential([Dense(16, activation="tanh"), Dense(1)])
    model.compile(optimizers.Adam(0.02), "mse", metrics=["mae"])
    history = model.fit(x, y, epochs=60, verbose=0, validation_split=0.25).history
    assert history["val_loss"][-1] < 0.005 < 0.05 < history["val_loss"][0]
    assert set(history) == {"loss", "mae", "val_loss", "val_mae"}
    assert np.abs(model.predict(x) - y).mean() < 0.06


def test_a_toy_classification_of_padded_sequences_is_learnt():
    """Sequences labelled by whether they hold more 1 than 2; the length varies, 0 is padding."""
    lengths = RNG.integers(2, 8, 300)
    x = np.where(np.arange(8) < lengths[:, None], RNG.integers(1, 3, (300, 8)), 0)
    y = ((x == 1).sum(1) > (x == 2).sum(1)).astype(int)
    model = Sequential([Embedding(3, 4, mask_zero=True), GRU(8), Dense(2, activation="softmax")])
    model.compile(optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:240], y[:240], epochs=25, verbose=0)
    loss, accuracy = model.evaluate(x[240:], y[240:], verbose=0)
    assert accuracy > 0.95
    assert loss < 0.3


def test_it_trains_on_every_backend(backend):
    model = Sequential([LSTM(3, return_sequences=True), Dense(2)])
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    x, y = RNG.normal(size=(10, 4, 2)), RNG.integers(0, 2, (10, 4))
    history = model.fit(x, y, epochs=3, batch_size=4, verbose=0, validation_split=0.2).history
    assert history["loss"][-1] < history["loss"][0]
    assert model.predict(x).shape == (10, 4, 2)


# --- the loop ---------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_numbers():
    runs = []
    for _ in range(2):
        mg.random.seed(3)
        model = linear()
        runs.append((model.fit(X, Y, epochs=3, verbose=0).history, model.get_weights()))
    assert runs[0][0] == runs[1][0]
    for a, b in zip(runs[0][1], runs[1][1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_shuffling_visits_each_example_once_an_epoch_in_changing_orders():
    seen = []

    class Watcher(Model):
        def call(self, inputs, training=None):
            if training:
                seen.append(inputs.numpy()[:, 0])
            return inputs

        def train_step(self, data):
            self(data[0], training=True)
            return {}

    model = Watcher()
    model.compile("sgd", "mse")
    numbers = np.arange(10.0)[:, None]
    model.fit(numbers, numbers, epochs=2, batch_size=4, verbose=0)
    assert [len(part) for part in seen] == [4, 4, 2] * 2
    one, other = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert sorted(one) == sorted(other) == numbers[:, 0].tolist()
    assert one.tolist() != other.tolist()
    seen.clear()
    model.fit(numbers, numbers, batch_size=4, shuffle=False, verbose=0)
    np.testing.assert_array_equal(np.concatenate(seen), numbers[:, 0])


def test_the_loss_of_an_epoch_is_the_mean_over_its_examples():
    model = linear(optimizer=optimizers.SGD(0.0))
    history = model.fit(X, Y, batch_size=32, verbose=0).history
    assert history["loss"][0] == pytest.approx(((model.predict(X) - Y) ** 2).mean(), rel=1e-6)
    assert model.evaluate(X, Y, batch_size=7, verbose=0) == pytest.approx(history["loss"][0], rel=1e-6)


def test_validation_sees_the_last_examples_and_changes_nothing():
    model = linear(optimizer=optimizers.SGD(0.0))
    history = model.fit(X, Y, validation_split=0.2, verbose=0).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(X[40:], Y[40:], verbose=0))
    assert history["loss"][0] == pytest.approx(model.evaluate(X[:40], Y[:40], verbose=0))
    given = model.fit(X, Y, validation_data=(X[40:], Y[40:]), validation_freq=2, epochs=4, verbose=0).history
    assert given["val_loss"] == pytest.approx([history["val_loss"][0]] * 2)


def test_training_goes_on_from_an_epoch():
    assert linear().fit(X, Y, initial_epoch=2, epochs=5, verbose=0).epoch == [2, 3, 4]


def test_from_saved_weights_and_optimizer_it_goes_on_as_if_it_had_never_stopped(tmp_path):
    def made():
        model = Sequential([LSTM(3, input_shape=(2, 2)), Dense(1)])
        model.compile(optimizers.Adam(0.05, amsgrad=True), "mse")
        return model

    x, straight, resumed = X.reshape(50, 2, 2), made(), made()
    straight.fit(x, Y, epochs=2, shuffle=False, verbose=0)
    straight.save_weights(tmp_path / "half")
    np.savez(tmp_path / "optimizer.npz", **straight.optimizer.get_state())
    straight.fit(x, Y, initial_epoch=2, epochs=4, shuffle=False, verbose=0)
    resumed.load_weights(tmp_path / "half")
    resumed.optimizer.build(resumed.trainable_weights)
    with np.load(tmp_path / "optimizer.npz", allow_pickle=False) as state:
        resumed.optimizer.set_state(dict(state))
    resumed.fit(x, Y, initial_epoch=2, epochs=4, shuffle=False, verbose=0)
    for a, b in zip(straight.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_class_weights_multiply_the_losses_of_their_class():
    y = (X[:, 0] > 0).astype(int)
    model = Sequential([Dense(2)])
    model.compile(optimizers.SGD(0.0), losses.SparseCategoricalCrossentropy(from_logits=True))
    weighted = model.fit(X, y, class_weight={0: 1.0, 1: 3.0}, verbose=0).history["loss"]
    assert weighted == pytest.approx([model.evaluate(X, y, sample_weight=1.0 + 2.0 * y, verbose=0)])
    one_hot = np.eye(2)[y]
    model.compile(optimizers.SGD(0.0), losses.CategoricalCrossentropy(from_logits=True))
    assert model.train_on_batch(X, one_hot, class_weight={0: 1.0, 1: 3.0}) == pytest.approx(weighted[0])


def test_generators_and_sequences_of_batches():
    batches = [(X[k : k + 10], Y[k : k + 10]) for k in range(0, 50, 10)]
    expected = linear(optimizer=optimizers.SGD(0.0))
    expected.build((None, 4))
    loss = expected.evaluate(X, Y, verbose=0)

    class Batches:
        ended = 0

        def __len__(self):
            return 5

        def __getitem__(self, k):
            return batches[k]

        def on_epoch_end(self):
            self.ended += 1

    sequence = Batches()
    assert expected.fit(sequence, epochs=2, verbose=0).history["loss"] == pytest.approx([loss, loss])
    assert sequence.ended == 2

    def endless():
        while True:
            yield from batches

    source = endless()
    assert expected.fit(source, epochs=2, steps_per_epoch=5, verbose=0).history["loss"] == pytest.approx([loss, loss])
    assert expected.evaluate(iter(batches), verbose=0) == pytest.approx(loss)
    np.testing.assert_allclose(expected.predict((b for b, _ in batches)), expected.predict(X), rtol=1e-6)
    with pytest.raises(DataError, match=r"fit, epoch 2: the data ended after 0 of its steps. An iterator runs once"):
        expected.fit(iter(batches), epochs=2, verbose=0)
    with pytest.raises(DataError, match="fit, epoch 1: the data ended after 5 of 7 steps"):
        expected.fit(X, Y, batch_size=10, steps_per_epoch=7, verbose=0)


def test_several_inputs_and_outputs():
    class Two(Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = Dense(1), Dense(2)

        def call(self, inputs):
            x, z = inputs
            return {"sum": self.a(x), "class": self.b(z)}

    model = Two()
    model.compile(
        "sgd",
        {"sum": "mse", "class": losses.SparseCategoricalCrossentropy(from_logits=True)},
        metrics={"class": ["accuracy"]},
        loss_weights={"sum": 0.5, "class": 2.0},
    )
    labels = (Y[:, 0] > 0).astype(int)
    history = model.fit([X, X], {"sum": Y, "class": labels}, epochs=2, batch_size=50, verbose=0).history
    assert set(history) == {"loss", "sum_loss", "class_loss", "class_accuracy"}
    for total, one, other in zip(history["loss"], history["sum_loss"], history["class_loss"], strict=True):
        assert total == pytest.approx(0.5 * one + 2.0 * other, rel=1e-5)
    outputs = model.predict([X, X], batch_size=20)
    assert {name: array.shape for name, array in outputs.items()} == {"sum": (50, 1), "class": (50, 2)}


def test_a_loss_that_the_model_adds_by_itself():
    class Shrinking(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(1, use_bias=False)

        def call(self, inputs):
            y = self.dense(inputs)
            self.add_loss((y * y).mean())
            return y

    model = Shrinking()
    model.compile(optimizers.SGD(0.2))
    history = model.fit(X, epochs=20, verbose=0).history["loss"]
    assert history[-1] < 0.05 * history[0]


def test_stateful_layers_go_on_from_batch_to_batch_until_reset():
    model = Sequential([LSTM(2, stateful=True, batch_input_shape=(5, 3, 4))])
    x = RNG.normal(size=(5, 3, 4))
    first = model.predict(x, batch_size=5)
    second = model.predict(x, batch_size=5)
    assert np.abs(first - second).max() > 1e-4
    model.reset_states()
    np.testing.assert_array_equal(model.predict(x, batch_size=5), first)


def test_the_average_of_the_weights_is_taken_at_the_end():
    model = linear(optimizer=optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
    model.fit(X, Y, epochs=2, verbose=0)
    average = model.optimizer.get_state()["average/0"]
    np.testing.assert_array_equal(model.get_weights()[0], average)


def test_a_training_step_of_ones_own():
    class Own(Sequential):
        def train_step(self, data):
            x, y = data
            with mg.GradientTape() as tape:
                loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            return {metric.name: metric.result() for metric in self.metrics}

    histories = []
    for model in (Own([Dense(1)]), Sequential([Dense(1)])):
        model.compile(optimizers.SGD(0.1), "mse")
        mg.random.seed(1)
        model.build((None, 4))
        histories.append(model.fit(X, Y, epochs=3, shuffle=False, verbose=0).history["loss"])
    assert histories[0] == pytest.approx(histories[1], rel=1e-6)


def test_frozen_layers_stay():
    model = Sequential([Dense(3, trainable=False), Dense(1)])
    model.compile("adam", "mse")
    model.build((None, 4))
    frozen, free = model.layers[0].get_weights(), model.layers[1].get_weights()
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], frozen[0])
    assert np.abs(model.layers[1].get_weights()[0] - free[0]).max() > 0
