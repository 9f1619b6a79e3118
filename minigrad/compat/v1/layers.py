"""The layers of the first API generation, `tf.compat.v1.layers`."""

from minigrad.compat.v1.layer import Layer, ScopeError

__all__ = ["Layer", "ScopeError"]
