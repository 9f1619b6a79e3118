"""The second API generation: `tf.compat.v1.keras`."""

from minigrad.compat.v1.keras import layers

__all__ = ["layers"]
