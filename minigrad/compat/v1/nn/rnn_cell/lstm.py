"""The LSTM cells of the first API generation: BasicLSTMCell and LSTMCell."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.compat.v1.nn.rnn_cell.base import LSTMStateTuple, StateError
from minigrad.compat.v1.nn.rnn_cell.cells import WeightedCell, split_state, tanh_by_default
from minigrad.compat.v1.variables import read_reuse
from minigrad.engine import functional as F
from minigrad.engine import kinds
from minigrad.engine.creation import as_tensor
from minigrad.engine.tensor import Tensor
from minigrad.layers import activations, initializers
from minigrad.layers.options import Kind, OptionError, anything, flag, number, option, optional, positive_int, text
from minigrad.layers.recurrence import Recurrence
from minigrad.layers.states import described
from minigrad.recurrent import LSTMP

limit = kinds.real(0, infinite=True, note=", or None for no clipping")


class _LSTM(WeightedCell):
    """The base class of the LSTM cells, with the state (c, m) as a tuple or concatenated in one tensor."""

    num_units: int
    state_is_tuple: bool
    kernel: Tensor
    bias: Tensor

    @property
    def state_sizes(self) -> tuple[int, int]:
        """The sizes of c and m."""
        return self.num_units, self.output_size

    @property
    def state_size(self) -> Any:
        """The sizes of c and m: an LSTMStateTuple, or their sum if the state is one tensor."""
        return LSTMStateTuple(*self.state_sizes) if self.state_is_tuple else sum(self.state_sizes)

    @property
    def output_size(self) -> int:
        """The size of m."""
        return self.num_units

    def _lstm_recurrence(
        self, forget_bias: float, cell_clip: float | None = None, proj_clip: float | None = None, **weights: Any
    ) -> Recurrence:
        """Return the LSTMP equations with their weights; the kernel has the rows of x, then those of m."""
        step = activations.bind(
            LSTMP, F.sigmoid, self.activation, False,
            forget_bias=float(forget_bias), cell_clip=cell_clip, proj_clip=proj_clip,
        )  # fmt: skip
        W, U = F.split(self.kernel, [self.kernel.shape[0] - self.output_size])
        return Recurrence(step, step.Weights(W=W, U=U, b=self.bias, **weights))

    def flatten_state(self, state: Any) -> tuple[Any, ...]:
        """Return c and m.

        Raises:
            StateError: the state has another structure, or is Keras' list [h, c].
        """
        name = type(self).__name__
        if self.state_is_tuple:
            if isinstance(state, list) or not isinstance(state, tuple) or len(state) != 2:
                keras = " Keras' cells have the list [h, c], in the other order." if isinstance(state, list) else ""
                one = " Or make the cell with state_is_tuple=False." if hasattr(state, "shape") else ""
                raise StateError(
                    f"{name}: expected the state LSTMStateTuple(c, h), got {described(state)}.{keras}{one} Write "
                    "LSTMStateTuple(c=…, h=…)."
                )
            return tuple(state)
        if isinstance(state, (tuple, list)):
            raise StateError(
                f"{name}: with state_is_tuple=False expected the state, one tensor with c and h concatenated, got "
                f"{described(state)}. Write concat([c, h], 1)."
            )
        c, m = split_state(name, as_tensor(state), self.state_sizes)
        return c, m

    def unflatten_state(self, arrays: tuple[Any, ...]) -> Any:
        """Return c and m in the cell's structure."""
        return LSTMStateTuple(*arrays) if self.state_is_tuple else F.concat(arrays, 1)


class BasicLSTMCell(_LSTM):
    """The LSTM without extras.

        i, j, f, o = [x; h] kernel + bias, split into four
        c_new      = σ(f + forget_bias) ∘ c + σ(i) ∘ φ(j)
        h_new      = σ(o) ∘ φ(c_new)

    Args:
        num_units: the size of the output and of both states.
        forget_bias: a constant added to the forget gate at every call; it is not in the stored bias.
        state_is_tuple: whether the state is an LSTMStateTuple(c, h), or one tensor with the two concatenated.
        activation: the activation of the candidate and of c_new in the output; tanh by default.
        reuse: whether to share the variables of the scope.
    """

    num_units: int = option(positive_int)
    forget_bias: float = option(number, 1.0)
    state_is_tuple: bool = option(flag, True)
    activation: activations.Activation = option(tanh_by_default, None)
    reuse: Any = option(Kind(read_reuse), None)
    name: str = option(optional(text), None, after="reuse")
    dtype: Any = option(anything, None, after="name")

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Add kernel (features + units, 4 units), columns i, j, f, o, and bias (4 units,)."""
        features, u = self._bind(input_shape), self.num_units
        self.kernel = self.add_weight("kernel", (features + u, 4 * u))
        self.bias = self.add_weight("bias", (4 * u,), initializer="zeros")

    def _recurrence(self) -> Recurrence:
        """Return the step and its weights."""
        return self._lstm_recurrence(self.forget_bias)


class LSTMCell(_LSTM):
    """The LSTM with optional peepholes, clipping and projection. Its equations: `minigrad.recurrent.lstmp`.

        i, j, f, o = [x; m] kernel + bias, split into four
        c_new      = σ(f + forget_bias + w_f ∘ c) ∘ c + σ(i + w_i ∘ c) ∘ φ(j)     clipped to ±cell_clip
        m_new      = σ(o + w_o ∘ c_new) ∘ φ(c_new)
        m_new      = m_new projection/kernel                                      clipped to ±proj_clip

    Args:
        num_units: the size of the cell state.
        use_peepholes: whether the gates read the cell state.
        cell_clip: the bound of the cell state, clipped to ±cell_clip before the output.
        initializer: the initializer of kernel, peepholes and projection.
        num_proj: the size of a projected output; None for no projection.
        proj_clip: the bound of the projection, clipped to ±proj_clip.
        num_unit_shards: deprecated, without effect.
        num_proj_shards: deprecated, without effect.
        forget_bias: a constant added to the forget gate at every call; it is not in the stored bias.
        state_is_tuple: whether the state is an LSTMStateTuple(c, h), or one tensor with the two concatenated.
        activation: the activation of the candidate and of c_new in the output; tanh by default.
        reuse: whether to share the variables of the scope.

    Raises:
        OptionError: `proj_clip` is given without `num_proj`.

    Source: Gers and Schmidhuber, 2000; Sak et al., 2014.
    """

    num_units: int = option(positive_int)
    use_peepholes: bool = option(flag, False)
    cell_clip: float | None = option(optional(limit), None)
    initializer: Any = option(initializers.option_kind, None)
    num_proj: int | None = option(optional(positive_int), None)
    proj_clip: float | None = option(optional(limit), None)
    num_unit_shards: int | None = option(anything, None)
    num_proj_shards: int | None = option(anything, None)
    forget_bias: float = option(number, 1.0)
    state_is_tuple: bool = option(flag, True)
    activation: activations.Activation = option(tanh_by_default, None)
    reuse: Any = option(Kind(read_reuse), None)
    name: str = option(optional(text), None, after="reuse")
    dtype: Any = option(anything, None, after="name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.num_unit_shards is not None or self.num_proj_shards is not None:
            warnings.warn(
                "LSTMCell: num_unit_shards and num_proj_shards are deprecated and have no effect.",
                DeprecationWarning,
                stacklevel=2,
            )
        if self.proj_clip is not None and self.num_proj is None:
            raise OptionError(
                "LSTMCell: `proj_clip` clips a projection: expected `num_proj`, got None. Pass both or neither."
            )

    @property
    def output_size(self) -> int:
        """The size of m: num_proj, or num_units without a projection."""
        return self.num_proj or self.num_units

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Add kernel, bias, the peepholes w_f_diag, w_i_diag, w_o_diag, and projection/kernel."""
        features, u = self._bind(input_shape), self.num_units
        start = self.initializer
        self.kernel = self.add_weight("kernel", (features + self.output_size, 4 * u), initializer=start)
        self.bias = self.add_weight("bias", (4 * u,), initializer="zeros")
        self.w_f_diag = self.w_i_diag = self.w_o_diag = None
        if self.use_peepholes:
            self.w_f_diag = self.add_weight("w_f_diag", (u,), initializer=start)
            self.w_i_diag = self.add_weight("w_i_diag", (u,), initializer=start)
            self.w_o_diag = self.add_weight("w_o_diag", (u,), initializer=start)
        self.projection = None
        if self.num_proj is not None:
            self.projection = self.add_weight("projection/kernel", (u, self.num_proj), initializer=start)

    def _recurrence(self) -> Recurrence:
        """Return the step and its weights."""
        weights = {"w_i": self.w_i_diag, "w_f": self.w_f_diag, "w_o": self.w_o_diag, "P": self.projection}
        return self._lstm_recurrence(self.forget_bias, self.cell_clip, self.proj_clip, **weights)
