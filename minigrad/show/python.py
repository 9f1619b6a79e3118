"""A cell's step as the two Python functions that run it on any array namespace."""

from __future__ import annotations

import ast
from typing import Any

from minigrad.engine import registry
from minigrad.recurrent.formulas import Formulas


def python(cell: Formulas, weights: tuple[Any, ...] | None = None) -> str:
    """Returns the text of `step` and `step_backward`: the products, and the lines of the bodies.

    Args:
        cell: the formulas of a cell.
        weights: in the cell's order, None for those that it does not have; by default it has all of them.
    """
    given = (True,) * len(cell.whole.weights) if weights is None else weights
    return "\n\n".join(ast.unparse(definition) for definition in cell.definitions(registry.current(), given)) + "\n"
