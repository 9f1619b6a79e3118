"""The gated recurrent unit of the second API generation; the third is a subclass with other defaults."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.functional import unstack
from minigrad.layers import activations
from minigrad.layers.built_in import BuiltIn
from minigrad.layers.cell import Cell
from minigrad.layers.options import choice, flag, option
from minigrad.recurrent import GRUStep, GRUWeights
from minigrad.recurrent.step import Step
from minigrad.tensor import Tensor


class GRUCell(Cell):
    """One step of the gated recurrent unit. The formulas stand in `minigrad.recurrent.gru_step`.

    Args:
        units: the size of the output and of the state.
        activation: φ, of the candidate.
        recurrent_activation: σ, of the gates.
        use_bias: is there a bias? (3 units,), or (2, 3 units) with `reset_after`, the second row for h U.
        dropout: the fraction of the inputs to drop.
        recurrent_dropout: the fraction of the state to drop; forces ``implementation=1``.
        implementation: 1 makes three small products, one a gate; 2 makes one large one.
        reset_after: does the reset gate act on h U, or on h before the product?

    Shapes:
        inputs (batch, features), states [h (batch, units)] → output h_new, [h_new]. The kernels' columns are z, r, h̃.

    Source: Cho et al., 2014.
    """

    recurrent_activation: activations.Activation = option(activations.option, "hard_sigmoid", after="activation")
    implementation: int = option(choice(1, 2), 1, keyword_only=True)
    reset_after: bool = option(flag, False)

    serialized_module: ClassVar[str] = "compat.v1.keras.layers"
    gates = 3

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.recurrent_dropout:
            self.implementation = 1

    def formulas(self) -> Step:
        """Returns the formulas."""
        return GRUStep(
            activations.rule_or_call(self.activation),
            activations.rule_or_call(self.recurrent_activation),
            self.reset_after,
            separate=self.implementation == 1,
        )

    def bias_shape(self) -> tuple[int, ...]:
        """Returns the shape of the bias."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def step_weights(self, x_masks: Tensor | None, h_masks: Tensor | None) -> tuple[Tensor | None, ...]:
        """Returns the weights in the step's order."""
        b, b_h = unstack(self.bias) if self.bias is not None and self.reset_after else (self.bias, None)
        return GRUWeights(self.kernel, self.recurrent_kernel, b, b_h, x_masks, h_masks)


class GRU(BuiltIn):
    """The gated recurrent unit over a sequence. Arguments: those of `GRUCell`, then those of `RNN`."""

    time_major: bool = option(flag, False, keyword_only=True)

    cell_class: ClassVar[type[Cell]] = GRUCell
    serialized_module: ClassVar[str] = "compat.v1.keras.layers"
