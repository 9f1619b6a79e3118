"""Scalar functions for compiled loops, under the names that a cell's lines and an activation's rule use.

Each returns a number of its argument's dtype, and treats NaN as NumPy's function of that name does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad_numba.activations import exponential, gate, gate_slope, tanh
from minigrad_numba.compiling import inlined

__all__ = [
    "clip", "cos", "dclip", "erf", "exp", "expm1", "exponential", "floor", "gate", "gate_slope", "log", "log1p",
    "maximum", "minimum", "sign", "sin", "sqrt", "tanh", "where",
]  # fmt: skip


@inlined
def clip(v, limit):  # type: ignore[no-untyped-def]
    """v clipped to ±limit; NaN stays NaN."""
    v = -limit if v < -limit else v
    return limit if v > limit else v


@inlined
def dclip(dy, y, limit):  # type: ignore[no-untyped-def]
    """dy where −limit < y < limit, else 0: the derivative of `clip` from its value y."""
    return dy if -limit < y < limit else type(dy)(0)


@inlined
def where(condition, a, b):  # type: ignore[no-untyped-def]
    """a if the condition holds, else b; both are computed."""
    return a if condition else b


@inlined
def maximum(a, b):  # type: ignore[no-untyped-def]
    """The larger of two numbers; NaN if either is NaN."""
    return a if (a >= b) | (a != a) else b


@inlined
def minimum(a, b):  # type: ignore[no-untyped-def]
    """The smaller of two numbers; NaN if either is NaN."""
    return a if (a <= b) | (a != a) else b


def _of_math(function: Any) -> Any:
    """Return a function of `math` or NumPy on scalars, which Numba compiles for each dtype."""

    def of_one_number(x):  # type: ignore[no-untyped-def]
        return function(x)

    return inlined(of_one_number)


exp, expm1, log1p, erf = (_of_math(function) for function in (math.exp, math.expm1, math.log1p, math.erf))
log, sqrt, sin, cos = (_of_math(function) for function in (np.log, np.sqrt, np.sin, np.cos))
floor, sign = (_of_math(function) for function in (np.floor, np.sign))
