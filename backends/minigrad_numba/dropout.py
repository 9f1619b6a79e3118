"""Dropout with a separate mask for each column: a product is split into one product for each column.

    z_i, z_f = x W + h U + b      becomes      z_i = (x ∘ mask_i) W_i + …      z_f = (x ∘ mask_f) W_f + …

One mask for all columns needs no split: it multiplies x before the loop, or h before the product.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class WeightPart(NamedTuple):
    """A weight of the new description as a column of a weight of the original description.

    Attributes:
        weight: the index of the original weight.
        columns: the columns of its product.
        at: the index of the column; None for all columns.
    """

    weight: int
    columns: tuple[str, ...]
    at: int | None


class WithDropout(NamedTuple):
    """A description in which each product has at most one mask of x and one of the output state.

    Attributes:
        d: the description.
        weights: for each of its weights, the part of an original weight.
        x: for each product, the number of its mask of x; None without dropout of x, or with one mask for all.
        h: for each product, the number of its mask of the output state.
        inner: for each inner product, the number of its mask of the output state.
    """

    d: Any
    weights: tuple[WeightPart, ...]
    x: tuple[int | None, ...]
    h: tuple[int | None, ...]
    inner: tuple[int | None, ...]


def with_dropout(d: Any, x_masks: int, h_masks: int) -> WithDropout:
    """Return the description for these numbers of masks."""
    products, x, h, parts_of = [], list[int | None](), list[int | None](), dict[str, WeightPart]()
    weights = list(d.weights)
    first_x = first_h = 0
    for p in d.products:
        reads_x, reads_h = (any(t.source == s for t in p.terms) for s in ("x", d.output))
        split = _columns(p, weights) if (x_masks > 1 and reads_x) or (h_masks > 1 and reads_h) else None
        for k, (part, named_parts) in enumerate(split or [(p, _whole_weights(p, weights))]):
            products.append(part)
            parts_of |= named_parts
            x.append(first_x + k if x_masks > 1 and reads_x else None)
            h.append((first_h + k if h_masks > 1 else 0) if h_masks and reads_h else None)
        first_x += len(p.columns) * reads_x
        first_h += len(p.columns) * reads_h
    inner: list[int | None] = []
    for i in d.inner:
        inner.append((first_h if h_masks > 1 else 0) if h_masks and i.recurrent else None)
        first_h += i.recurrent
    new = d._replace(products=tuple(products))
    others = {name: WeightPart(weights.index(name), (), None) for name in new.weights if name not in parts_of}
    return WithDropout(new, tuple((parts_of | others)[name] for name in new.weights), tuple(x), tuple(h), tuple(inner))


def _whole_weights(p: Any, weights: list[str]) -> dict[str, WeightPart]:
    names = [*(t.matrix for t in p.terms), *([p.bias] if p.bias else [])]
    return {name: WeightPart(weights.index(name), p.columns, None) for name in names}


def _columns(p: Any, weights: list[str]) -> list[tuple[Any, dict[str, WeightPart]]]:
    """Split a product into one for each column; the weight of a column is named after both, ``W:z_i``."""
    split = []
    for k, column in enumerate(p.columns):

        def of_column(name: str, column: str = column) -> str:
            return f"{name}:{column}"  # no name of the equations has a colon

        terms = tuple(t._replace(matrix=of_column(t.matrix)) for t in p.terms)
        product = p._replace(columns=(column,), terms=terms, bias=of_column(p.bias) if p.bias else "")
        parts = {of_column(name): part._replace(at=k) for name, part in _whole_weights(p, weights).items()}
        split.append((product, parts))
    return split
