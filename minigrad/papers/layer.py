"""A network of 1997 as layers of minigrad: a recurrent layer of its equations, and a dense layer for the outputs."""

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
from minigrad.papers.net import Array, Net

KINDS = {"in": 0, "g": 1, "out": 2}  # the columns of a net's hidden weights


class LayeredNet:
    """The layers of a net, in float64.

    Args:
        net: its sizes.
        W: the hidden weights (rows, hidden), whose last row has the biases.
        V: the output weights (output rows, outputs).
    """

    def __init__(self, net: Net, W: Array, V: Array) -> None:
        self.net = net
        biases, own = net.present()[0][-1], list(KINDS.items())[: 2 + net.output_gates]
        absent = {f"b_{kind}": None for kind, k in own if not biases[net.columns[k]].any()}
        values = {"g_max": net.g_max, "h_max": net.h_max} if net.output_gates else {}
        self.cell = EquationCell(net.equations, net.cells, blocks=net.blocks, dtype="float64", **values, **absent)
        self.recurrent = RNN(self.cell, return_sequences=True, dtype="float64")
        self.output = Dense(net.outputs, "sigmoid", use_bias=net.output_biases, dtype="float64")
        self.recurrent.build((None, None, net.inputs))
        self.output.build((1, net.output_rows - 1))
        self.set_weights(W, V)

    @property
    def weights(self) -> list[Tensor]:
        """The weights of both layers."""
        return [*self.recurrent.trainable_weights, *self.output.trainable_weights]

    def _parts(self) -> Iterator[tuple[str, slice, slice]]:
        """Yield the letter of each weight of the cell, and its rows and columns in the hidden weights."""
        net = self.net
        ends = np.cumsum([0, net.inputs, net.cells, net.blocks, net.blocks])
        rows = dict(zip(("W", "U", "V", "Q"), map(slice, ends[:-1], ends[1:]), strict=True))
        for letter in self.cell.by_letter:
            of, kind = letter.split("_")
            yield letter, slice(net.rows - 1, net.rows) if of == "b" else rows[of], net.columns[KINDS[kind]]

    def set_weights(self, W: Array, V: Array) -> None:
        """Set the weights of both layers."""
        parts = {letter: W[rows, columns] for letter, rows, columns in self._parts()}
        self.recurrent.set_weights([v[0] if k.startswith("b_") else v for k, v in parts.items()])
        self.output.set_weights([V[:-1], V[-1]] if self.net.output_biases else [V[:-1]])

    def gather(self, values: list[Array]) -> tuple[Array, Array]:
        """Return one array for each of `weights`, such as their gradients, as W and V; the others are 0."""
        W, V = np.zeros((self.net.rows, self.net.hidden)), np.zeros((self.net.output_rows, self.net.outputs))
        parts = list(self._parts())
        for (_, rows, columns), value in zip(parts, values, strict=False):
            W[rows, columns] = value
        kernel, *bias = values[len(parts) :]
        V[:-1] = kernel
        if bias:
            V[-1] = bias[0]
        return W, V

    def get_weights(self) -> tuple[Array, Array]:
        """Return the hidden and the output weights; those that carry no signal are 0."""
        return self.gather([w.numpy() for w in self.weights])

    def __call__(self, x: Array) -> Tensor:
        """Return the outputs (time, outputs) for the inputs of one sequence (time, inputs)."""
        net, inputs = self.net, tensor(x[None], dtype="float64")
        sizes = self.cell.state_size
        state = [np.full((1, n), net.start if k != 1 else 0.0) for k, n in enumerate(sizes)]
        below = self.recurrent(inputs, initial_state=state)
        below = F.concat([below, inputs], -1) if net.shortcuts else below
        outputs: Tensor = self.output(below)[0]
        return outputs

    def gradients(self, x: Array, targets: Array, counted: Array) -> tuple[float, tuple[Array, Array]]:
        """Return the loss ½ Σ (y − t)² over the counted steps, and its gradients as W and V.

        Args:
            x: (time, inputs).
            targets: (time, outputs).
            counted: (time,), 1 where there is a target and 0 elsewhere.
        """
        error = (self(x) - tensor(targets)) * tensor(counted[:, None])
        loss = (error * error).sum() * 0.5
        return loss.item(), self.gather([g.numpy() for g in grad(loss, self.weights) if g is not None])
