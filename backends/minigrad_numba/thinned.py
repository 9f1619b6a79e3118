"""Dropout with a mask of its own for each column: a product is written as several, one for each column.

    z_i, z_f = x W + h U + b      becomes      z_i = (x ∘ mask_i) W_i + …      z_f = (x ∘ mask_f) W_f + …

One mask for all columns needs none of this: it thins x before the loop, or h before the product.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Piece(NamedTuple):
    """The columns, and the weight they are cut from, of a weight of the new description.

    Attributes:
        weight: its place among the weights of the old description.
        columns: the columns of its product.
        at: which of these it is; None for all of them.
    """

    weight: int
    columns: tuple[str, ...]
    at: int | None


class Thinned(NamedTuple):
    """A description in which each product has at most one mask of x and one of the output state.

    Attributes:
        d: the description.
        weights: for each of its weights, where it comes from.
        x: for each product, its mask of x; None where x is not thinned, or thinned by the one mask for all.
        h: likewise of the output state.
        inner: likewise for each inner product.
    """

    d: Any
    weights: tuple[Piece, ...]
    x: tuple[int | None, ...]
    h: tuple[int | None, ...]
    inner: tuple[int | None, ...]


def thinned(d: Any, x_masks: int, h_masks: int) -> Thinned:
    """Returns the description for these numbers of masks."""
    products, x, h, pieces = [], list[int | None](), list[int | None](), dict[str, Piece]()
    old = list(d.weights)
    first_x = first_h = 0
    for p in d.products:
        reads_x, reads_h = (any(t.source == s for t in p.terms) for s in ("x", d.output))
        parts = _columns(p, old) if (x_masks > 1 and reads_x) or (h_masks > 1 and reads_h) else None
        for k, (part, own) in enumerate(parts or [(p, _whole(p, old))]):
            products.append(part)
            pieces |= own
            x.append(first_x + k if x_masks > 1 and reads_x else None)
            h.append((first_h + k if h_masks > 1 else 0) if h_masks and reads_h else None)
        first_x += len(p.columns) * reads_x
        first_h += len(p.columns) * reads_h
    inner: list[int | None] = []
    for i in d.inner:
        inner.append((first_h if h_masks > 1 else 0) if h_masks and i.recurrent else None)
        first_h += i.recurrent
    new = d._replace(products=tuple(products))
    others = {name: Piece(old.index(name), (), None) for name in new.weights if name not in pieces}
    return Thinned(new, tuple((pieces | others)[name] for name in new.weights), tuple(x), tuple(h), tuple(inner))


def _whole(p: Any, old: list[str]) -> dict[str, Piece]:
    names = [*(t.matrix for t in p.terms), *([p.bias] if p.bias else [])]
    return {name: Piece(old.index(name), p.columns, None) for name in names}


def _columns(p: Any, old: list[str]) -> list[tuple[Any, dict[str, Piece]]]:
    """A product as one for each column; a column's weight is called after both, ``W_z_i``."""
    found = []
    for k, column in enumerate(p.columns):

        def own(name: str, column: str = column) -> str:
            return f"{name}:{column}"  # no name of the equations has a colon

        terms = tuple(t._replace(matrix=own(t.matrix)) for t in p.terms)
        part = p._replace(columns=(column,), terms=terms, bias=own(p.bias) if p.bias else "")
        weights = {own(name): piece._replace(at=k) for name, piece in _whole(p, old).items()}
        found.append((part, weights))
    return found
