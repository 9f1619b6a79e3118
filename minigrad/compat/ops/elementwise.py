"""Functions of one number or of two, element by element, and products of matrices. `tf.math`, first part."""

from __future__ import annotations

from typing import Any

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.ops.arrays import convert
from minigrad.compat.ops.shaping import axes
from minigrad.engine import functional as F
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import ShapeError, shown
from minigrad.engine.tensor import Tensor


def _pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Return two values as tensors; a value without a dtype takes the other's."""
    if hasattr(x, "dtype") and not hasattr(y, "dtype"):
        a = convert(x)
        return a, convert(y, a.dtype)
    if hasattr(y, "dtype") and not hasattr(x, "dtype"):
        b = convert(y)
        return convert(x, b.dtype), b
    return convert(x), convert(y)


@recordable
def add(x: Any, y: Any) -> Tensor:
    """x + y"""
    return F.add(*_pair(x, y))


@recordable
def subtract(x: Any, y: Any) -> Tensor:
    """x − y"""
    return F.subtract(*_pair(x, y))


@recordable
def multiply(x: Any, y: Any) -> Tensor:
    """x y"""
    return F.multiply(*_pair(x, y))


@recordable
def divide(x: Any, y: Any) -> Tensor:
    """x / y, of whole numbers too, in float64."""
    a, b = _pair(x, y)
    return F.divide(*[n if is_floating(n.dtype) else n.astype("float64") for n in (a, b)])


@recordable
def div(x: Any, y: Any) -> Tensor:
    """x / y; of whole numbers ⌊x / y⌋, as in Python 2."""
    a, b = _pair(x, y)
    return F.divide(a, b) if is_floating(a.dtype) else _floored(a, b)


def _floored(a: Tensor, b: Tensor) -> Tensor:
    """Return ⌊a / b⌋, through which no gradient passes."""
    x, y = (n.detach() if is_floating(n.dtype) else n.astype("float64") for n in (a, b))
    return F.floor(F.divide(x, y)).astype(a.dtype)


@recordable
def floordiv(x: Any, y: Any) -> Tensor:
    """⌊x / y⌋"""
    return _floored(*_pair(x, y))


@recordable
def floormod(x: Any, y: Any) -> Tensor:
    """x − y ⌊x / y⌋, with the sign of y."""
    a, b = _pair(x, y)
    return a - b * _floored(a, b)


@recordable
def divide_no_nan(x: Any, y: Any) -> Tensor:
    """x / y, and 0 where y is 0."""
    a, b = _pair(x, y)
    zero = b == 0
    return F.where(zero, F.zeros_like(a * b), a / F.where(zero, F.ones_like(b), b))


@recordable
def pow(x: Any, y: Any) -> Tensor:  # noqa: A001  (TensorFlow's name, as below)
    """xʸ"""
    return F.power(*_pair(x, y))


@recordable
def maximum(x: Any, y: Any) -> Tensor:
    """The larger of x and y; where they are equal, x gets the gradient."""
    a, b = _pair(x, y)
    return F.where(a >= b, a, b)


@recordable
def minimum(x: Any, y: Any) -> Tensor:
    """The smaller of x and y; where they are equal, x gets the gradient."""
    a, b = _pair(x, y)
    return F.where(a <= b, a, b)


@recordable
def squared_difference(x: Any, y: Any) -> Tensor:
    """(x − y)²"""
    a, b = _pair(x, y)
    return F.square(a - b)


@recordable
def negative(x: Any) -> Tensor:
    """−x"""
    return F.negative(convert(x))


@recordable
def abs(x: Any) -> Tensor:  # noqa: A001
    """|x|, with derivative 0 at 0."""
    return F.abs(convert(x))


@recordable
def sign(x: Any) -> Tensor:
    """−1, 0 or 1."""
    return F.sign(convert(x))


@recordable
def square(x: Any) -> Tensor:
    """x²"""
    return F.square(convert(x))


@recordable
def sqrt(x: Any) -> Tensor:
    """√x"""
    return F.sqrt(convert(x))


@recordable
def rsqrt(x: Any) -> Tensor:
    """1 / √x"""
    return 1.0 / F.sqrt(convert(x))


@recordable
def reciprocal(x: Any) -> Tensor:
    """1 / x"""
    return 1.0 / convert(x)


@recordable
def exp(x: Any) -> Tensor:
    """eˣ"""
    return F.exp(convert(x))


@recordable
def expm1(x: Any) -> Tensor:
    """eˣ − 1, exact for small x too."""
    return F.expm1(convert(x))


@recordable
def log(x: Any) -> Tensor:
    """ln x"""
    return F.log(convert(x))


@recordable
def log1p(x: Any) -> Tensor:
    """ln(1 + x), exact for small x too."""
    return F.log1p(convert(x))


@recordable
def sin(x: Any) -> Tensor:
    """sin x, x in radians."""
    return F.sin(convert(x))


@recordable
def cos(x: Any) -> Tensor:
    """cos x, x in radians."""
    return F.cos(convert(x))


@recordable
def tan(x: Any) -> Tensor:
    """tan x, x in radians."""
    return F.sin(convert(x)) / F.cos(convert(x))


@recordable
def erf(x: Any) -> Tensor:
    """The error function, 2/√π ∫₀ˣ e^(−t²) dt."""
    return F.erf(convert(x))


@recordable
def floor(x: Any) -> Tensor:
    """The largest whole number ≤ x."""
    return F.floor(convert(x))


@recordable
def ceil(x: Any) -> Tensor:
    """The smallest whole number ≥ x."""
    return -F.floor(-convert(x))


@recordable
def round(x: Any) -> Tensor:  # noqa: A001
    """The nearest whole number; of two, the even one."""
    a = convert(x)
    below = F.floor(a)
    rest = a - below
    odd = below - 2 * F.floor(below / 2)
    return below + ((rest > 0.5) | ((rest == 0.5) & (odd == 1))).astype(a.dtype)


# --- comparisons ------------------------------------------------------------------------------------------------------


@recordable
def equal(x: Any, y: Any) -> Tensor:
    """Whether x = y."""
    return F.equal(*_pair(x, y))


@recordable
def not_equal(x: Any, y: Any) -> Tensor:
    """Whether x ≠ y."""
    return F.not_equal(*_pair(x, y))


@recordable
def less(x: Any, y: Any) -> Tensor:
    """Whether x < y."""
    return F.less(*_pair(x, y))


@recordable
def less_equal(x: Any, y: Any) -> Tensor:
    """Whether x ≤ y."""
    return F.less_equal(*_pair(x, y))


@recordable
def greater(x: Any, y: Any) -> Tensor:
    """Whether x > y."""
    return F.greater(*_pair(x, y))


@recordable
def greater_equal(x: Any, y: Any) -> Tensor:
    """Whether x ≥ y."""
    return F.greater_equal(*_pair(x, y))


@recordable
def logical_and(x: Any, y: Any) -> Tensor:
    """Whether x and y."""
    return convert(x) & convert(y)


@recordable
def logical_or(x: Any, y: Any) -> Tensor:
    """Whether x or y."""
    return convert(x) | convert(y)


@recordable
def logical_not(x: Any) -> Tensor:
    """Whether not x."""
    return ~convert(x)


@recordable
def is_nan(x: Any) -> Tensor:
    """Whether x is not a number."""
    a = convert(x)
    return F.not_equal(a, a)


@recordable
def is_inf(x: Any) -> Tensor:
    """Whether x is infinite."""
    a = convert(x)
    return ~F.isfinite(a) & F.equal(a, a)


@recordable
def is_finite(x: Any) -> Tensor:
    """Whether x is neither infinite nor NaN."""
    return F.isfinite(convert(x))


# --- products ---------------------------------------------------------------------------------------------------------


@recordable
def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, **without_effect: Any) -> Tensor:
    """The matrix product over the last two axes; each factor may be transposed.

    Raises:
        ShapeError: a factor is not a matrix.
    """
    x, y = _pair(a, b)
    if min(x.ndim, y.ndim) < 2:
        raise ShapeError(
            f"matmul: expected matrices, got shapes {x.shape} and {y.shape}. tf.linalg.matvec takes a vector."
        )
    return F.matmul(F.swapaxes(x, -1, -2) if transpose_a else x, F.swapaxes(y, -1, -2) if transpose_b else y)


@recordable
def matvec(a: Any, b: Any, transpose_a: bool = False) -> Tensor:
    """The product of a matrix and a vector."""
    x, y = _pair(a, b)
    x = F.swapaxes(x, -1, -2) if transpose_a else x
    return F.squeeze(F.matmul(x, F.expand_dims(y, -1)), -1)


@recordable
def tensordot(a: Any, b: Any, axes: Any) -> Tensor:
    """The sum of products over axes of a and b: a number n for a's last and b's first n, or a list for each."""
    x, y = _pair(a, b)
    given = axes.tolist() if hasattr(axes, "tolist") else axes
    if isinstance(given, int):
        first, second = list(range(x.ndim - given, x.ndim)), list(range(given))
    else:
        first, second = ([n] if isinstance(n, int) else list(n) for n in given)
    first, second = [n % x.ndim for n in first], [n % y.ndim for n in second]
    if len(first) != len(second):
        raise ShapeError(f"tensordot: expected as many axes of a as of b in `axes`, got {shown(axes)}.")
    left = [n for n in range(x.ndim) if n not in first]
    right = [n for n in range(y.ndim) if n not in second]
    rows, columns = [x.shape[n] for n in left], [y.shape[n] for n in right]
    inner = 1
    for n in first:
        inner *= x.shape[n]
    product = F.matmul(
        F.transpose(x, [*left, *first]).reshape((-1, inner)), F.transpose(y, [*second, *right]).reshape((inner, -1))
    )
    return F.reshape(product, [*rows, *columns])


@recordable
def einsum(equation: str, *inputs: Any) -> Tensor:
    """A sum of products, as ``einsum("btd,dh->bth", x, w)``; of one or two tensors."""
    return F.einsum(equation, *[convert(x) for x in inputs])


@recordable
def add_n(inputs: Any) -> Tensor:
    """The sum of a list of tensors."""
    first, *rest = [convert(x) for x in inputs]
    for x in rest:
        first = first + x
    return first


@recordable
def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12) -> Tensor:
    """x / √max(Σ x², ε), the sum over the axes."""
    a = convert(x)
    return a / F.sqrt(F.maximum(F.sum(F.square(a), axes(axis), True), epsilon))


@recordable
def cumsum(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """yₜ = Σ_{s≤t} xₛ along an axis, the first by default.

    Args:
        x: the numbers.
        axis: the axis.
        exclusive: whether the sum is over s < t.
        reverse: whether it runs from the end.
    """
    a = convert(x)
    a = F.flip(a, axis) if reverse else a
    y = F.cumsum(a, axis)
    y = y - a if exclusive else y
    return F.flip(y, axis) if reverse else y


def wide(x: Tensor) -> Tensor:
    """Return bools as numbers."""
    return x.astype("int64") if dtype_name(x.dtype) == "bool" else x
