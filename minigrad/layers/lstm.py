"""The LSTM as a layer: that of 2018 and, as its subclass with other defaults, that of 2019.

Users find the first at `minigrad.compat.v1.keras.layers`, the second at `minigrad.keras.layers`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.engine.functional import concat, ones
from minigrad.engine.tensor import Tensor
from minigrad.layers import activations
from minigrad.layers.cell import Cell
from minigrad.layers.options import choice, flag, option
from minigrad.layers.recurrent_layer import RecurrentLayer
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.lstm import LSTM as EQUATIONS


class LSTMCellV1(Cell, called="LSTMCell"):
    """One step of the LSTM, second API generation.

    Its equations, and their gradient by hand: `minigrad.recurrent.lstm`.

    Args:
        units: the size of the output and of both states.
        activation: φ, of the candidate and, for the output, of the cell state.
        recurrent_activation: σ, of the gates.
        use_bias: whether to add a bias.
        unit_forget_bias: whether the forget gate's bias starts from 1 and the others from 0.
        dropout: the fraction of the inputs to drop.
        recurrent_dropout: the fraction of the state to drop; forces ``implementation=1``.
        implementation: 1 makes four small products, one per gate, each with a separate dropout mask; 2 makes one large
            product with one mask; 0, from old scripts, is 2.

    Shapes:
        inputs (batch, features), states [h, c], each (batch, units) → output h_new, [h_new, c_new]. The kernels'
        columns are i, f, c̃, o.

    Source: Hochreiter and Schmidhuber, 1997; Gers et al., 1999; the forget gate's bias: Jozefowicz et al., 2015.
    """

    recurrent_activation: activations.Activation = option(activations.option, "hard_sigmoid", after="activation")
    unit_forget_bias: bool = option(flag, True, after="bias_initializer")
    implementation: int = option(choice(0, 1, 2), 1)

    serialized_module: ClassVar[str] = "compat.v1.keras.layers"
    equations: type[Equations] = EQUATIONS
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
        """Return the bias initializer's numbers, the forget gate's replaced by 1 with `unit_forget_bias`."""
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


class LSTMV1(RecurrentLayer, called="LSTM"):
    """The LSTM over a sequence, second API generation. Arguments: those of `LSTMCell`, then those of `RNN`."""

    time_major: bool = option(flag, False, keyword_only=True)

    cell_class: ClassVar[type[Cell]] = LSTMCellV1
    serialized_module: ClassVar[str] = "compat.v1.keras.layers"


class LSTMCell(LSTMCellV1):
    """One step of the LSTM: gates with the logistic sigmoid, one large product.

    >>> import minigrad as tf
    >>> inputs = tf.random.normal([32, 10, 8])
    >>> rnn = tf.keras.layers.RNN(tf.keras.layers.LSTMCell(4), return_sequences=True, return_state=True)
    >>> whole_seq_output, final_memory_state, final_carry_state = rnn(inputs)
    >>> whole_seq_output.shape, final_carry_state.shape
    ((32, 10, 4), (32, 4))
    """

    recurrent_activation: activations.Activation = option(activations.option, "sigmoid")
    implementation: int = option(choice(0, 1, 2), 2, keyword_only=True)

    serialized_module: ClassVar[str] = "keras.layers"


class LSTM(LSTMV1):
    """The LSTM over a sequence. Arguments: those of `LSTMCell`, then those of `RNN`.

    >>> import minigrad as tf
    >>> lstm = tf.keras.layers.LSTM(4, return_sequences=True)
    >>> lstm(tf.random.normal([32, 10, 8])).shape
    (32, 10, 4)
    >>> lstm.path
    'explicit BPTT, fused kernel of the numpy backend'
    """

    time_major: bool = option(flag, False, after="stateful")

    cell_class: ClassVar[type[Cell]] = LSTMCell
    serialized_module: ClassVar[str] = "keras.layers"
