"""A small regression, and a model for it."""

from __future__ import annotations

import numpy as np

from minigrad.keras import Sequential, optimizers
from minigrad.keras.layers import Dense

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 4)), RNG.normal(size=(50, 1))


def linear(**kwargs):
    model = Sequential([Dense(1)])
    model.compile(**{"optimizer": optimizers.SGD(0.1), "loss": "mse", **kwargs})
    return model
