"""A cell's step on a GPU as a program: its arrays, its kernels, and the order in which they are launched.

A step alternates matrix products, which cuBLAS computes, and elementwise kernels with one thread for each number of a
row. No line of a cell mixes values of different widths, so each width has a separate kernel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

UNITS = "units"


class ArraySpec(NamedTuple):
    """One array of a sequence.

    Attributes:
        name: its name in the kernels.
        widths: the widths of its columns, which are concatenated.
        time: the number of steps it holds: "steps" means every step, (time, batch, …); "states" one step more; "two"
            the last two; "one" a single step, (batch, …). A "weight" is (width,).
    """

    name: str
    widths: tuple[str, ...]
    time: str


class Argument(NamedTuple):
    """An array at a step: at t, or with `step` = 1 at t + 1."""

    array: str
    step: int = 0


class KernelLaunch(NamedTuple):
    """The launch of a kernel.

    Attributes:
        name: the name of the function in the text.
        width: the number of threads for each row, by name.
        arguments: the arrays, passed first.
        options: the numbers, passed next; the mask of the step and the batch size follow.
        widths: the widths, passed last.
    """

    name: str
    width: str
    arguments: tuple[Argument, ...]
    options: tuple[str, ...]
    widths: tuple[str, ...]


class Gemm(NamedTuple):
    """out = a · matrix, or a · matrixᵀ if `transposed`; out += … if `adds`."""

    a: Argument
    matrix: str
    out: Argument
    transposed: bool
    adds: bool


class Program(NamedTuple):
    """A cell's step, forward and backward, and the arrays for the products before and after the loop.

    Attributes:
        description: the cell, with its products split where each column has a separate dropout mask.
        text: the complete CUDA source.
        arrays: all arrays of a sequence, by name.
        products: for each product of the description, the array of its columns, and that of their gradients.
        states: for each state, the array of its values, and that of its gradients.
        sources: for each inner product, the arrays of its source and of the gradient of its result.
        sums: (parameter, the array that sums its gradient over the steps).
        weights: (parameter, its array).
        dropout_masks: (number, its array) of the recurrent dropout masks.
        dropped: for each product, the array of the output after dropout that it reads, or "".
        forward: the launches of a step, in order.
        backward: the launches of a step of the backward pass, in order.
    """

    description: Any
    text: str
    arrays: dict[str, ArraySpec]
    products: tuple[tuple[str, str], ...]
    states: tuple[tuple[str, str], ...]
    sources: tuple[tuple[str, str], ...]
    sums: tuple[tuple[str, str], ...]
    weights: tuple[tuple[str, str], ...]
    dropout_masks: tuple[tuple[int, str], ...]
    dropped: tuple[str, ...]
    forward: tuple[KernelLaunch | Gemm, ...]
    backward: tuple[KernelLaunch | Gemm, ...]
