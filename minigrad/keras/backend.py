"""Settings for all of Keras. `tf.keras.backend`."""

from minigrad.keras.losses.functions import EPSILON as _EPSILON
from minigrad.layers.call_context import clear_session
from minigrad.layers.floatx import floatx, set_floatx

__all__ = ["clear_session", "epsilon", "floatx", "set_floatx"]


def epsilon() -> float:
    """Return ε, the small number added before logarithms and divisions."""
    return _EPSILON
