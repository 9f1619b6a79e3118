"""The simple recurrent net."""

from __future__ import annotations

from typing import ClassVar

from minigrad.layers import activations
from minigrad.layers.built_in import BuiltIn
from minigrad.layers.cell import Cell
from minigrad.recurrent import SimpleRNNStep, SimpleRNNWeights
from minigrad.recurrent.step import Step
from minigrad.tensor import Tensor


class SimpleRNNCell(Cell):
    """One step of the simple recurrent net: h_new = φ(x W + b + h U). See `minigrad.recurrent.simple_rnn_step`.

    Shapes:
        inputs (batch, features), states [h (batch, units)] → output (batch, units), [h_new]
    """

    def formulas(self) -> Step:
        """Returns the formulas."""
        return SimpleRNNStep(activations.rule_or_call(self.activation))

    def step_weights(self, x_masks: Tensor | None, h_masks: Tensor | None) -> tuple[Tensor | None, ...]:
        """Returns the weights in the step's order."""
        return SimpleRNNWeights(self.kernel, self.recurrent_kernel, self.bias, x_masks, h_masks)


class SimpleRNN(BuiltIn):
    """The simple recurrent net over a sequence. Arguments: those of `SimpleRNNCell` and of `RNN`."""

    cell_class: ClassVar[type[Cell]] = SimpleRNNCell
