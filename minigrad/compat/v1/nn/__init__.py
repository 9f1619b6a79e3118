"""The first API generation: `tf.compat.v1.nn`."""

# ruff: noqa: I001  (TensorFlow's names; imports that would give each name a line)
from minigrad.compat.ops.elementwise import l2_normalize
from minigrad.compat.ops.nn import (
    bias_add, elu, embedding_lookup, in_top_k, l2_loss, leaky_relu, log_softmax, relu, relu6, selu, sigmoid,
    sigmoid_cross_entropy_with_logits, softmax, softmax_cross_entropy_with_logits, softplus, softsign,
    sparse_softmax_cross_entropy_with_logits, tanh, xw_plus_b,
)  # fmt: skip
from minigrad.compat.ops.nn import dropout_v1 as dropout
from minigrad.compat.ops.nn import silu as swish
from minigrad.compat.ops.nn import softmax_cross_entropy_with_logits as softmax_cross_entropy_with_logits_v2
from minigrad.compat.ops.reductions import moments
from minigrad.compat.out_of_scope import sentence
from minigrad.compat.v1.nn import rnn_cell
from minigrad.compat.v1.nn.raw_rnn import raw_rnn
from minigrad.compat.v1.nn.rnn import bidirectional_dynamic_rnn, dynamic_rnn, static_bidirectional_rnn, static_rnn
from minigrad.engine.lazy import lazy_getattr

__all__ = [
    "bias_add", "bidirectional_dynamic_rnn", "dropout", "dynamic_rnn", "elu", "embedding_lookup", "in_top_k",
    "l2_loss", "l2_normalize", "leaky_relu", "log_softmax", "moments", "raw_rnn", "relu", "relu6", "rnn_cell",
    "selu", "sigmoid", "sigmoid_cross_entropy_with_logits", "softmax", "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2", "softplus", "softsign", "sparse_softmax_cross_entropy_with_logits",
    "static_bidirectional_rnn", "static_rnn", "swish", "tanh", "xw_plus_b",
]  # fmt: skip

__getattr__ = lazy_getattr(__name__, __all__, missing=sentence)

del lazy_getattr, sentence
