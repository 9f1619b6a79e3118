"""The LSTM of the second API generation, `tf.compat.v1.keras.layers`; the third is a subclass with other defaults."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.functional import concat, ones
from minigrad.layers import activations
from minigrad.layers.built_in import BuiltIn
from minigrad.layers.cell import Cell
from minigrad.layers.options import choice, flag, option
from minigrad.recurrent import lstm
from minigrad.recurrent.equations import Equations
from minigrad.tensor import Tensor


class LSTMCell(Cell):
    """One step of the LSTM. Its equations, and their gradient by hand: `minigrad.recurrent.lstm`.

    Args:
        units: the size of the output and of both states.
        activation: φ, of the candidate and of the cell state on its way out.
        recurrent_activation: σ, of the gates.
        use_bias: is there a bias?
        unit_forget_bias: let the forget gate's bias start from 1, the others from 0.
        dropout: the fraction of the inputs to drop.
        recurrent_dropout: the fraction of the state to drop; forces ``implementation=1``.
        implementation: 1 makes four small products, one a gate, each with a dropout mask of its own; 2 makes one large
            product with one mask.

    Shapes:
        inputs (batch, features), states [h, c], each (batch, units) → output h_new, [h_new, c_new]. The kernels'
        columns are i, f, c̃, o.

    Source: Hochreiter and Schmidhuber, 1997; Gers et al., 1999; the forget gate's bias: Jozefowicz et al., 2015.
    """

    recurrent_activation: activations.Activation = option(activations.option, "hard_sigmoid", after="activation")
    unit_forget_bias: bool = option(flag, True, after="bias_initializer")
    implementation: int = option(choice(1, 2), 1)

    serialized_module: ClassVar[str] = "compat.v1.keras.layers"
    equations: type[Equations] = lstm.LSTM
    gates = 4

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.recurrent_dropout:
            self.implementation = 1

    @property
    def state_size(self) -> list[int]:
        """The sizes of h and c."""
        return [self.units, self.units]

    def initial_bias(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        """Returns the bias initializer's numbers, the forget gate's replaced by 1 with `unit_forget_bias`."""
        if not self.unit_forget_bias:
            return super().initial_bias(shape, dtype)
        u = self.units
        return concat(
            [
                self.bias_initializer((u,), dtype=dtype),
                ones((u,), dtype),
                self.bias_initializer((2 * u,), dtype=dtype),
            ]
        )


class LSTM(BuiltIn):
    """The LSTM over a sequence. Arguments: those of `LSTMCell`, then those of `RNN`."""

    time_major: bool = option(flag, False, keyword_only=True)

    cell_class: ClassVar[type[Cell]] = LSTMCell
    serialized_module: ClassVar[str] = "compat.v1.keras.layers"
