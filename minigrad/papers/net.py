"""A network of 1997 as data: its sizes, the number of its weights, and their first values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from minigrad.papers.equations import CellsAsSources, FullGradient, Net1997, WithoutOutputGate, WithoutRecurrence
from minigrad.recurrent.equations import Equations

Array = NDArray[np.float64]
Sources = Literal["all", "cells", "none"]
Biases = Literal["all", "gates", "none"]


@dataclass(frozen=True, kw_only=True)
class Net:
    """The sizes and conventions of a net.

    Attributes:
        inputs: the number of inputs.
        outputs: the number of output units; they are logistic, and read the memory cells of the same step.
        blocks: the number of blocks, each of which has an input gate and an output gate.
        size: the number of memory cells in a block.
        biases: the hidden units that have a bias: all, gates or none.
        output_biases: whether the outputs have biases.
        second_biases: whether hidden units have a second bias each, from the constant unit of the outputs' biases.
        shortcuts: whether the outputs read the inputs too.
        sources: the hidden units that cells and gates read: all of them, the cells, or none.
        output_gates: whether there are output gates; without them g is σ and h the identity.
        silent: whether the recurrent weights exist but carry no signal.
        full: whether the gradient is the full one rather than the truncated one.
        start: the activation of cells and gates before the first step. The cell states start at 0.
        g_max: the largest value of g.
        h_max: the largest value of h.
    """

    inputs: int
    outputs: int
    blocks: int
    size: int = 1
    biases: Biases = "all"
    output_biases: bool = True
    second_biases: bool = False
    shortcuts: bool = False
    sources: Sources = "all"
    output_gates: bool = True
    silent: bool = False
    full: bool = False
    start: float = 0.0
    g_max: float = 2.0
    h_max: float = 1.0

    @property
    def cells(self) -> int:
        """The number of memory cells."""
        return self.blocks * self.size

    @property
    def hidden(self) -> int:
        """The number of cells and gates."""
        return self.cells + self.blocks * (1 + self.output_gates)

    @property
    def recurrent(self) -> int:
        """The number of hidden units that cells and gates read."""
        return {"all": self.hidden, "cells": self.cells, "none": 0}[self.sources]

    @property
    def rows(self) -> int:
        """The number of rows of the hidden weights: inputs, recurrent sources, and one for the biases."""
        return self.inputs + self.recurrent + 1

    @property
    def output_rows(self) -> int:
        """The number of rows of the output weights: cells, inputs where there are shortcuts, and one for the biases."""
        return self.cells + self.inputs * self.shortcuts + 1

    @property
    def equations(self) -> type[Equations]:
        """The equations of its hidden units."""
        if not self.output_gates:
            return WithoutOutputGate
        if self.silent or self.sources == "none":
            return WithoutRecurrence
        if self.sources == "cells":
            return CellsAsSources
        return FullGradient if self.full else Net1997

    @property
    def columns(self) -> tuple[slice, slice, slice]:
        """The columns of the hidden weights that belong to the input gates, the cells and the output gates."""
        return (
            slice(0, self.blocks),
            slice(self.blocks, self.blocks + self.cells),
            slice(self.blocks + self.cells, self.hidden),
        )

    def present(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which of the hidden and of the output weights exist: the rows of biases are filled in part."""
        hidden = np.ones((self.rows, self.hidden), bool)
        of_input_gates, of_cells, of_output_gates = self.columns
        hidden[-1, of_cells] = self.biases == "all"
        hidden[-1, of_input_gates] = hidden[-1, of_output_gates] = self.biases != "none"
        output = np.ones((self.output_rows, self.outputs), bool)
        output[-1] = self.output_biases
        return hidden, output

    @property
    def weights(self) -> int:
        """The number of weights, counted; the papers print it.

        >>> Net(inputs=2, outputs=1, blocks=2, size=2).weights  # the adding problem
        93
        """
        second = np.count_nonzero(self.present()[0][-1]) * self.second_biases
        return int(second + sum(np.count_nonzero(part) for part in self.present()))


@dataclass(frozen=True, kw_only=True)
class Start:
    """The distribution of the first weights.

    Attributes:
        width: weights are uniform in [−width, width].
        input_gates: the bias of each block's input gate; empty for random ones.
        output_gates: likewise for the output gates.
        added: whether the given biases are added to random numbers rather than put in their place.
    """

    width: float
    input_gates: tuple[float, ...] = ()
    output_gates: tuple[float, ...] = ()
    added: bool = False

    def draw(self, net: Net, random: np.random.Generator) -> tuple[Array, Array]:
        """Return the hidden weights (rows, hidden) and the output weights (output rows, outputs) of a new net."""
        hidden = random.uniform(-self.width, self.width, (net.rows, net.hidden))
        output = random.uniform(-self.width, self.width, (net.output_rows, net.outputs))
        of_input_gates, _, of_output_gates = net.columns
        for columns, biases in ((of_input_gates, self.input_gates), (of_output_gates, self.output_gates)):
            if biases:
                hidden[-1, columns] = hidden[-1, columns] * self.added + _of_blocks(biases, net.blocks)
        if net.second_biases:  # a sum of two weights of one source is one weight, which learns at twice the rate
            hidden[-1] += random.uniform(-self.width, self.width, net.hidden)
        return tuple(np.where(there, w, 0.0) for there, w in zip(net.present(), (hidden, output), strict=True))  # type: ignore[return-value]


def _of_blocks(biases: Sequence[float], blocks: int) -> Array:
    if len(biases) < blocks:
        raise ValueError(f"expected a gate bias for each of {blocks} blocks, got {len(biases)}")
    return np.array(biases[:blocks])
