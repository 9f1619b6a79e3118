"""The simple recurrent network."""

from __future__ import annotations

from typing import ClassVar

from minigrad.layers.cell import Cell
from minigrad.layers.recurrent_layer import RecurrentLayer
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.simple_rnn import SimpleRNN as SimpleRNNEquations


class SimpleRNNCell(Cell):
    """One step of the simple recurrent network: h_new = φ(x W + b + h U). See `minigrad.recurrent.simple_rnn`.

    Shapes:
        inputs (batch, features), states [h (batch, units)] → output (batch, units), [h_new]
    """

    equations: type[Equations] = SimpleRNNEquations


class SimpleRNN(RecurrentLayer):
    """The simple recurrent network over a sequence. Arguments: those of `SimpleRNNCell` and of `RNN`."""

    cell_class: ClassVar[type[Cell]] = SimpleRNNCell
