"""Reductions. `axis` is an int, a tuple of ints, or None for all; with `keepdims` reduced axes stay, with length 1."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod as product

from minigrad.engine.arguments import flag
from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import is_half
from minigrad.engine.errors import ShapeError, shown
from minigrad.engine.functional.elementwise import real
from minigrad.engine.functional.half import narrowed, widened
from minigrad.engine.ops import logic, reduction
from minigrad.engine.ops.axes import axes_of, read_axis
from minigrad.engine.protocol import Axis
from minigrad.engine.tensor import Tensor, TensorLike, apply


def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001  (NumPy's names)
    """Σ x"""
    keepdims = flag("sum: `keepdims`", keepdims)
    return apply(reduction.Sum, x, axis=read_axis(axis, "sum"), keepdims=keepdims)


def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Σ x / n"""
    keepdims = flag("mean: `keepdims`", keepdims)
    x = as_tensor(x, None, "mean: `x`")
    if is_half(x.dtype):
        return narrowed(mean(widened(x), axis, keepdims), x)
    axes = axes_of(axis, x.ndim, "mean")
    count = product([x.shape[a] for a in axes])
    return apply(reduction.Sum, x, axis=axes, keepdims=keepdims) / float(count)


def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Σ (x − mean)² / n"""
    keepdims = flag("var: `keepdims`", keepdims)
    x = as_tensor(x, None, "var: `x`")
    distance = widened(x) - mean(widened(x), axis, True)
    return narrowed(mean(distance * distance, axis, keepdims), x)


def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Π x. Its gradient holds where factors are 0 too, at the price of n² products of n factors."""
    keepdims = flag("prod: `keepdims`", keepdims)
    y = as_tensor(x, None, "prod: `x`")
    for a in sorted(axes_of(axis, y.ndim, "prod"), reverse=True):
        y = apply(reduction.Prod, y, axis=a, keepdims=keepdims)
    return y


def max(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """The largest; those that share the first place share the gradient."""
    keepdims = flag("max: `keepdims`", keepdims)
    return apply(reduction.Max, x, axis=read_axis(axis, "max"), keepdims=keepdims)


def min(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """The smallest; those that share the first place share the gradient."""
    keepdims = flag("min: `keepdims`", keepdims)
    return apply(reduction.Min, x, axis=read_axis(axis, "min"), keepdims=keepdims)


def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """Whether all are true."""
    keepdims = flag("all: `keepdims`", keepdims)
    return apply(logic.All, x, axis=read_axis(axis, "all"), keepdims=keepdims)


def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """Whether any is true."""
    keepdims = flag("any: `keepdims`", keepdims)
    return apply(logic.Any, x, axis=read_axis(axis, "any"), keepdims=keepdims)


def argmax(x: TensorLike, axis: int | None = None) -> Tensor:
    """The position of the largest along an axis, or among all; integers, through which no gradient passes."""
    return apply(logic.ArgMax, x, axis=read_axis(axis, "argmax"))


def cumsum(x: TensorLike, axis: int | None = None) -> Tensor:
    """yₜ = Σ_{s≤t} xₛ along an axis, or over all numbers in their order."""
    x = as_tensor(x, None, "cumsum: `x`")
    return apply(reduction.CumSum, x, axis=read_axis(axis, "cumsum")) if axis is not None else cumsum(x.reshape(-1), 0)


def logsumexp(x: TensorLike, axis: Axis = -1, keepdims: bool = False) -> Tensor:
    """ln Σ eˣ over the axes, without overflow."""
    keepdims = flag("logsumexp: `keepdims`", keepdims)
    x = real(x, "logsumexp")
    if is_half(x.dtype):
        return narrowed(logsumexp(widened(x), axis, keepdims), x)
    return apply(reduction.LogSumExp, x, axis=read_axis(axis, "logsumexp"), keepdims=keepdims)


def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """eˣ / Σ eˣ along an axis."""
    x = real(x, "softmax")
    if is_half(x.dtype):
        return narrowed(softmax(widened(x), axis), x)
    return apply(reduction.Softmax, x, axis=read_axis(axis, "softmax"))


def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """x − ln Σ eˣ along an axis."""
    x = real(x, "log_softmax")
    if is_half(x.dtype):
        return narrowed(log_softmax(widened(x), axis), x)
    return apply(reduction.LogSoftmax, x, axis=read_axis(axis, "log_softmax"))


def einsum(subscripts: str, *operands: TensorLike) -> Tensor:
    """A sum of products, as NumPy's, e.g. ``einsum("btd,dh->bth", x, w)``: one or two operands, no ellipsis.

    Computed by transpose, reshape and one matrix product, whose gradients give its gradient.

    Raises:
        ShapeError: the subscripts are of another kind, or do not fit the operands.
    """
    if not isinstance(subscripts, str):
        raise ShapeError(f'einsum: expected subscripts such as "ij,jk->ik" first, got {shown(subscripts)}.')
    tensors = [as_tensor(x, None, f"einsum: `operands[{k}]`") for k, x in enumerate(operands)]
    terms, output, size = _subscripts(subscripts, [x.shape for x in tensors])
    a, a_term = tensors[0], terms[0]
    if len(terms) == 1:
        return _arrange(_sum_out(a, a_term, output), [i for i in a_term if i in output], output)
    b, b_term = tensors[1], terms[1]
    a, b = _sum_out(a, a_term, b_term + output), _sum_out(b, b_term, a_term + output)
    batch = [i for i in a_term if i in b_term and i in output]
    summed = [i for i in a_term if i in b_term and i not in output]
    rows = [i for i in a_term if i not in b_term and i in output]
    columns = [i for i in b_term if i not in a_term and i in output]

    def grouped(x: Tensor, term: str, *groups: list[str]) -> Tensor:
        order = [i for group in groups for i in group]
        here = [i for i in term if i in order]
        return _arrange(x, here, order).reshape(tuple([product([size[i] for i in group]) for group in groups]))

    y = grouped(a, a_term, batch, rows, summed) @ grouped(b, b_term, batch, summed, columns)
    indices = [*batch, *rows, *columns]
    return _arrange(y.reshape(tuple([size[i] for i in indices])), indices, output)


def _subscripts(subscripts: str, shapes: Sequence[tuple[int, ...]]) -> tuple[list[str], str, dict[str, int]]:
    """Return the indices of the operands and of the result, and the length of each index, for ``"ij,jk->ik"``."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    once = [len(set(term)) == len(term) for term in [*terms, output]]
    unknown = set(output) - set(inputs)
    if not arrow or "." in subscripts or len(terms) != len(shapes) or len(terms) > 2 or False in once or unknown:
        raise ShapeError(
            f"einsum: expected subscripts such as 'ij,jk->ik' for {len(shapes)} operands (at most two), an arrow, no "
            f"ellipsis and no index twice in a term, got {shown(subscripts)}."
        )
    size: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        if len(term) != len(shape) or [size.setdefault(i, n) for i, n in zip(term, shape, strict=True)] != list(shape):
            given = " and ".join(map(str, shapes))
            raise ShapeError(f"einsum: the subscripts {subscripts!r} do not fit operands of shape {given}.")
    return terms, output, size


def _sum_out(x: Tensor, term: str, wanted: str) -> Tensor:
    """Return the sum over the indices that no other term has."""
    axes = tuple([k for k, i in enumerate(term) if i not in wanted])
    return x.sum(axes) if axes else x


def _arrange(x: Tensor, indices: Sequence[str], order: Sequence[str]) -> Tensor:
    """Return x with its axes, named by `indices`, in another order."""
    return x.transpose(tuple([indices.index(i) for i in order])) if x.ndim > 1 else x
