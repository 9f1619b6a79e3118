"""minigrad: a tensor and autograd engine small enough to read in an afternoon, with recurrent layers.

The package has three wings, of which each imports only from those before it:

    engine             engine
    layers and APIs    recurrent · layers · distributed · keras, compat · tf
    tools              tracing · plot · show · playground · train · papers · bench · convert · testing

>>> import minigrad as mg
>>> x = mg.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
Tensor([2., 4.], dtype=float32)
"""

# ruff: noqa: I001  (which would give each name a line)
from minigrad.engine import interrupt  # (first: from here on Ctrl-C is answered in one line)
from typing import TYPE_CHECKING

from minigrad import compat, keras
from minigrad.engine import errors, functional, random
from minigrad.engine.autograd import GradientTape, grad, no_grad
from minigrad.engine.creation import tensor
from minigrad.engine.functional import (
    abs, add, all, any, arange, argmax, astype, broadcast_to, clip, concat, concatenate, cos, cumsum, divide,
    einsum, equal, exp, expand_dims, expm1, flip, floor, full, greater, greater_equal, isfinite, less, less_equal,
    log, log1p, matmul, max, maximum, mean, min, minimum, multiply, negative, not_equal, ones, ones_like, pad,
    power, prod, reshape, sign, sin, split, sqrt, square, squeeze, stack, subtract, sum, swapaxes, take, tanh,
    transpose, unstack, var, where, zeros, zeros_like,
)  # fmt: skip
from minigrad.engine.lazy import lazy_getattr
from minigrad.engine.registry import backends, use, using
from minigrad.engine.tensor import Tensor
from minigrad.layers.module import Module
from minigrad.layers.tensor_shape import TensorShape

if TYPE_CHECKING:
    from minigrad import testing, tf
    from minigrad.tracing.tracer import trace

__version__ = "0.1.0"

__all__ = [
    "GradientTape", "Module", "Tensor", "TensorShape", "abs", "add", "all", "any", "arange", "argmax", "astype",
    "backends", "broadcast_to", "clip", "compat", "concat", "concatenate", "cos", "cumsum", "divide", "einsum", "equal",
    "errors", "exp", "expand_dims", "expm1", "flip", "floor", "full", "functional", "grad", "greater", "greater_equal",
    "isfinite", "keras", "less", "less_equal", "log", "log1p", "matmul", "max", "maximum", "mean", "min", "minimum",
    "multiply", "negative", "no_grad", "not_equal", "ones", "ones_like", "pad", "power", "prod", "random", "reshape",
    "sign", "sin", "split", "sqrt", "square", "squeeze", "stack", "subtract", "sum", "swapaxes", "take", "tanh",
    "tensor", "testing", "tf", "trace", "transpose", "unstack", "use", "using", "var", "where", "zeros", "zeros_like",
]  # fmt: skip

if not TYPE_CHECKING:  # or every name would pass
    __getattr__ = lazy_getattr(__name__, __all__, "testing", "tf", "tracing")

from minigrad.engine import aliases  # (last: earlier addresses of the modules that are loaded now)

del TYPE_CHECKING, aliases, interrupt, lazy_getattr
