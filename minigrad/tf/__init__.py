"""TensorFlow's names with TensorFlow's meaning: ``import minigrad.tf as tf`` in place of ``import tensorflow as tf``.

>>> import minigrad.tf as tf
>>> x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
>>> tf.reduce_sum(x, axis=0), tf.argmax(x).numpy().tolist(), tf.cast(x, tf.int32).dtype == tf.int32
(Tensor([4., 6.], dtype=float32), [1, 1], True)
"""

# ruff: noqa: I001  (TensorFlow's names; imports that would give each name a line)
from minigrad import compat, keras
from minigrad.compat.out_of_scope import sentence
from minigrad.compat.ops.arrays import (
    cast, constant, convert_to_tensor, eye, fill, identity, linspace, one_hot, ones, ones_like, range, rank,
    sequence_mask, shape, size, stop_gradient, zeros, zeros_like,
)  # fmt: skip
from minigrad.compat.ops.dtypes import (
    DType, as_dtype, bool, double, float16, float32, float64, half, int16, int32, int64, int8, uint16, uint32,
    uint64, uint8,
)  # fmt: skip
from minigrad.compat.ops.elementwise import (
    abs, add, add_n, cos, cumsum, divide, einsum, equal, exp, floor, greater, greater_equal, less, less_equal,
    logical_and, logical_not, logical_or, matmul, maximum, minimum, multiply, negative, not_equal, pow, round, sign,
    sin, sqrt, square, subtract, tan, tensordot,
)  # fmt: skip
from minigrad.compat.ops.flow import cond, foldl, function, map_fn, scan, while_loop
from minigrad.compat.ops.nn import sigmoid, tanh
from minigrad.compat.ops.reductions import (
    argmax, argmin, clip_by_global_norm, clip_by_norm, clip_by_value, norm, reduce_all, reduce_any,
    reduce_logsumexp, reduce_max, reduce_mean, reduce_min, reduce_prod, reduce_sum,
)  # fmt: skip
from minigrad.compat.ops.shaping import (
    boolean_mask, broadcast_to, concat, expand_dims, gather, gather_nd, pad, repeat, reshape, reverse,
    reverse_sequence, split, squeeze, stack, tile, transpose, unstack, where,
)  # fmt: skip
from minigrad.compat.ops.shaping import slice_ as slice
from minigrad.compat.ops.variable import TensorSpec, Variable
from minigrad.compat.v1.nn.tensor_array import TensorArray
from minigrad.engine.autograd import GradientTape
from minigrad.engine.lazy import lazy_getattr
from minigrad.engine.tensor import Tensor
from minigrad.keras import initializers, losses, metrics, optimizers
from minigrad.layers.module import Module
from minigrad.layers.tensor_shape import TensorShape
from minigrad.tf import dtypes, linalg, math, nest, nn, random

newaxis = None

__all__ = [
    "DType",
    "GradientTape",
    "Module",
    "Tensor",
    "TensorArray",
    "TensorShape",
    "TensorSpec",
    "Variable",
    "abs",
    "add",
    "add_n",
    "argmax",
    "argmin",
    "as_dtype",
    "bool",
    "boolean_mask",
    "broadcast_to",
    "cast",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "compat",
    "concat",
    "cond",
    "constant",
    "convert_to_tensor",
    "cos",
    "cumsum",
    "divide",
    "double",
    "dtypes",
    "einsum",
    "equal",
    "exp",
    "expand_dims",
    "eye",
    "fill",
    "float16",
    "float32",
    "float64",
    "floor",
    "foldl",
    "function",
    "gather",
    "gather_nd",
    "greater",
    "greater_equal",
    "half",
    "identity",
    "initializers",
    "int8",
    "int16",
    "int32",
    "int64",
    "keras",
    "less",
    "less_equal",
    "linalg",
    "linspace",
    "logical_and",
    "logical_not",
    "logical_or",
    "losses",
    "map_fn",
    "math",
    "matmul",
    "maximum",
    "metrics",
    "minimum",
    "multiply",
    "negative",
    "nest",
    "newaxis",
    "nn",
    "norm",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "optimizers",
    "pad",
    "pow",
    "random",
    "range",
    "rank",
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "repeat",
    "reshape",
    "reverse",
    "reverse_sequence",
    "round",
    "scan",
    "sequence_mask",
    "shape",
    "sigmoid",
    "sign",
    "sin",
    "size",
    "slice",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "stop_gradient",
    "subtract",
    "tan",
    "tanh",
    "tensordot",
    "tile",
    "transpose",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unstack",
    "where",
    "while_loop",
    "zeros",
    "zeros_like",
]  # fmt: skip

__getattr__ = lazy_getattr(__name__, __all__, missing=sentence)

del lazy_getattr, sentence
