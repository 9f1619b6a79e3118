"""Recurrent dropout: which mask thins the output for which product.

With one mask all products see the same thinned output. With one for each column, a product of several columns is taken
apart into products of one column each, whose matrices are columns of the whole: ``U:2`` are those of U's third.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Thinned(NamedTuple):
    """A cell with its masks shared out.

    Attributes:
        d: the description, its products taken apart where they must be.
        products: for each product the number of its mask, or None.
        inner: likewise for each inner product.
    """

    d: Any
    products: tuple[int | None, ...]
    inner: tuple[int | None, ...]


def thinned(d: Any, h_masks: int) -> Thinned:
    """Returns a cell with its recurrent dropout masks shared out.

    Args:
        d: `minigrad.recurrent.description.Description`.
        h_masks: how many there are: 0, 1 for all, or one for each column and each recurrent inner product.
    """
    products, masks, count = [], list[int | None](), 0
    for p in d.products:
        if not h_masks or all(t.source != d.output for t in p.terms):
            products.append(p)
            masks.append(None)
        elif h_masks == 1 or len(p.columns) == 1:
            products.append(p)
            masks.append(count if h_masks > 1 else 0)
            count += 1
        else:
            products += [_column(p, j) for j in range(len(p.columns))]
            masks += range(count, count + len(p.columns))
            count += len(p.columns)
    inner: list[int | None] = []
    for i in d.inner:
        inner.append((count if h_masks > 1 else 0) if h_masks and i.recurrent else None)
        count += i.recurrent
    return Thinned(d._replace(products=tuple(products)), tuple(masks), tuple(inner))


def _column(p: Any, j: int) -> Any:
    """One column of a product."""
    terms = tuple(t._replace(matrix=f"{t.matrix}:{j}") for t in p.terms)
    return p._replace(columns=(p.columns[j],), terms=terms, bias=p.bias and f"{p.bias}:{j}")
