"""The third API generation: `tf.keras`."""

from minigrad.keras import layers

__all__ = ["layers"]
