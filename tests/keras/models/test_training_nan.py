"""A loss that is not finite: the step named in the error, and the weights afterwards."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from layer_errors import NO_WEIGHT_CHANGED
from linear_model import X, Y, linear
from minigrad.engine.errors import NaNLossError
from minigrad.keras import Model, Sequential, callbacks
from minigrad.keras.layers import Dense

BAD = X.copy()
BAD[45] = np.nan  # of the last batch of 10


def test_nan_is_an_error_that_says_where_and_changes_nothing(backend):
    model = linear()
    model.build((None, 4))
    model.fit(X[:40], Y[:40], batch_size=10, shuffle=False, verbose=0)
    expected = model.get_weights()
    model.set_weights([np.zeros((4, 1)), np.zeros(1)])
    with pytest.raises(NaNLossError) as caught:
        model.fit(BAD, Y, batch_size=10, epochs=2, shuffle=False, verbose=0)
    assert str(caught.value).startswith(f"fit, epoch 1, step 5: the loss is nan. {NO_WEIGHT_CHANGED}")
    assert "a smaller learning rate (it is 0.1)" in str(caught.value)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert len(expected) == 2


def test_on_nan_continue_leaves_the_step_out(backend):
    model, other = linear(), linear()
    for m in (model, other):
        m.build((None, 4))
        m.set_weights([np.zeros((4, 1)), np.zeros(1)])
    history = model.fit(BAD, Y, batch_size=10, shuffle=False, verbose=0, on_nan="continue").history
    other.fit(X[:40], Y[:40], batch_size=10, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])
    assert np.isnan(history["loss"][0])


def test_nan_in_a_validation_is_an_error_that_says_where():
    model = linear()
    with pytest.raises(NaNLossError, match=r"^fit, epoch 1, `validation_data`, step 5: the loss is nan\. Look for NaN"):
        model.fit(X, Y, validation_data=(BAD, Y), validation_batch_size=10, verbose=0)
    with pytest.raises(NaNLossError, match=r"^evaluate, step 5: the loss is nan\."):
        model.evaluate(BAD, Y, batch_size=10, verbose=0)
    with pytest.raises(NaNLossError, match=r"^test_on_batch: the loss is nan\."):
        model.test_on_batch(BAD, Y)


def test_nan_in_a_validation_stands_in_the_logs_if_asked_for():
    model = linear()
    assert np.isnan(model.evaluate(BAD, Y, on_nan="continue", verbose=0))
    history = model.fit(X, Y, validation_data=(BAD, Y), on_nan="continue", verbose=0).history
    assert np.isfinite(history["loss"][0])
    assert np.isnan(history["val_loss"][0])


def test_a_test_step_of_ones_own_is_looked_at_too():
    class Mine(mg.keras.Sequential):
        def test_step(self, data):
            return {"loss": float("nan")}

    model = Mine([mg.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(NaNLossError, match=r"^evaluate, step 1: the loss is nan\."):
        model.evaluate(X, Y, verbose=0)


def test_a_weight_that_became_nan_under_a_finite_loss_is_an_error():
    class Root(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(1, use_bias=False, kernel_initializer="zeros")

        def call(self, x):
            return mg.functional.sqrt(mg.functional.square(self.dense(x)))

    model = Root()
    model.compile("sgd", "mae")
    with (
        np.errstate(all="ignore"),
        pytest.raises(NaNLossError, match=r"^fit, epoch 1: .* no longer .*kernel:0: a gradi"),
    ):
        model.fit(np.ones((4, 3), "float32"), np.ones((4, 1), "float32"), verbose=0)


def test_validation_after_the_epochs_of_a_list():
    history = linear().fit(X, Y, validation_data=(X, Y), validation_freq=[1, 4], epochs=5, verbose=0).history
    assert len(history["loss"]) == 5
    assert len(history["val_loss"]) == 2


def test_terminate_on_nan_ends_the_training_without_an_error(capsys):
    model = linear()
    history = model.fit(BAD, Y, batch_size=10, epochs=3, shuffle=False, verbose=0, callbacks=callbacks.TerminateOnNaN())
    assert len(history.epoch) == 1
    assert "Batch 4: the loss is not finite" in capsys.readouterr().out


def test_on_one_batch_too():
    with pytest.raises(NaNLossError, match=r"^train_on_batch: the loss is nan\."):
        linear().train_on_batch(BAD, Y)


def test_in_a_step_of_ones_own():
    class Own(Sequential):
        def train_step(self, data):
            return {"loss": float("inf")}

    model = Own([Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(NaNLossError, match=r"epoch 1, step 1: the loss is inf\. Look for NaN"):
        model.fit(X, Y, verbose=0)
