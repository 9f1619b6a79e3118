"""The first API generation: `tf.compat.v1.nn`."""

from minigrad.compat.v1.nn import rnn_cell
from minigrad.compat.v1.nn.raw_rnn import raw_rnn
from minigrad.compat.v1.nn.rnn import bidirectional_dynamic_rnn, dynamic_rnn, static_bidirectional_rnn, static_rnn

__all__ = [
    "bidirectional_dynamic_rnn", "dynamic_rnn", "raw_rnn", "rnn_cell", "static_bidirectional_rnn", "static_rnn",
]  # fmt: skip
