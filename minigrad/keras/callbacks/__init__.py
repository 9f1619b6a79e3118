"""Callbacks: objects that `fit` calls at each epoch and step, to stop, save or log. `tf.keras.callbacks`."""

from minigrad.keras.callbacks.base import Callback, CallbackList, LambdaCallback
from minigrad.keras.callbacks.checkpoint import ModelCheckpoint
from minigrad.keras.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from minigrad.keras.callbacks.logs import CSVLogger, History
from minigrad.keras.callbacks.progress import ProgbarLogger
from minigrad.keras.callbacks.stopping import EarlyStopping, TerminateOnNaN

__all__ = [
    "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback", "LearningRateScheduler",
    "ModelCheckpoint", "ProgbarLogger", "ReduceLROnPlateau", "TerminateOnNaN",
]  # fmt: skip
