"""The numbers of weights of Sak, Senior and Beaufays, 2014, counted on minigrad's layers.

The paper gives W = 4 n_c n_i + 4 n_c n_r + 3 n_c + n_r n_c + n_o n_r for one layer of n_c cells with n_i inputs, whose
projection has n_r numbers, and n_o outputs: three peepholes for each cell, no biases. A further layer reads the
projection of the layer below. Without a projection n_r is n_c. The layers are built here and their weights counted;
nothing is trained, as the paper's speech is not public.

Source: Sak, Senior and Beaufays, 2014, "Long Short-Term Memory Recurrent Neural Network Architectures for Large Scale
Acoustic Modeling", Table 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from minigrad.layers.core import Dense
from minigrad.layers.equation_cell import EquationCell
from minigrad.layers.rnn import RNN
from minigrad.papers.text_tables import text_table
from minigrad.recurrent import LSTMP
from minigrad.train.command_line import Parser

INPUTS, OUTPUTS = 40, 14_247
"""The energies of the filter banks in a frame, and the states of the phones' models."""
EMPTY = {"use_bias": False, "dtype": "float16", "kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
HEAD = ("cells", "projection", "layers", "printed", "counted", "agrees")


class Row(NamedTuple):
    """A row of the table.

    Attributes:
        cells: the memory cells of a layer.
        projection: the size of its projection, or None without one.
        layers: the number of recurrent layers.
        printed: the number of weights in the table, in millions.
    """

    cells: int
    projection: int | None
    layers: int
    printed: int


ROWS = (
    Row(840, None, 5, 37),
    Row(440, None, 5, 13),
    Row(600, None, 2, 13),
    Row(385, None, 7, 13),
    Row(750, None, 1, 13),
    Row(6000, 800, 1, 36),
    Row(2048, 512, 2, 22),
    Row(1024, 512, 3, 20),
    Row(1024, 512, 2, 15),
    Row(800, 512, 2, 13),
    Row(2048, 512, 1, 13),
)


def layers_of(row: Row) -> Iterator[RNN | Dense]:
    """Yield the layers of a row, each built; only one is in memory at a time."""
    width, absent = INPUTS, {} if row.projection else {"P": None}
    for _ in range(row.layers):
        layer = RNN(EquationCell(LSTMP, row.cells, outputs=row.projection or row.cells, **EMPTY, **absent))
        layer.build((None, None, width))
        yield layer
        width = row.projection or row.cells
    output = Dense(OUTPUTS, use_bias=False, dtype="float16", kernel_initializer="zeros")
    output.build((1, width))
    yield output


def counted(row: Row) -> int:
    """Return the number of weights of a row's layers.

    >>> counted(Row(750, None, 1, 13))
    13057500
    """
    return sum(weight.size for layer in layers_of(row) for weight in layer.trainable_weights)


def agreement(row: Row, weights: int) -> str:
    """Return whether the printed number of millions is the counted one, rounded or cut off.

    >>> agreement(Row(840, None, 5, 37), 37_516_080), agreement(Row(440, None, 5, 13), 13_317_480)
    ('cut off', 'rounded')
    """
    found = {"rounded": round(weights / 1e6), "cut off": weights // 1_000_000}
    return next((how for how, millions in found.items() if millions == row.printed), "no")


def cells(row: Row) -> tuple[str, ...]:
    """Return a row's texts, in the order of `HEAD`."""
    weights = counted(row)
    size = "–" if row.projection is None else str(row.projection)
    return (str(row.cells), size, str(row.layers), f"{row.printed} M", f"{weights:,}", agreement(row, weights))


def table() -> str:
    """Return the table as plain text."""
    return text_table(HEAD, map(cells, ROWS))


def main(arguments: Sequence[str]) -> int:
    """Print the table, and return 0."""
    Parser("papers sak14", description="Count the weights of Table 1 on minigrad's layers.").read(arguments)
    print(table())
    print("\nrounded, cut off: how the printed number of millions follows from the counted one.")
    return 0
