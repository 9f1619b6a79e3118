"""A cell's step on a GPU as a plan: its arrays, and the order of its products and kernels.

A step is products, which cuBLAS makes, and between them elementwise kernels, one thread for each number of a row. Lines
of different widths never meet, so each width has a kernel of its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

UNITS = "units"


class Array(NamedTuple):
    """One array of a sequence.

    Attributes:
        name: what kernels call it.
        widths: of its columns, which stand side by side.
        time: how many steps it holds: "steps" is each (time, batch, …), "states" one more, "two" the last two, "one" a
            single step, (batch, …); a "weight" is (width,).
    """

    name: str
    widths: tuple[str, ...]
    time: str


class Argument(NamedTuple):
    """An array at a step: at t, or with `step` = 1 at t + 1."""

    array: str
    step: int = 0


class Kernel(NamedTuple):
    """A launch.

    Attributes:
        name: of the function in the text.
        width: one thread for each of so many numbers of each row.
        arguments: the arrays that it is handed.
        options: the numbers that it is handed after them; then come the mask's row, and the batch.
        widths: the widths that it is handed last.
    """

    name: str
    width: str
    arguments: tuple[Argument, ...]
    options: tuple[str, ...]
    widths: tuple[str, ...]


class Multiply(NamedTuple):
    """out = a matrix, or a matrixᵀ; added to what is there with `adds`."""

    a: Argument
    matrix: str
    out: Argument
    transposed: bool
    adds: bool


class Plan(NamedTuple):
    """A cell's step, forward and backward, and what is left for the time before and after the loop.

    Attributes:
        description: the cell, its products taken apart where each column has a dropout mask of its own.
        text: CUDA, complete.
        arrays: all arrays of a sequence, by name.
        products: for each product of the description, the array of its columns, and that of their gradients.
        states: for each state, the array of its values, and that of its gradients.
        sources: for each inner product, the arrays of its source, and of the gradient of what it makes.
        sums: (parameter, the array in which its gradient is summed over the steps).
        weights: (parameter, the array for it).
        masks: (number, the array for it) of the recurrent dropout masks.
        thins: for each product, the array of the thinned output that it sees, or "".
        forward: what a step does, in order.
        backward: likewise.
    """

    description: Any
    text: str
    arrays: dict[str, Array]
    products: tuple[tuple[str, str], ...]
    states: tuple[tuple[str, str], ...]
    sources: tuple[tuple[str, str], ...]
    sums: tuple[tuple[str, str], ...]
    weights: tuple[tuple[str, str], ...]
    masks: tuple[tuple[int, str], ...]
    thins: tuple[str, ...]
    forward: tuple[Kernel | Multiply, ...]
    backward: tuple[Kernel | Multiply, ...]
