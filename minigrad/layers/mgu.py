"""The minimal gated unit as a layer."""

from __future__ import annotations

from typing import ClassVar

from minigrad.engine.functional import split
from minigrad.engine.tensor import Tensor
from minigrad.layers import activations
from minigrad.layers.cell import Cell
from minigrad.layers.options import choice, option
from minigrad.layers.recurrent_layer import RecurrentLayer
from minigrad.recurrent import mgu
from minigrad.recurrent.equations import Equations


class MGUCell(Cell):
    """One step of the minimal gated unit. Its equations, and their gradient by hand: `minigrad.recurrent.mgu`.

    TensorFlow does not have it. Arguments are those of `GRUCell`, without `reset_after`.

    Shapes:
        inputs (batch, features), states [h (batch, units)] → output h_new, [h_new]. The kernels' columns are f, h̃.

    Source: Zhou et al., 2016.
    """

    recurrent_activation: activations.Activation = option(activations.option, "sigmoid", after="activation")
    implementation: int = option(choice(1, 2), 2, keyword_only=True)

    equations: type[Equations] = mgu.MGU
    gates = 2

    def step_weights(self, x_masks: Tensor | None, h_masks: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the weights in the order of the equations: W, U, U_g, b."""
        U, U_g = split(self.recurrent_kernel, 2, 1)
        return self.kernel, U, U_g, self.bias, x_masks, h_masks


class MGU(RecurrentLayer):
    """The minimal gated unit over a sequence. TensorFlow does not have it.

    Arguments: those of `MGUCell`, then those of `RNN`.

    >>> import minigrad as mg
    >>> mg.keras.layers.MGU(4, return_sequences=True)(mg.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    cell_class: ClassVar[type[Cell]] = MGUCell
