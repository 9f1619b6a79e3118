"""Equations of cells as displayed formulas, by `minigrad.show.latex`, from the source that runs."""

from __future__ import annotations

from collections.abc import Callable

from minigrad.compat.v1.nn import rnn_cell
from minigrad.layers.cell import Cell
from minigrad.recurrent import LSTMP, Equations, GRUResetBefore, SimpleRNN
from minigrad.show import latex

FIRST = {  # cells of the first generation, which have no attribute `equations`
    rnn_cell.BasicLSTMCell: LSTMP,
    rnn_cell.BasicRNNCell: SimpleRNN,
    rnn_cell.GRUCell: GRUResetBefore,
    rnn_cell.LSTMCell: LSTMP,
}


def equations_of(described: object) -> type[Equations] | None:
    """Return the equations of a cell, or of a layer's cell with its default options; None for anything else."""
    cell = getattr(described, "cell_class", None) or described
    if not isinstance(cell, type) or cell is Equations:
        return None
    if issubclass(cell, Equations):
        return cell
    if not issubclass(cell, Cell | rnn_cell.RNNCell):
        return None
    if cell in FIRST:
        return FIRST[cell]
    given = getattr(cell, "equations", None)
    if isinstance(given, property):  # the GRU's depend on an option
        given = cell(1).equations
    return given if isinstance(given, type) and issubclass(given, Equations) else None


def forward(equations: type[Equations]) -> str:
    """Return the products and the forward equations of a cell, a displayed formula each."""
    return "\n\n".join(map(_displayed, _blocks(equations)[:2]))


def backward(equations: type[Equations]) -> str:
    """Return the backward equations of a cell as a displayed formula."""
    return _displayed(_blocks(equations)[2])


def table(part: Callable[[type[Equations]], str], equations: type[Equations]) -> Callable[[], str]:
    """Return a function without arguments that writes one part of a cell's equations."""
    return lambda: part(equations)


def _blocks(equations: type[Equations]) -> list[str]:
    return latex(equations).split("\n\n")


def _displayed(block: str) -> str:
    return f"$$\n{block}\n$$"
