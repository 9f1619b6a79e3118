"""The layers of NVIDIA's library, from before 2019: LSTM and GRU with its layout of the weights, on every backend.

    CuDNNLSTM, CuDNNGRU        the layers, at `minigrad.compat.v1.keras.layers`
    from_cudnn(kernel, recurrent_kernel, bias)
                               their weights as those of LSTM, and of GRU with ``reset_after=True``

Each gate's columns of the kernel, read row by row, are the matrix of that gate transposed; those of the recurrent
kernel are its transpose. There are two biases, end to end: that of x W and that of h U.
"""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.engine import functional as F
from minigrad.engine.functional import concat, ones
from minigrad.engine.tensor import Tensor
from minigrad.layers.cell import Cell
from minigrad.layers.options import flag, option
from minigrad.layers.recurrent_layer import RecurrentLayer
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.gru import GRU as GRU_EQUATIONS
from minigrad.recurrent.lstm import LSTM as LSTM_EQUATIONS


def from_cudnn(kernel: Any, recurrent_kernel: Any, bias: Any) -> tuple[Any, Any, Any]:
    """Return the weights (W, U, b) of an LSTM, or of a GRU with ``reset_after=True``.

    Args:
        kernel: (features, gates · units), in CuDNN's layout as the others.
        recurrent_kernel: (units, gates · units).
        bias: (2 · gates · units,).
    """
    (features, columns), units = kernel.shape, recurrent_kernel.shape[0]
    gates = range(0, columns, units)
    W = concat([F.transpose(kernel[:, k : k + units].reshape((units, features))) for k in gates], 1)
    U = concat([F.transpose(recurrent_kernel[:, k : k + units]) for k in gates], 1)
    both = bias.reshape((2, columns))
    return W, U, both.sum(0) if len(gates) == 4 else both


class _CuDNNCell(Cell):
    """One step with weights in CuDNN's layout: tanh, the logistic sigmoid, and always a bias."""

    activation = staticmethod(F.tanh)
    recurrent_activation = staticmethod(F.sigmoid)
    use_bias = True
    dropout = recurrent_dropout = 0.0

    serialized_module: ClassVar[str] = "compat.v1.keras.layers"

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (2 * self.gates * self.units,)


class CuDNNLSTMCell(_CuDNNCell):
    """One step of the LSTM, its weights in CuDNN's layout."""

    unit_forget_bias: bool = option(flag, True, after="bias_initializer")

    equations: type[Equations] = LSTM_EQUATIONS
    gates = 4

    @property
    def state_size(self) -> list[int]:
        """The sizes of h and c."""
        return [self.units, self.units]

    def initial_bias(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        """Return the bias initializer's numbers, with 1 in the second forget gate's bias with `unit_forget_bias`."""
        if not self.unit_forget_bias:
            return super().initial_bias(shape, dtype)
        u = self.units
        first, last = (self.bias_initializer((n * u,), dtype=dtype) for n in (5, 2))
        return concat([first, ones((u,), dtype), last])

    def step_weights(self, x_masks: Tensor | None, h_masks: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the weights in the order of the equations: W, U, b."""
        return *from_cudnn(self.kernel, self.recurrent_kernel, self.bias), x_masks, h_masks


class CuDNNGRUCell(_CuDNNCell):
    """One step of the gated recurrent unit, the reset gate after the product, its weights in CuDNN's layout."""

    equations: type[Equations] = GRU_EQUATIONS
    gates = 3

    def step_weights(self, x_masks: Tensor | None, h_masks: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the weights in the order of the equations: W, U, b, b_h."""
        W, U, both = from_cudnn(self.kernel, self.recurrent_kernel, self.bias)
        return W, U, both[0], both[1], x_masks, h_masks


class CuDNNLSTM(RecurrentLayer):
    """The LSTM over a sequence, with weights as CuDNN has them; it needs no GPU.

    Arguments: `units`, the initializers, `unit_forget_bias`, regularizers and constraints, then those of `RNN`.
    """

    cell_class: ClassVar[type[Cell]] = CuDNNLSTMCell
    serialized_module: ClassVar[str] = "compat.v1.keras.layers"


class CuDNNGRU(RecurrentLayer):
    """The gated recurrent unit over a sequence, with weights as CuDNN has them; it needs no GPU.

    Arguments: `units`, the initializers, regularizers and constraints, then those of `RNN`.
    """

    cell_class: ClassVar[type[Cell]] = CuDNNGRUCell
    serialized_module: ClassVar[str] = "compat.v1.keras.layers"
