"""The names that the printed text of a net of 2000 defines and `loops` uses; here they only say what they are."""

from __future__ import annotations

from typing import Any

BLOCKS, SIZE, CELLS = 4, 2, 8
"""The number of blocks, of cells in a block, of all cells."""
INPUTS, ROWS, HIDDEN = 7, 16, 20
"""The number of inputs, and the numbers of rows and columns of the hidden weights."""
CELLS_AT, OUT_AT, FORGET_AT = 4, 12, 16
"""The first columns of the cells, of the output gates and of the forget gates; input gates have the first ones."""
FORGET = True
"""Whether there are forget gates."""


def compiled(what: str) -> Any:
    """Return the decorator of functions that Python calls; `what` names the function in a message."""
    return noalias


def noalias(function: Any) -> Any:
    """Compile a function of arrays that do not overlap; it is inlined."""
    return function


helper = noalias


def sigma(z: Any) -> Any:
    """σ(z)"""


def dsigma(dy: Any, y: Any) -> Any:
    """The gradient of z, where y = σ(z)."""


def new_cache() -> Any:
    """Return the arrays of the cache, a tuple; each has a number for each cell."""


def run_cells(z_in: Any, z_g: Any, z_out: Any, z_f: Any, c: Any, h: Any, slopes: Any, *cache: Any) -> None:
    """Run all cells: c and h get new values; slopes ∂c/∂z_in, ∂c/∂z_g, ∂c/∂z_f and ∂c/∂c of the step before."""


def cell_gradients(dh: Any, dz_out: Any, dc: Any, *cache: Any) -> None:
    """Compute dz_out, and ∂loss/∂c of the new states, from the gradients of the cells' outputs."""
