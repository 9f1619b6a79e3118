"""The names that the printed text of a net defines and `loops` uses; here they have no use but to say what they are."""

from __future__ import annotations

from typing import Any

BLOCKS = 1
"""The number of blocks."""
SIZE = 1
"""The number of cells in a block."""
CELLS = BLOCKS * SIZE
GATES = 2
"""The number of gates of a block: 2, or 1 without output gates."""
HIDDEN = CELLS + GATES * BLOCKS
"""The number of columns of the hidden weights: input gates, cells, output gates."""
RECURRENT = HIDDEN
"""The number of rows of the hidden weights that belong to recurrent sources: cells, input gates, output gates."""
SIGNAL = RECURRENT
"""The number of these that carry a signal."""
SHORTCUTS = False
"""Whether the outputs read the inputs."""
START = 0.0
"""The activation of the sources before the first step."""
FULL = False
"""Whether the gradient is the full one."""
LANES = 4
"""CELLS, rounded up to a multiple of four: the length of loops over cells, which the compiler turns into vectors."""
WIDTH = 4
"""HIDDEN, rounded up likewise: the number of columns of the hidden weights."""


def compiled(what: str) -> Any:
    """Return the decorator of functions that Python calls; `what` names the function in a message."""
    return noalias


def noalias(function: Any) -> Any:
    """Compile a function of arrays that do not overlap; it is inlined."""
    return function


inlined = helper = noalias


def sigma(z: Any) -> Any:
    """σ(z)"""


def dsigma(dy: Any, y: Any) -> Any:
    """The gradient of z, where y = σ(z)."""


def new_cache() -> Any:
    """Return the arrays of the cache, a tuple; each has a number for each cell."""


def run_cells(
    z_in: Any, z_g: Any, z_out: Any, c: Any, h: Any, y_in: Any, y_out: Any, dc_in: Any, dc_g: Any, *cache: Any
) -> None:
    """Run all cells and their gates: c, h, y_in and y_out get new values, dc_in and dc_g ∂c/∂z_in and ∂c/∂z_g."""


def cell_gradients(
    dh: Any, dc: Any, dy_in: Any, dy_out: Any, dz_in: Any, dz_g: Any, dz_out: Any, dc_old: Any, *cache: Any
) -> None:
    """Compute the gradients of all cells, dz_in, dz_g, dz_out and dc_old, from those of the new states."""
