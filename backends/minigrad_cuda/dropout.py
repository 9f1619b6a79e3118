"""Recurrent dropout: the assignment of masks to products.

With one mask, all products read the same output after dropout. With a mask for each column, a product of several
columns is split into products of one column each. Their matrices are columns of the whole: ``U:2`` is U's third.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class WithDropout(NamedTuple):
    """A cell with a recurrent dropout mask assigned to each product.

    Attributes:
        d: the description, with its products split where needed.
        products: for each product, the number of its mask, or None.
        inner: for each inner product, the number of its mask, or None.
    """

    d: Any
    products: tuple[int | None, ...]
    inner: tuple[int | None, ...]


def with_dropout(d: Any, h_masks: int) -> WithDropout:
    """Return a cell with its recurrent dropout masks assigned.

    Args:
        d: `minigrad.recurrent.description.Description`.
        h_masks: the number of masks: 0, 1 for all, or one for each column and each recurrent inner product.
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
    return WithDropout(d._replace(products=tuple(products)), tuple(masks), tuple(inner))


def _column(p: Any, j: int) -> Any:
    """Return the product of one column."""
    terms = tuple(t._replace(matrix=f"{t.matrix}:{j}") for t in p.terms)
    return p._replace(columns=(p.columns[j],), terms=terms, bias=p.bias and f"{p.bias}:{j}")
