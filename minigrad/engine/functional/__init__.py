"""Every operation by NumPy's name, on Tensors: for users, and for gradient rules under ``create_graph=True``.

These are the names of `minigrad.engine.protocol`, so the same gradient rule runs on a backend and on this module.
"""

# ruff: noqa: I001  (which would give each name a line)
from minigrad.engine.functional.elementwise import (
    abs, add, astype, clip, cos, divide, elu, equal, erf, exp, expm1, floor, gelu, greater, greater_equal,
    hard_sigmoid, isfinite, less, less_equal, linear, log, log1p, matmul, maximum, minimum, mish, multiply,
    negative, not_equal, power, relu, selu, sigmoid, sign, sin, softplus, softsign, sqrt, square, subtract, swish,
    tanh, where,
)  # fmt: skip
from minigrad.engine.functional.loss import binary_cross_entropy, mean_squared_error, reduced, softmax_cross_entropy
from minigrad.engine.functional.reduction import (
    all, any, argmax, cumsum, einsum, log_softmax, logsumexp, max, mean, min, prod, softmax, sum, var,
)  # fmt: skip
from minigrad.engine.functional.shaping import (
    arange, broadcast_to, concat, concatenate, expand_dims, flip, full, getitem, one_hot, ones, ones_like,
    outputs_of, pad, reshape, scatter_add, split, squeeze, stack, stop_gradient, swapaxes, take, transpose, unstack,
    zeros, zeros_like,
)  # fmt: skip

from minigrad.engine.functional.shaping import as_tensors as as_tensors  # for the tape

__all__ = [
    "abs", "add", "all", "any", "arange", "argmax", "astype", "binary_cross_entropy", "broadcast_to", "clip", "concat",
    "concatenate", "cos", "cumsum", "divide", "einsum", "elu", "equal", "erf", "exp", "expand_dims", "expm1", "flip",
    "floor", "full", "gelu", "getitem", "greater", "greater_equal", "hard_sigmoid", "isfinite", "less", "less_equal",
    "linear", "log", "log1p", "log_softmax", "logsumexp", "matmul", "max", "maximum", "mean", "mean_squared_error",
    "min", "minimum", "mish", "multiply", "negative", "not_equal", "one_hot", "ones", "ones_like", "outputs_of", "pad",
    "power", "prod", "reduced", "relu", "reshape", "scatter_add", "selu", "sigmoid", "sign", "sin", "softmax",
    "softmax_cross_entropy", "softplus", "softsign", "split", "sqrt", "square", "squeeze", "stack", "stop_gradient",
    "subtract", "sum", "swapaxes", "swish", "take", "tanh", "transpose", "unstack", "var", "where", "zeros",
    "zeros_like",
]  # fmt: skip
