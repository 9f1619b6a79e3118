"""The cells of the first API generation with weights: BasicRNNCell, GRUCell, BasicLSTMCell, LSTMCell.

Each takes inputs and a state and returns the output and the new state. Their kernels hold the rows of the inputs and
then those of the state, ``[x; m]``.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from minigrad.compat.v1.nn.rnn_cell.base import LSTMStateTuple, RNNCell, StateError
from minigrad.compat.v1.variables import read_reuse
from minigrad.engine import functional as F
from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.engine.tensor import Tensor
from minigrad.layers import activations, initializers
from minigrad.layers.cell_protocol import Recurrence, described, one_step
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.options import Kind, OptionError, anything, flag, number, option, optional, positive_int, text
from minigrad.recurrent import LSTMP, GRUResetBefore, SimpleRNN


def _read_activation(where: str, value: Any) -> activations.Activation:
    read: activations.Activation = activations.option.read(where, "tanh" if value is None else value)
    return read


def _read_limit(where: str, value: Any) -> Any:
    if number.read(where, value) <= 0:
        raise OptionError(f"{where}: expected a limit above 0, got {value!r}. None does not clip.")
    return value


limit = Kind(_read_limit)
tanh_by_default = activations.option._replace(read=_read_activation)


class _Cell(RNNCell):
    """A cell with hand-derived formulas, for the loop over time and for one step on the tape."""

    activation: activations.Activation
    reuse: Any
    input_spec: InputSpec | None = InputSpec(ndim=2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shares = self._shares or self.reuse
        if self.dtype is not None and not is_floating(self.dtype):
            raise DTypeError(f"{type(self).__name__}: `dtype`: expected a floating one, got {self.dtype}.")

    def recurrence(self, inputs: Tensor, training: bool | None = None) -> Recurrence | str:
        """Return the formulas and weights for explicit BPTT, or the reason why it cannot run."""
        if type(self).call is not _Cell.call:
            return f"{type(self).__name__} has a call of its own"
        if activations.rule(self.activation) is None:
            return f"activation {activations.serialize(self.activation)!r} has no hand-derived derivative"
        self._admit(inputs)
        return self.formulas()

    def formulas(self) -> Recurrence:
        """Return the step and its weights."""
        raise NotImplementedError(f"{type(self).__name__} must define formulas().")

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Run one time step, as one operation with the hand-derived gradient."""
        if not self.built:
            raise StateError(
                f"{type(self).__name__}.call: the cell has no weights yet. Call the cell itself, cell(inputs, state)."
            )
        step, weights, *_ = self.formulas()
        apart = tuple(as_tensor(s, self.dtype, f"{self.name}.call: `state`") for s in self.state_apart(state))
        sizes = [(inputs.shape[0], size) for size in self.state_sizes]
        if [s.shape for s in apart] != sizes:
            raise ShapeError(
                f"{type(self).__name__}: expected a state of shapes {sizes}, got {[s.shape for s in apart]}. "
                f"cell.zero_state({inputs.shape[0]}, dtype) makes zeros."
            )
        new = one_step(self, step, inputs, apart, weights)
        return new[step.output], self.state_together(new)

    def _bind(self, input_shape: Any) -> int:
        """Return the number of features, which the inputs must have from now on."""
        features = input_shape[-1]
        if features is None:
            raise ShapeError(
                f"{self.name}.build: expected `input_shape` with the number of features, got {tuple(input_shape)}. "
                "Write (None, 8)."
            )
        self.input_spec = InputSpec(ndim=2, axes={-1: features})
        return int(features)

    def _check(self, inputs: Any) -> None:
        super()._check(inputs)
        self._admit(inputs)

    def _admit(self, inputs: Tensor) -> None:
        if self.input_spec is not None and not self.input_spec.admits(inputs.shape):
            raise self._unfit("call", inputs.shape)
        if not is_floating(inputs.dtype):
            raise DTypeError(
                f"{type(self).__name__}: expected `inputs` of a floating dtype, got {dtype_name(inputs.dtype)}. "
                "inputs.astype('float32') makes numbers of integers, an embedding makes vectors of words."
            )

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The sizes of the arrays of the state."""
        return (self.state_size,)

    def state_apart(self, state: Any) -> tuple[Any, ...]:
        """Return the state's arrays.

        Raises:
            StateError: the state is not one tensor.
        """
        if isinstance(state, (tuple, list)):
            raise StateError(f"{type(self).__name__}: expected the state, one tensor, got {described(state)}.")
        return (state,)

    def state_together(self, arrays: tuple[Any, ...]) -> Any:
        """Return the arrays in the cell's structure."""
        return arrays[0]

    def _way_out(self, ndim: int) -> str:
        return " A cell takes one time step; dynamic_rnn(cell, inputs) takes a sequence."


def split_state(where: str, state: Tensor, sizes: Sequence[int]) -> tuple[Tensor, ...]:
    """Return the parts of a state that is one tensor with all of them side by side.

    Raises:
        ShapeError: the state's size is not the sum of theirs.
    """
    if state.ndim != 2 or state.shape[1] != sum(sizes):
        raise ShapeError(f"{where}: expected a state of shape (batch, {sum(sizes)}), got {state.shape}.")
    return F.split(state, [sum(sizes[:k]) for k in range(1, len(sizes))], 1)


class BasicRNNCell(_Cell):
    """The simple recurrent net: output = new state = activation([x; h] kernel + bias).

    Args:
        num_units: the size of the output and of the state.
        activation: tanh by default.
        reuse: whether to share the variables of the scope.
    """

    num_units: int = option(positive_int)
    activation: activations.Activation = option(tanh_by_default, None)
    reuse: Any = option(Kind(read_reuse), None)
    name: str = option(optional(text), None, after="reuse")
    dtype: Any = option(anything, None, after="name")

    @property
    def state_size(self) -> int:
        """num_units"""
        return self.num_units

    output_size = state_size

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Add kernel (features + units, units) and bias (units,)."""
        features, u = self._bind(input_shape), self.num_units
        self.kernel = self.add_weight("kernel", (features + u, u))
        self.bias = self.add_weight("bias", (u,), initializer="zeros")

    def formulas(self) -> Recurrence:
        """Return the step and its weights."""
        W, U = F.split(self.kernel, [self.kernel.shape[0] - self.num_units])
        step = activations.formulas(SimpleRNN, F.sigmoid, self.activation, False)
        return Recurrence(step, step.Weights(W=W, U=U, b=self.bias))


class GRUCell(_Cell):
    """The gated recurrent unit: the reset gate acts on the state before its product.

        r, u  = σ([x; h] gates/kernel + gates/bias)
        g     = φ([x; r ∘ h] candidate/kernel + candidate/bias)
        h_new = u ∘ h + (1 − u) ∘ g

    Args:
        num_units: the size of the output and of the state.
        activation: the activation of the candidate; tanh by default.
        reuse: whether to share the variables of the scope.
        kernel_initializer: the initializer of both kernels.
        bias_initializer: the initializer of both biases; by default 1 for the gates and 0 for the candidate.

    Source: Cho et al., 2014.
    """

    num_units: int = option(positive_int)
    activation: activations.Activation = option(tanh_by_default, None)
    reuse: Any = option(Kind(read_reuse), None)
    kernel_initializer: Any = option(initializers.option_kind, None)
    bias_initializer: Any = option(initializers.option_kind, None)
    name: str = option(optional(text), None, after="bias_initializer")
    dtype: Any = option(anything, None, after="name")

    state_size = BasicRNNCell.state_size
    output_size = BasicRNNCell.state_size

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Add the gates' kernel (features + units, 2 units), columns r, u, the candidate's, and their biases."""
        features, u = self._bind(input_shape), self.num_units
        kernel, bias = self.kernel_initializer, self.bias_initializer
        self.gates_kernel = self.add_weight("gates/kernel", (features + u, 2 * u), initializer=kernel)
        self.gates_bias = self.add_weight("gates/bias", (2 * u,), initializer=bias or "ones")
        self.candidate_kernel = self.add_weight("candidate/kernel", (features + u, u), initializer=kernel)
        self.candidate_bias = self.add_weight("candidate/bias", (u,), initializer=bias or "zeros")

    def formulas(self) -> Recurrence:
        """Return the step and its weights, with columns in the order u, r, candidate (Keras' z, r, h̃)."""
        r, u = F.split(self.gates_kernel, 2, 1)
        W, U = F.split(F.concat([u, r, self.candidate_kernel], 1), [self.candidate_kernel.shape[0] - self.num_units])
        b_r, b_u = F.split(self.gates_bias, 2)
        U, U_g = F.split(U, [2 * self.num_units], 1)
        step = activations.formulas(GRUResetBefore, F.sigmoid, self.activation, False)
        return Recurrence(step, step.Weights(W=W, U=U, U_g=U_g, b=F.concat([b_u, b_r, self.candidate_bias])))


class _LSTM(_Cell):
    """The base class of the LSTM cells, with the state (c, m) as a tuple or side by side in one tensor."""

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

    def _recurrence(
        self, forget_bias: float, cell_clip: float | None = None, proj_clip: float | None = None, **weights: Any
    ) -> Recurrence:
        """Return the LSTMP equations with their weights; the kernel has the rows of x, then those of m."""
        step = activations.formulas(
            LSTMP, F.sigmoid, self.activation, False,
            forget_bias=float(forget_bias), cell_clip=cell_clip, proj_clip=proj_clip,
        )  # fmt: skip
        W, U = F.split(self.kernel, [self.kernel.shape[0] - self.output_size])
        return Recurrence(step, step.Weights(W=W, U=U, b=self.bias, **weights))

    def state_apart(self, state: Any) -> tuple[Any, ...]:
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
                f"{name}: with state_is_tuple=False expected the state, one tensor with c and h side by side, got "
                f"{described(state)}. Write concat([c, h], 1)."
            )
        c, m = split_state(name, as_tensor(state), self.state_sizes)
        return c, m

    def state_together(self, arrays: tuple[Any, ...]) -> Any:
        """Return c and m in the cell's structure."""
        return LSTMStateTuple(*arrays) if self.state_is_tuple else F.concat(arrays, 1)


class BasicLSTMCell(_LSTM):
    """The LSTM without extras.

        i, j, f, o = [x; h] kernel + bias, cut into four
        c_new      = σ(f + forget_bias) ∘ c + σ(i) ∘ φ(j)
        h_new      = σ(o) ∘ φ(c_new)

    Args:
        num_units: the size of the output and of both states.
        forget_bias: a constant added to the forget gate at every call; it is not in the stored bias.
        state_is_tuple: whether the state is an LSTMStateTuple(c, h), or one tensor with the two side by side.
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

    def formulas(self) -> Recurrence:
        """Return the step and its weights."""
        return self._recurrence(self.forget_bias)


class LSTMCell(_LSTM):
    """The LSTM with optional peepholes, clipping and projection. Its equations: `minigrad.recurrent.lstmp`.

        i, j, f, o = [x; m] kernel + bias, cut into four
        c_new      = σ(f + forget_bias + w_f ∘ c) ∘ c + σ(i + w_i ∘ c) ∘ φ(j)     clipped to ±cell_clip
        m_new      = σ(o + w_o ∘ c_new) ∘ φ(c_new)
        m_new      = m_new projection/kernel                                      clipped to ±proj_clip

    Args:
        num_units: the size of the cell state.
        use_peepholes: whether the gates see the cell state.
        cell_clip: the bound of the cell state, clipped to ±cell_clip before the output.
        initializer: the initializer of kernel, peepholes and projection.
        num_proj: the size of a projected output; None for no projection.
        proj_clip: the bound of the projection, clipped to ±proj_clip.
        num_unit_shards: deprecated, without effect.
        num_proj_shards: deprecated, without effect.
        forget_bias: a constant added to the forget gate at every call; it is not in the stored bias.
        state_is_tuple: whether the state is an LSTMStateTuple(c, h), or one tensor with the two side by side.
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

    def formulas(self) -> Recurrence:
        """Return the step and its weights."""
        weights = {"w_i": self.w_i_diag, "w_f": self.w_f_diag, "w_o": self.w_o_diag, "P": self.projection}
        return self._recurrence(self.forget_bias, self.cell_clip, self.proj_clip, **weights)
