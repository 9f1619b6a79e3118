"""Single steps of training, evaluation and prediction."""

from __future__ import annotations

import re

import numpy as np
import pytest

from layer_errors import NO_WEIGHT_CHANGED
from minigrad import Tensor, tensor, using
from minigrad.engine.errors import NaNLossError
from minigrad.keras import Model, Sequential, metrics, optimizers
from minigrad.keras.layers import LSTM, Dense, Dropout
from needed import needed

strict_backend = needed("strict_backend")

X, Y = np.random.default_rng(0).normal(size=(2, 6, 3))


def test_nothing_leaves_a_device_in_a_training_step(monkeypatch, backend):
    model = Sequential([LSTM(4), Dense(3)])
    model.compile(optimizers.Adam(global_clipnorm=1.0), "mse", metrics=["mae"])
    model.train_on_batch(X[:, None], Y)
    left = []
    numpy = Tensor.numpy
    monkeypatch.setattr(Tensor, "numpy", lambda x: left.append(x.shape) or numpy(x))
    model.train_step((tensor(X[:, None]), tensor(Y)))
    assert left == ([()] if getattr(backend, "on_host", False) else [])  # the loss, which might not be finite


def test_losses_on_a_device_are_looked_at_together(monkeypatch):
    with using(strict_backend):
        model = Sequential([Dense(1)])
        model.compile("sgd", "mse")
        left = []
        model.fit(X, Y[:, :1], batch_size=1, epochs=1, verbose=0)
        numpy = Tensor.numpy
        monkeypatch.setattr(Tensor, "numpy", lambda x: left.append(x.shape) or numpy(x))
        model.fit(*(np.tile(a, (40, 1)) for a in (X, Y[:, :1])), batch_size=1, epochs=1, shuffle=False, verbose=0)
    assert left == [()] * 6  # 240 steps: three checks of the losses, the mean loss, and two weights


def test_nan_on_a_device_names_its_step_and_changes_no_weight():
    x = np.concatenate([X, X])
    x[2] = np.nan
    with using(strict_backend):
        runs = []
        for optimizer in (optimizers.Adam(0.1, weight_decay=0.1), optimizers.SGD(0.1, momentum=0.9)):
            model = Sequential([Dense(1)])
            model.compile(optimizer, "mse")
            model.fit(X[:2], Y[:2, :1], batch_size=1, shuffle=False, verbose=0)
            before, state = model.get_weights(), optimizer.get_state()
            with pytest.raises(
                NaNLossError, match=rf"^train_on_batch: the loss is nan\. {re.escape(NO_WEIGHT_CHANGED)}"
            ):
                model.train_on_batch(x[2:3], Y[:1, :1])
            runs.append((before, model.get_weights(), state, optimizer.get_state()))
            with pytest.raises(NaNLossError, match=r"^fit, epoch 1, step 3: the loss is nan\."):
                model.fit(x, np.concatenate([Y, Y])[:, :1], batch_size=1, shuffle=False, verbose=0)
            assert all(np.isfinite(w).all() for w in model.get_weights())
    for before, after, state, then in runs:
        for old, new in zip([*before, *list(state.values())[1:]], [*after, *list(then.values())[1:]], strict=True):
            np.testing.assert_array_equal(old, new)
        assert then["iterations"] == state["iterations"] + 1


def test_on_batch_methods_return_a_number_a_list_or_a_dictionary():
    model = Sequential([Dense(3)])
    model.compile("sgd", "mse")
    assert isinstance(model.train_on_batch(X, Y), float)
    model.compile("sgd", "mse", metrics=["mae", metrics.RootMeanSquaredError()])
    loss, mae, root = model.test_on_batch(X, Y)
    assert root == pytest.approx(np.sqrt(loss))
    assert model.test_on_batch(X, Y, return_dict=True) == {"loss": loss, "mae": mae, "root_mean_squared_error": root}
    assert model.metrics_names == ["loss", "mae", "root_mean_squared_error"]
    assert model.predict_on_batch(X).shape == (6, 3)


def test_metrics_can_run_on_over_batches():
    model = Sequential([Dense(3)])
    model.compile(optimizers.SGD(0.0), "mse")
    one, other = model.train_on_batch(X[:2], Y[:2]), model.train_on_batch(X[2:], Y[2:])
    model.train_on_batch(X[:2], Y[:2])
    both = model.train_on_batch(X[2:], Y[2:], reset_metrics=False)
    assert both == pytest.approx((2 * one + 4 * other) / 6, rel=1e-6)


def test_a_model_that_does_not_ask_whether_it_trains_tells_its_layers_all_the_same():
    seen = []

    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dropout = Dropout(0.5)

        def call(self, inputs):
            seen.append(self.dropout(inputs).numpy())
            return inputs

    model = Own()
    model.compile("sgd")
    model.predict(np.ones((4, 4)))
    with pytest.raises(ValueError, match="nothing to minimize"):
        model.fit(np.ones((4, 4)), verbose=0)
    assert (seen[0] == 1).all()
    assert (seen[1] != 1).all()


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_step_that_was_refused_leaves_no_nan_in_a_stateful_layer(wrapped: bool) -> None:
    layer = LSTM(2, stateful=True, batch_input_shape=(2, 3, 4))
    model = Sequential([Sequential([layer]) if wrapped else layer, Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((2, 3, 4)), np.zeros((2, 1))
    with pytest.raises(NaNLossError, match="train_on_batch: the loss is nan"):
        model.train_on_batch(x * np.nan, y)
    assert (layer.states[0].numpy() == 0.0).all()
    assert np.isfinite(model.train_on_batch(x, y))
    bad = np.concatenate([x * np.nan, x, x])
    history = model.fit(bad, np.zeros((6, 1)), batch_size=2, shuffle=False, verbose=0, on_nan="continue").history
    assert len(history["loss"]) == 1
    assert all(np.isfinite(state.numpy()).all() for state in layer.states)
    with pytest.raises(NaNLossError, match="evaluate, step 1"):
        model.evaluate(x * np.nan, y, verbose=0)
    assert np.isfinite(model.evaluate(x, y, verbose=0))
