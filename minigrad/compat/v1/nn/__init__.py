"""The first API generation: `tf.compat.v1.nn`."""

from minigrad.compat.v1.nn import rnn_cell

__all__ = ["rnn_cell"]
