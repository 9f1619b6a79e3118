"""Small trainings for callbacks, and logs given to them without a training."""

from __future__ import annotations

import numpy as np

from minigrad.keras import Sequential, optimizers
from minigrad.keras.layers import Dense

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 3)), RNG.normal(size=(20, 1))


def model_on(rate=0.1):
    model = Sequential([Dense(1)])
    model.compile(optimizers.SGD(rate), "mse")
    model.build((None, 3))
    return model


class FakeModel:
    """A model whose weights are the number of the epoch."""

    def __init__(self):
        self.stop_training, self.weights, self.optimizer = False, 0, optimizers.SGD(1.0)

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def play(callback, values, name="val_loss"):
    """Call a callback with the values, one per epoch, until it stops the training; return the model and the logs."""
    model, logs = FakeModel(), []
    callback.set_model(model)
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        model.weights = epoch
        logs.append({name: value})
        callback.on_epoch_end(epoch, logs[-1])
        if model.stop_training:
            break
    callback.on_train_end({})
    return model, logs
