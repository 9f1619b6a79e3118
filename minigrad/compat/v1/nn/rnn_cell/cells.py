"""The cells of the first API generation with weights: their base class, BasicRNNCell and GRUCell.

Each takes inputs and a state and returns the output and the new state. Their kernels hold the rows of the inputs and
then those of the state, ``[x; m]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.compat.v1.nn.rnn_cell.base import RNNCell, StateError
from minigrad.compat.v1.variables import read_reuse
from minigrad.engine import functional as F
from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.engine.tensor import Tensor
from minigrad.layers import activations, initializers
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.options import Kind, anything, option, optional, positive_int, text
from minigrad.layers.recurrence import Recurrence, one_step
from minigrad.layers.states import described
from minigrad.recurrent import GRUResetBefore, SimpleRNN


def _read_activation(where: str, value: Any) -> activations.Activation:
    read: activations.Activation = activations.option.read(where, "tanh" if value is None else value)
    return read


tanh_by_default = activations.option._replace(read=_read_activation)


class WeightedCell(RNNCell):
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
        if type(self).call is not WeightedCell.call:
            return f"{type(self).__name__} overrides call"
        if activations.rule(self.activation) is None:
            return f"activation {activations.serialize(self.activation)!r} has no hand-derived derivative"
        self._admit(inputs)
        return self._recurrence()

    def _recurrence(self) -> Recurrence:
        """Return the step and its weights."""
        raise NotImplementedError(f"{type(self).__name__} must define _recurrence().")

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Run one time step, as one operation with the hand-derived gradient."""
        if not self.built:
            raise StateError(
                f"{type(self).__name__}.call: the cell has no weights yet. Call the cell itself, cell(inputs, state)."
            )
        step, weights, *_ = self._recurrence()
        arrays = tuple(as_tensor(s, self.dtype, f"{self.name}.call: `state`") for s in self.flatten_state(state))
        sizes = [(inputs.shape[0], size) for size in self.state_sizes]
        if [s.shape for s in arrays] != sizes:
            raise ShapeError(
                f"{type(self).__name__}: expected `state` of shapes {sizes} for `inputs` of shape {inputs.shape}, got "
                f"{[s.shape for s in arrays]}. "
                f"cell.zero_state({inputs.shape[0]}, dtype) makes zeros."
            )
        new = one_step(self, step, inputs, arrays, weights)
        return new[step.output], self.unflatten_state(new)

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
            raise self._shape_error("call", inputs.shape)
        if not is_floating(inputs.dtype):
            raise DTypeError(
                f"{type(self).__name__}: expected `inputs` of a floating dtype, got {dtype_name(inputs.dtype)}. "
                "inputs.astype('float32') makes numbers of integers, an embedding makes vectors of words."
            )

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The sizes of the arrays of the state."""
        return (self.state_size,)

    def flatten_state(self, state: Any) -> tuple[Any, ...]:
        """Return the state's arrays.

        Raises:
            StateError: the state is not one tensor.
        """
        if isinstance(state, (tuple, list)):
            raise StateError(f"{type(self).__name__}: expected the state, one tensor, got {described(state)}.")
        return (state,)

    def unflatten_state(self, arrays: tuple[Any, ...]) -> Any:
        """Return the arrays in the cell's structure."""
        return arrays[0]

    def _hint(self, ndim: int) -> str:
        return " A cell takes one time step; dynamic_rnn(cell, inputs) takes a sequence."


def split_state(where: str, state: Tensor, sizes: Sequence[int]) -> tuple[Tensor, ...]:
    """Return the parts of a state that is one tensor with all of them concatenated.

    Raises:
        ShapeError: the state's size is not the sum of theirs.
    """
    if state.ndim != 2 or state.shape[1] != sum(sizes):
        raise ShapeError(
            f"{where}: expected a state of shape (batch, {sum(sizes)}), got {state.shape}. Concatenate its parts."
        )
    return F.split(state, [sum(sizes[:k]) for k in range(1, len(sizes))], 1)


class BasicRNNCell(WeightedCell):
    """The simple recurrent network: output = new state = activation([x; h] kernel + bias).

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

    def _recurrence(self) -> Recurrence:
        """Return the step and its weights."""
        W, U = F.split(self.kernel, [self.kernel.shape[0] - self.num_units])
        step = activations.bind(SimpleRNN, F.sigmoid, self.activation, False)
        return Recurrence(step, step.Weights(W=W, U=U, b=self.bias))


class GRUCell(WeightedCell):
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

    def _recurrence(self) -> Recurrence:
        """Return the step and its weights, with columns in the order u, r, candidate (Keras' z, r, h̃)."""
        r, u = F.split(self.gates_kernel, 2, 1)
        W, U = F.split(F.concat([u, r, self.candidate_kernel], 1), [self.candidate_kernel.shape[0] - self.num_units])
        b_r, b_u = F.split(self.gates_bias, 2)
        U, U_g = F.split(U, [2 * self.num_units], 1)
        step = activations.bind(GRUResetBefore, F.sigmoid, self.activation, False)
        return Recurrence(step, step.Weights(W=W, U=U, U_g=U_g, b=F.concat([b_u, b_r, self.candidate_bias])))
