"""The gated recurrent unit as a layer: that of 2018 and, as its subclass with other defaults, that of 2019.

Users find the first at `minigrad.compat.v1.keras.layers`, the second at `minigrad.keras.layers`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.engine.functional import split, unstack
from minigrad.engine.tensor import Tensor
from minigrad.layers import activations
from minigrad.layers.cell import Cell
from minigrad.layers.options import choice, flag, option
from minigrad.layers.recurrent_layer import RecurrentLayer
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.gru import GRU as EQUATIONS
from minigrad.recurrent.gru_reset_before import GRUResetBefore


class GRUCellV1(Cell, called="GRUCell"):
    """One step of the gated recurrent unit, second API generation.

    Its equations: `minigrad.recurrent.gru` and `gru_reset_before`.

    Args:
        units: the size of the output and of the state.
        activation: φ, of the candidate.
        recurrent_activation: σ, of the gates.
        use_bias: whether to add a bias: (3 units,), or (2, 3 units) with `reset_after`, the second row for h U.
        dropout: the fraction of the inputs to drop.
        recurrent_dropout: the fraction of the state to drop; forces ``implementation=1``.
        implementation: 1 makes three small products, one per gate; 2 makes one large one; 0, from old scripts, is 2.
        reset_after: whether the reset gate acts on h U rather than on h before the product.

    Shapes:
        inputs (batch, features), states [h (batch, units)] → output h_new, [h_new]. The kernels' columns are z, r, h̃.

    Source: Cho et al., 2014.
    """

    recurrent_activation: activations.Activation = option(activations.option, "hard_sigmoid", after="activation")
    implementation: int = option(choice(0, 1, 2), 1, keyword_only=True)
    reset_after: bool = option(flag, False)

    serialized_module: ClassVar[str] = "compat.v1.keras.layers"
    gates = 3

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.recurrent_dropout:
            self.implementation = 1

    @property
    def equations(self) -> type[Equations]:  # two cells in one class, as in Keras
        """The equations: the reset gate acts after the product or before it."""
        return EQUATIONS if self.reset_after else GRUResetBefore

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def step_weights(self, x_masks: Tensor | None, h_masks: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the weights in the order of the equations: W, U, b, b_h; or W, U, U_g, b."""
        if self.reset_after:
            b, b_h = unstack(self.bias) if self.bias is not None else (None, None)
            return self.kernel, self.recurrent_kernel, b, b_h, x_masks, h_masks
        U, U_g = split(self.recurrent_kernel, [2 * self.units], 1)
        return self.kernel, U, U_g, self.bias, x_masks, h_masks


class GRUV1(RecurrentLayer, called="GRU"):
    """The gated recurrent unit over a sequence, second API generation.

    Arguments: those of `GRUCell`, then those of `RNN`.
    """

    time_major: bool = option(flag, False, keyword_only=True)

    cell_class: ClassVar[type[Cell]] = GRUCellV1
    serialized_module: ClassVar[str] = "compat.v1.keras.layers"


class GRUCell(GRUCellV1):
    """One step of the gated recurrent unit: the logistic sigmoid, one large product, the reset gate afterwards."""

    recurrent_activation: activations.Activation = option(activations.option, "sigmoid")
    implementation: int = option(choice(0, 1, 2), 2, keyword_only=True)
    reset_after: bool = option(flag, True)

    serialized_module: ClassVar[str] = "keras.layers"


class GRU(GRUV1):
    """The gated recurrent unit over a sequence. Arguments: those of `GRUCell`, then those of `RNN`."""

    time_major: bool = option(flag, False, after="unroll")

    cell_class: ClassVar[type[Cell]] = GRUCell
    serialized_module: ClassVar[str] = "keras.layers"
