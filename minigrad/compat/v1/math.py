"""Functions of numbers. `tf.compat.v1.math`."""

# ruff: noqa: A004, I001  (TensorFlow's names; imports that would give each name a line)
from minigrad.compat.ops.elementwise import (
    abs, add, add_n, ceil, cos, cumsum, divide, divide_no_nan, equal, erf, exp, expm1, floor, floordiv, floormod,
    greater, greater_equal, is_finite, is_inf, is_nan, l2_normalize, less, less_equal, log, log1p, logical_and,
    logical_not, logical_or, maximum, minimum, multiply, negative, not_equal, pow, reciprocal, round, rsqrt, sign,
    sin, sqrt, square, squared_difference, subtract, tan,
)  # fmt: skip
from minigrad.compat.ops.elementwise import floormod as mod
from minigrad.compat.ops.nn import in_top_k, log_softmax, sigmoid, softmax, softplus, softsign, tanh
from minigrad.compat.ops.reductions import (
    argmax, argmin, count_nonzero, reduce_all, reduce_any, reduce_logsumexp, reduce_max, reduce_mean, reduce_min,
    reduce_prod, reduce_std, reduce_sum, reduce_variance,
)  # fmt: skip
from minigrad.compat.out_of_scope import sentence
from minigrad.engine.lazy import lazy_getattr

__all__ = [
    "abs", "add", "add_n", "argmax", "argmin", "ceil", "cos", "count_nonzero", "cumsum", "divide", "divide_no_nan",
    "equal", "erf", "exp", "expm1", "floor", "floordiv", "floormod", "greater", "greater_equal", "in_top_k",
    "is_finite", "is_inf", "is_nan", "l2_normalize", "less", "less_equal", "log", "log1p", "log_softmax",
    "logical_and", "logical_not", "logical_or", "maximum", "minimum", "mod", "multiply", "negative", "not_equal",
    "pow", "reciprocal", "reduce_all", "reduce_any", "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min",
    "reduce_prod", "reduce_std", "reduce_sum", "reduce_variance", "round", "rsqrt", "sigmoid", "sign", "sin",
    "softmax", "softplus", "softsign", "sqrt", "square", "squared_difference", "subtract", "tan", "tanh",
]  # fmt: skip

__getattr__ = lazy_getattr(__name__, __all__, missing=sentence)

del lazy_getattr, sentence
