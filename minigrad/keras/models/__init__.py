"""Models: `Model` to subclass, and `Sequential`. `tf.keras.models`."""

from minigrad.engine.errors import DataError
from minigrad.keras.models.compiled import NotCompiledError
from minigrad.keras.models.loading import load_model
from minigrad.keras.models.model import Model, clone_model
from minigrad.keras.models.sequential import Sequential
from minigrad.keras.saving import WeightsFileError

__all__ = ["DataError", "Model", "NotCompiledError", "Sequential", "WeightsFileError", "clone_model", "load_model"]
