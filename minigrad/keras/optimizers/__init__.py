"""Optimizers: the update of weights from their gradients. `tf.keras.optimizers`."""

from minigrad.keras.optimizers import schedules
from minigrad.keras.optimizers.adagrad import Adagrad
from minigrad.keras.optimizers.adam import Adam, AdamW
from minigrad.keras.optimizers.arguments import learning_rate
from minigrad.keras.optimizers.base import Optimizer
from minigrad.keras.optimizers.catalogue import deserialize, get, serialize
from minigrad.keras.optimizers.rmsprop import RMSprop
from minigrad.keras.optimizers.sgd import SGD

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "deserialize", "get", "learning_rate", "schedules",
    "serialize",
]  # fmt: skip
