"""The layers of the first API generation, `tf.compat.v1.layers`."""

from minigrad.compat.v1.core_layers import Dense, dense, dropout, flatten
from minigrad.compat.v1.layer import Layer, ScopeError

__all__ = ["Dense", "Layer", "ScopeError", "dense", "dropout", "flatten"]
