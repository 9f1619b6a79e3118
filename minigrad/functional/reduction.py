"""Reductions. `axis` is an int, a tuple of ints, or None for all; with `keepdims` reduced axes stay, with length 1."""

from __future__ import annotations

from math import prod as product
from typing import Any

from minigrad.backend.protocol import Axis
from minigrad.creation import as_tensor
from minigrad.ops import reduction
from minigrad.tensor import Tensor, TensorLike, apply


def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001  (NumPy's names)
    """Σ x"""
    return apply(reduction.Sum, x, axis=axis, keepdims=keepdims)


def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Σ x / n"""
    x = as_tensor(x)
    return apply(reduction.Sum, x, axis=axis, keepdims=keepdims) / float(_count(x, axis))


def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Σ (x − mean)² / n"""
    x = as_tensor(x)
    distance = x - mean(x, axis, True)
    return mean(distance * distance, axis, keepdims)


def _count(x: Tensor, axis: Axis) -> int:
    """How many numbers fall together into one."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return product(x.shape[a] for a in axes)


def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Π x. Its gradient holds where factors are 0 too, at the price of n² products of n factors."""
    x = as_tensor(x)
    if axis is None:
        y = apply(reduction.Prod, x.reshape(-1), axis=0)
        return y.reshape((1,) * x.ndim) if keepdims else y
    for a in sorted([a % x.ndim for a in ([axis] if isinstance(axis, int) else axis)], reverse=True):
        x = apply(reduction.Prod, x, axis=a, keepdims=keepdims)
    return x


def max(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """The largest; those that share the first place share the gradient."""
    return apply(reduction.Max, x, axis=axis, keepdims=keepdims)


def min(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """The smallest; those that share the first place share the gradient."""
    return apply(reduction.Min, x, axis=axis, keepdims=keepdims)


def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """Are all true?"""
    x = as_tensor(x)
    return Tensor(x.backend.all(x.array, axis, keepdims), x.backend)


def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """Is any true?"""
    x = as_tensor(x)
    return Tensor(x.backend.any(x.array, axis, keepdims), x.backend)


def argmax(x: TensorLike, axis: int | None = None) -> Tensor:
    """The position of the largest along an axis, or among all; integers, through which no gradient passes."""
    x = as_tensor(x)
    return Tensor(x.backend.argmax(x.array, axis), x.backend)


def cumsum(x: TensorLike, axis: int = -1) -> Tensor:
    """yₜ = Σ_{s≤t} xₛ along an axis."""
    return apply(reduction.CumSum, x, axis=axis)


def logsumexp(x: TensorLike, axis: int = -1, keepdims: bool = False) -> Tensor:
    """ln Σ eˣ along an axis, without overflow."""
    return apply(reduction.LogSumExp, x, axis=axis, keepdims=keepdims)


def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """eˣ / Σ eˣ along an axis."""
    return apply(reduction.Softmax, x, axis=axis)


def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """x − ln Σ eˣ along an axis."""
    return apply(reduction.LogSoftmax, x, axis=axis)


def einsum(subscripts: str, *operands: TensorLike) -> Tensor:
    """A sum of products, as NumPy's, e.g. ``einsum("btd,dh->bth", x, w)``: one or two operands, no ellipsis.

    Written with transpose, reshape and one matrix product: its gradient is theirs.

    Raises:
        ValueError: the subscripts have three operands, no arrow, an ellipsis, or an index twice in one operand.
    """
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    letters_once = [len(set(term)) == len(term) for term in [*terms, output]]
    if not arrow or "." in subscripts or len(terms) != len(operands) or len(terms) > 2 or False in letters_once:
        raise ValueError(
            f"einsum: expected subscripts such as 'ij,jk->ik' for {len(operands)} operands (at most two), an arrow, no "
            f"ellipsis and no index twice in a term, got {subscripts!r}."
        )
    a = as_tensor(operands[0])
    if len(terms) == 1:
        return _arrange(_sum_out(a, terms[0], output), [i for i in terms[0] if i in output], output)
    b = as_tensor(operands[1])
    a_term, b_term = terms
    a, b = _sum_out(a, a_term, b_term + output), _sum_out(b, b_term, a_term + output)
    a_term = "".join(i for i in a_term if i in b_term + output)
    b_term = "".join(i for i in b_term if i in a_term + output)
    batch = [i for i in a_term if i in b_term and i in output]
    summed = [i for i in a_term if i in b_term and i not in output]
    rows = [i for i in a_term if i not in b_term]
    columns = [i for i in b_term if i not in a_term]
    size: dict[str, Any] = dict(zip(a_term, a.shape, strict=True)) | dict(zip(b_term, b.shape, strict=True))

    def grouped(x: Tensor, term: str, *groups: list[str]) -> Tensor:
        order = [i for group in groups for i in group]
        return _arrange(x, list(term), order).reshape(tuple(product(size[i] for i in group) for group in groups))

    y = grouped(a, a_term, batch, rows, summed) @ grouped(b, b_term, batch, summed, columns)
    indices = [*batch, *rows, *columns]
    return _arrange(y.reshape(tuple(size[i] for i in indices)), indices, output)


def _sum_out(x: Tensor, term: str, wanted: str) -> Tensor:
    """Sums over the indices that nobody else wants."""
    axes = tuple(k for k, i in enumerate(term) if i not in wanted)
    return x.sum(axes) if axes else x


def _arrange(x: Tensor, indices: Any, order: Any) -> Tensor:
    """Brings the axes of x, named by `indices`, into an order."""
    return x.transpose(tuple(indices.index(i) for i in order)) if x.ndim > 1 else x
