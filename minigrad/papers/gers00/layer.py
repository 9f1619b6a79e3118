"""A network of 2000 as layers of minigrad: a recurrent layer of its equations, and a dense layer for the outputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minigrad.engine import functional as F
from minigrad.engine.autograd import grad
from minigrad.engine.creation import tensor
from minigrad.engine.tensor import Tensor
from minigrad.layers.core import Dense
from minigrad.layers.equation_cell import EquationCell
from minigrad.layers.rnn import RNN
from minigrad.papers.gers00.net import BLOCKS, CELLS, INPUTS, OUTPUT_ROWS, OUTPUTS, ROWS, Array, Net2000


class LayeredNet2000:
    """The layers of a net, in float64.

    Args:
        net: the net.
        W: the hidden weights (rows, hidden), whose last row has the biases.
        V: the output weights (output rows, outputs), likewise.
    """

    def __init__(self, net: Net2000, W: Array, V: Array) -> None:
        self.net = net
        values = {} if net.forget else {"decay": net.decay}
        self.cell = EquationCell(net.equations, CELLS, blocks=BLOCKS, dtype="float64", **values)
        self.recurrent = RNN(self.cell, return_sequences=True, dtype="float64")
        self.output = Dense(OUTPUTS, "sigmoid", dtype="float64")
        self.recurrent.build((None, None, INPUTS))
        self.output.build((1, OUTPUT_ROWS - 1))
        parts = {letter: W[rows, columns] for letter, rows, columns in self._parts()}
        self.recurrent.set_weights([v[0] if k.startswith("b_") else v for k, v in parts.items()])
        self.output.set_weights([V[:-1], V[-1]])

    def _parts(self) -> Iterator[tuple[str, slice, slice]]:
        """Yield the letter of each weight of the cell, and its rows and columns in the hidden weights."""
        rows = {"W": slice(0, INPUTS), "U": slice(INPUTS, ROWS - 1), "b": slice(ROWS - 1, ROWS)}
        for letter in self.cell.by_letter:
            of, kind = letter.split("_")
            yield letter, rows[of], self.net.columns[f"z_{kind}"]

    def __call__(self, x: Array) -> Tensor:
        """Return the outputs (time, outputs) for the inputs of a stream (time, inputs)."""
        inputs = tensor(x[None], dtype="float64")
        outputs: Tensor = self.output(F.concat([self.recurrent(inputs), inputs], -1))[0]
        return outputs

    def gradients(self, x: Array, targets: Array) -> tuple[Array, Array]:
        """Return the gradients of ½ Σ (y − t)² over a stream as W and V; weights that do not exist have 0."""
        error = self(x) - tensor(targets)
        weights = [*self.recurrent.trainable_weights, *self.output.trainable_weights]
        found = [g.numpy() for g in grad((error * error).sum() * 0.5, weights) if g is not None]
        dW = np.zeros((ROWS, self.net.hidden))
        for (_, rows, columns), value in zip(self._parts(), found, strict=False):
            dW[rows, columns] = value
        return dW, np.concatenate([found[-2], found[-1][None]])
