"""A network of 2000 as data: with forget gates or without, its weights counted, their first values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minigrad.papers.gers00.equations import ForgetGates, StateDecay
from minigrad.recurrent.equations import Equations

Array = NDArray[np.float64]

INPUTS = OUTPUTS = 7
BLOCKS, SIZE = 4, 2
CELLS = BLOCKS * SIZE
ROWS = INPUTS + CELLS + 1  # of the hidden weights: inputs, cells of the step before, biases
OUTPUT_ROWS = CELLS + INPUTS + 1  # of the output weights: cells, inputs, biases
WIDTH = 0.2
GATE_BIASES = (0.5, 1.0, 1.5, 2.0)
"""Of the forget gates, and with a minus sign of the input gates and the output gates, block by block."""


@dataclass(frozen=True)
class Net2000:
    """A net of four blocks of two cells, whose logistic outputs read the cells and the inputs.

    Attributes:
        forget: whether there are forget gates.
        decay: without forget gates, the factor of a state from step to step.
    """

    forget: bool = True
    decay: float = 1.0

    @property
    def equations(self) -> type[Equations]:
        """The equations of its cells."""
        return ForgetGates if self.forget else StateDecay

    @property
    def columns(self) -> dict[str, slice]:
        """The columns of the hidden weights, by the name of the product."""
        ends = [0, BLOCKS, BLOCKS + CELLS, 2 * BLOCKS + CELLS, 3 * BLOCKS + CELLS]
        names = ("z_in", "z_g", "z_out", "z_f")[: 3 + self.forget]
        return {name: slice(a, b) for name, a, b in zip(names, ends, ends[1:], strict=False)}

    @property
    def hidden(self) -> int:
        """The number of cells and gates."""
        return CELLS + (2 + self.forget) * BLOCKS

    def present(self) -> NDArray[np.bool_]:
        """Return which hidden weights exist: cells have no biases."""
        there = np.ones((ROWS, self.hidden), bool)
        there[-1, self.columns["z_g"]] = False
        return there

    @property
    def weights(self) -> int:
        """The number of weights, counted.

        >>> Net2000().weights, Net2000(forget=False).weights
        (424, 360)
        """
        return int(self.present().sum()) + OUTPUT_ROWS * OUTPUTS

    def draw(self, random: np.random.Generator) -> tuple[Array, Array]:
        """Return the hidden weights (rows, hidden) and the output weights (output rows, outputs) of a new net."""
        W = random.uniform(-WIDTH, WIDTH, (ROWS, self.hidden)) * self.present()
        V = random.uniform(-WIDTH, WIDTH, (OUTPUT_ROWS, OUTPUTS))
        for name, columns in self.columns.items():
            if name != "z_g":
                W[-1, columns] = np.array(GATE_BIASES) * (1.0 if name == "z_f" else -1.0)
        return W, V
