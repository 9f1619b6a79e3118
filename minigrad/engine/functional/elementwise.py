"""Functions of one number or of two, element by element. Two arguments broadcast as in NumPy.

Every argument may be a Tensor, a NumPy array or a Python scalar; the result is a Tensor of the (broadcast) shape.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.arguments import number
from minigrad.engine.creation import as_tensor, is_floating
from minigrad.engine.dtypes import dtype_name, real_dtype
from minigrad.engine.errors import DTypeError, shown
from minigrad.engine.ops import arithmetic, logic, pointwise, selection, shape
from minigrad.engine.ops import power as power_op
from minigrad.engine.tensor import Tensor, TensorLike, apply


def add(a: TensorLike, b: TensorLike) -> Tensor:
    """a + b"""
    return apply(arithmetic.Add, a, b)


def subtract(a: TensorLike, b: TensorLike) -> Tensor:
    """a − b"""
    return apply(arithmetic.Subtract, a, b)


def multiply(a: TensorLike, b: TensorLike) -> Tensor:
    """a b"""
    return apply(arithmetic.Multiply, a, b)


def divide(a: TensorLike, b: TensorLike) -> Tensor:
    """a / b"""
    return apply(arithmetic.Divide, a, b)


def power(a: TensorLike, b: TensorLike) -> Tensor:
    """aᵇ"""
    return apply(power_op.Power, a, b)


def negative(x: TensorLike) -> Tensor:
    """−x"""
    return apply(arithmetic.Negative, x)


def square(x: TensorLike) -> Tensor:
    """x²"""
    x = as_tensor(x, None, "square: `x`")
    return apply(arithmetic.Multiply, x, x)


def matmul(a: TensorLike, b: TensorLike) -> Tensor:
    """The matrix product over the last two axes, (…, m, k) with (…, k, n) to (…, m, n); the axes before broadcast.

    A vector on the left counts as one row, on the right as one column, and that axis is missing from the result.
    """
    return apply(arithmetic.MatMul, a, b)


def maximum(a: TensorLike, b: TensorLike) -> Tensor:
    """The larger of a and b; where they are equal, each gets half the gradient."""
    return apply(selection.Maximum, a, b)


def minimum(a: TensorLike, b: TensorLike) -> Tensor:
    """The smaller of a and b; where they are equal, each gets half the gradient."""
    return apply(selection.Minimum, a, b)


def where(condition: TensorLike, a: TensorLike, b: TensorLike) -> Tensor:
    """a where the condition holds, else b. Both are computed; only the chosen one gets a gradient."""
    return apply(selection.Where, condition, a, b)


def clip(x: TensorLike, low: float, high: float) -> Tensor:
    """min(max(x, low), high), for two numbers; the gradient passes where low ≤ x ≤ high."""
    return apply(pointwise.Clip, x, low=_number("low", low), high=_number("high", high))


def _number(name: str, x: Any) -> float:
    """Return a number of Python's or NumPy's as Python's."""
    if isinstance(x, (int, float)) and x == x and not isinstance(x, bool):
        return x
    if (
        isinstance(x, Tensor)
        or getattr(x, "shape", None) != ()
        or not hasattr(x, "item")
        or hasattr(x, "filled")  # masked
        or not isinstance(x.item(), (int, float))
        or isinstance(x.item(), bool)
        or x.item() != x.item()
    ):
        raise DTypeError(
            f"clip: expected `{name}` to be a number, got {shown(x)}. "
            "For arrays use mg.minimum(mg.maximum(x, low), high)."
        )
    return float(x)


def abs(x: TensorLike) -> Tensor:  # noqa: A001  (NumPy's name, which is also Python's)
    """|x|, with derivative 0 at 0."""
    return apply(pointwise.Abs, x)


def sign(x: TensorLike) -> Tensor:
    """−1, 0 or 1; its gradient is 0."""
    return apply(pointwise.Sign, x)


def floor(x: TensorLike) -> Tensor:
    """The largest integer ≤ x; its gradient is 0."""
    return apply(pointwise.Floor, x)


def exp(x: TensorLike) -> Tensor:
    """eˣ"""
    return apply(pointwise.Exp, real(x, "exp"))


def expm1(x: TensorLike) -> Tensor:
    """eˣ − 1, exact for small x too."""
    return apply(pointwise.Expm1, real(x, "expm1"))


def log(x: TensorLike) -> Tensor:
    """ln x"""
    return apply(pointwise.Log, real(x, "log"))


def log1p(x: TensorLike) -> Tensor:
    """ln(1 + x), exact for small x too."""
    return apply(pointwise.Log1p, real(x, "log1p"))


def sqrt(x: TensorLike) -> Tensor:
    """√x"""
    return apply(pointwise.Sqrt, real(x, "sqrt"))


def sin(x: TensorLike) -> Tensor:
    """sin x, x in radians."""
    return apply(pointwise.Sin, real(x, "sin"))


def cos(x: TensorLike) -> Tensor:
    """cos x, x in radians."""
    return apply(pointwise.Cos, real(x, "cos"))


def tanh(x: TensorLike) -> Tensor:
    """tanh x"""
    return apply(pointwise.Tanh, real(x, "tanh"))


def erf(x: TensorLike) -> Tensor:
    """The error function, 2/√π ∫₀ˣ e^(−t²) dt."""
    return apply(pointwise.Erf, real(x, "erf"))


def sigmoid(x: TensorLike) -> Tensor:
    """σ(x) = 1 / (1 + e⁻ˣ)"""
    return apply(pointwise.Sigmoid, real(x, "sigmoid"))


def hard_sigmoid(x: TensorLike) -> Tensor:
    """clip(0.2 x + 0.5, 0, 1), as in Keras 1 and 2."""
    return apply(pointwise.HardSigmoid, real(x, "hard_sigmoid"))


def relu(x: TensorLike) -> Tensor:
    """max(x, 0)"""
    return apply(pointwise.Relu, x)


def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else α(eˣ − 1)."""
    return apply(pointwise.Elu, real(x, "elu"), alpha=number("elu: `alpha`", alpha))


def selu(x: TensorLike) -> Tensor:
    """λ x where x > 0, else λ α(eˣ − 1), with the constants that keep mean 0 and variance 1."""
    return apply(pointwise.Selu, real(x, "selu"))


def softplus(x: TensorLike) -> Tensor:
    """ln(1 + eˣ)"""
    return apply(pointwise.Softplus, real(x, "softplus"))


def softsign(x: TensorLike) -> Tensor:
    """x / (1 + |x|)"""
    return apply(pointwise.Softsign, real(x, "softsign"))


def swish(x: TensorLike) -> Tensor:
    """x σ(x)"""
    return apply(pointwise.Swish, real(x, "swish"))


def gelu(x: TensorLike) -> Tensor:
    """x Φ(x), with the normal distribution Φ."""
    return apply(pointwise.Gelu, real(x, "gelu"))


def mish(x: TensorLike) -> Tensor:
    """x tanh(softplus x)"""
    return apply(pointwise.Mish, real(x, "mish"))


def real(x: TensorLike, function: str, name: str = "x") -> Tensor:
    """Return x as a tensor of a floating dtype: in unsigned integers −x wraps around, and bools have no −x."""
    if not isinstance(x, Tensor):
        x = as_tensor(x, None, f"{function}: `{name}`")
    elif x.tracked:  # only floating tensors require a gradient
        return x
    floating, dtype = real_dtype(x.array.dtype)
    return x if floating else Tensor(x.backend.astype(x.array, dtype), x.backend)


def linear(x: TensorLike) -> Tensor:
    """x"""
    return apply(pointwise.Linear, x)


def astype(x: TensorLike, dtype: Any) -> Tensor:
    """x in another dtype. The gradient passes between floating dtypes and stops at any other."""
    x, name = as_tensor(x, None, "astype: `x`"), dtype_name(dtype)
    if is_floating(name) and is_floating(x.dtype):
        return apply(shape.AsType, x, dtype=name)
    return Tensor(x.backend.astype(x.array, name), x.backend)


# --- comparisons: bools, through which no gradient passes -----------------------------------------------------------


def equal(a: TensorLike, b: TensorLike) -> Tensor:
    """a = b"""
    return apply(logic.Equal, a, b)


def not_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """a ≠ b"""
    return apply(logic.NotEqual, a, b)


def less(a: TensorLike, b: TensorLike) -> Tensor:
    """a < b"""
    return apply(logic.Less, a, b)


def less_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """a ≤ b"""
    return apply(logic.LessEqual, a, b)


def greater(a: TensorLike, b: TensorLike) -> Tensor:
    """a > b"""
    return apply(logic.Greater, a, b)


def greater_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """a ≥ b"""
    return apply(logic.GreaterEqual, a, b)


def isfinite(x: TensorLike) -> Tensor:
    """Whether x is neither infinite nor NaN."""
    return apply(logic.IsFinite, x)
