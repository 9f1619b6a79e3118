"""Functions for networks. `tf.nn`."""

# ruff: noqa: I001  (TensorFlow's names; imports that would give each name a line)
from minigrad.compat.ops.elementwise import l2_normalize
from minigrad.compat.ops.nn import (
    bias_add, dropout, elu, embedding_lookup, gelu, in_top_k, l2_loss, leaky_relu, log_softmax, relu, relu6, selu,
    sigmoid, sigmoid_cross_entropy_with_logits, silu, softmax, softmax_cross_entropy_with_logits, softplus,
    softsign, sparse_softmax_cross_entropy_with_logits, tanh, weighted_cross_entropy_with_logits,
)  # fmt: skip
from minigrad.compat.ops.nn import silu as swish
from minigrad.compat.ops.reductions import moments
from minigrad.compat.out_of_scope import sentence
from minigrad.compat.v1.nn.rnn_cell import DeviceWrapper as RNNCellDeviceWrapper
from minigrad.compat.v1.nn.rnn_cell import DropoutWrapper as RNNCellDropoutWrapper
from minigrad.compat.v1.nn.rnn_cell import ResidualWrapper as RNNCellResidualWrapper
from minigrad.engine.lazy import lazy_getattr

__all__ = [
    "RNNCellDeviceWrapper", "RNNCellDropoutWrapper", "RNNCellResidualWrapper",
    "bias_add", "dropout", "elu", "embedding_lookup", "gelu", "in_top_k", "l2_loss", "l2_normalize", "leaky_relu",
    "log_softmax", "moments", "relu", "relu6", "selu", "sigmoid", "sigmoid_cross_entropy_with_logits", "silu",
    "softmax", "softmax_cross_entropy_with_logits", "softplus", "softsign",
    "sparse_softmax_cross_entropy_with_logits", "swish", "tanh", "weighted_cross_entropy_with_logits",
]  # fmt: skip

__getattr__ = lazy_getattr(__name__, __all__, missing=sentence)

del lazy_getattr, sentence
