"""A cell's step as the two Python functions that run it on any array namespace."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from minigrad.engine import registry
from minigrad.recurrent.description import Description, Product
from minigrad.recurrent.formulas import Formulas

HELPERS = {
    "Cache": "Cache(…): the arrays saved for the backward pass",
    "_same": "_same(v): v, which the gradient of an inner matrix is multiplied with",
    "_no_gradient": "_no_gradient(v): zeros of v's shape",
    "_zeros": "_zeros(v, width): zeros of that width, one row for each row of v",
    "_h_masks": "_h_masks: the masks of the recurrent dropout",
    "_masks": "_masks(masks, a, b): masks a to b, those of one product",
    "_product": "_product(h, U, masks, n): h U of n columns, h under its dropout masks",
    "_product_dx": "_product_dx(dz, U, masks, n): dz Uᵀ of n columns, under the same masks",
    "_parts": "_parts(z, widths): z split into columns of these widths",
    "_spread": "_spread(v, width): each number of v repeated for all units of its block",
    "_summed": "_summed(dv, width): the gradient of _spread, the sum over each block",
    "_first": "_first(v, width): the first number of each block",
    "_into_first": "_into_first(dv, width): the gradient of _first",
}
"""The names in the text that are neither in the cell's equations nor functions of the array namespace."""


def python(cell: Formulas, weights: tuple[Any, ...] | None = None) -> str:
    """Return the text of `step` and `step_backward` under a heading that explains the names in it.

    Args:
        cell: the formulas of a cell.
        weights: in the cell's order, None for those that it does not have; by default it has all of them.
    """
    given = (True,) * len(cell.whole.weights) if weights is None else weights
    text = "\n\n".join(ast.unparse(definition) for definition in cell.definitions(registry.current(), given)) + "\n"
    heading = [
        f"# {cell.name}: one time step, and its backward pass, as functions of arrays",
        f"# sigma is {cell.recurrent_activation.__name__}; phi is {cell.activation.__name__}",
        *(f"# {line}" for line in _legend(cell.description(given), text)),
    ]
    return "\n".join([*heading, "", text])


def _legend(d: Description, text: str) -> Iterator[str]:
    """A line for each name in the text that is not a name of the equations."""
    used = set(re.findall(r"\w+", text))
    of_x = [p for p in d.products if any(term.source == "x" for term in p.terms)]
    for k, p in enumerate(of_x):
        name = "_z" if len(of_x) == 1 else f"_z{k}"
        yield f"{name}: {_of_x(p)}, computed for all time steps at once, before the loop over them"
    for k, p in enumerate(d.products):
        yield f"_dz{k}: {'the gradients' if len(p.columns) > 1 else 'the gradient'} of {', '.join(p.columns)}"
    yield from (line for name, line in HELPERS.items() if name in used)
    if re.search(r"\b_\d+\b", text):
        yield "_1, _2, …: parts of an equation that have no name"
    if ", None)" in text:
        yield "None in dsigma and dphi: this derivative is computed from y alone, and needs no z"


def _of_x(p: Product) -> str:
    return " + ".join([*(f"x {term.matrix}" for term in p.terms if term.source == "x"), *([p.bias] if p.bias else [])])
