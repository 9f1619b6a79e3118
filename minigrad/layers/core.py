"""Layers without a loop over time: Dense, Embedding, Dropout, Activation, Masking."""

from __future__ import annotations

from typing import Any

from minigrad.engine import functional as F
from minigrad.engine import kinds, random, rows
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import IndexRangeError, MinigradError, OptionError, ShapeError, shown
from minigrad.engine.foreign import with_name
from minigrad.engine.functional.shaping import whole_numbers
from minigrad.engine.indices import all_in_range
from minigrad.engine.ops.affine import Affine
from minigrad.engine.tensor import Tensor, apply
from minigrad.layers import activations, checks, constraints, initializers, regularizers
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.layer import Layer
from minigrad.layers.options import Kind, flag, fraction, number, option, optional, positive_int


class Dense(Layer):
    """y = activation(x W + b)

    Args:
        units: the number of outputs.
        activation: applied to the sum; none by default.
        use_bias: whether to add b.

    Shapes:
        inputs (…, features) → (…, units)
    """

    units: int = option(positive_int)
    activation: activations.Activation = option(activations.option, None)
    use_bias: bool = option(flag, True)
    kernel_initializer: Any = option(initializers.option_kind, "glorot_uniform")
    bias_initializer: Any = option(initializers.option_kind, "zeros")
    kernel_regularizer: Any = option(regularizers.option_kind, None)
    bias_regularizer: Any = option(regularizers.option_kind, None)
    activity_regularizer: Any = option(regularizers.option_kind, None)
    kernel_constraint: Any = option(constraints.option_kind, None)
    bias_constraint: Any = option(constraints.option_kind, None)

    computes_with_integers = True
    supports_masking = True
    input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Add kernel (features, units) and bias (units,)."""
        features = input_shape[-1]
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        self.kernel = self._add_weight("kernel", (features, self.units))
        self.bias = self._add_weight("bias", (self.units,)) if self.use_bias else None

    def call(self, inputs: Tensor) -> Tensor:
        """Return activation(x W + b)."""
        y = inputs @ self.kernel if self.bias is None else apply(Affine, inputs, self.kernel, self.bias)
        return activations.called(self.activation, y)


class Embedding(Layer):
    """A table of vectors, read by integers.

    Args:
        input_dim: the number of different integers, 0 … input_dim − 1.
        output_dim: the length of each vector.
        mask_zero: whether 0 is padding; then the output carries the mask ``inputs != 0``.
        input_length: the number of integers in a row, if it is the same in all.

    Shapes:
        inputs (…) of integers → (…, output_dim)
    """

    input_dim: int = option(positive_int)
    output_dim: int = option(positive_int)
    embeddings_initializer: Any = option(initializers.option_kind, "uniform")
    embeddings_regularizer: Any = option(regularizers.option_kind, None)
    activity_regularizer: Any = option(regularizers.option_kind, None)
    embeddings_constraint: Any = option(constraints.option_kind, None)
    mask_zero: bool = option(flag, False)
    input_length: int | None = option(optional(positive_int), None)

    supports_masking = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch_input_shape = self.batch_input_shape or (kwargs.get("batch_size"), self.input_length)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Add the table, (input_dim, output_dim)."""
        self.embeddings = self._add_weight("embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs: Tensor) -> Tensor:
        """Return the rows that the integers name.

        Raises:
            DTypeError: the inputs are not whole numbers.
            IndexRangeError: an integer is not in the table. On a device its vector is NaN.
        """
        indices, xp = whole_numbers(f"{self.name}.call: `inputs`", inputs), inputs.backend
        if not getattr(xp, "on_host", False):  # reading a number would cost a transfer
            is_row = (indices >= 0) & (indices < self.input_dim)
            rows = F.take(self.embeddings, F.where(is_row, indices, 0))
            return F.where(F.expand_dims(is_row, -1), rows, float("nan"))
        if not all_in_range(indices.array, self.input_dim, xp):
            raise IndexRangeError(
                f"{self.name}.call: `inputs`: expected integers from 0 to {self.input_dim - 1}, got "
                f"{int(indices.min())} to {int(indices.max())}. Raise input_dim, or correct the data."
            )
        return F.take(self.embeddings, indices)

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> Tensor | None:
        """Return the mask ``inputs != 0``, if 0 is padding."""
        return as_tensor(inputs, None, f"{self.name}.compute_mask: `inputs`") != 0 if self.mask_zero else None


def _read_noise_shape(where: str, value: Any) -> Any:
    if not isinstance(value, (list, tuple)) or not checks.is_shape(value):
        raise OptionError(f"{where}: expected a list of whole numbers and None, or None, got {shown(value)}.")
    return value


class Dropout(Layer):
    """Dropout: in training, a fraction of the inputs is set to 0 and the others are scaled by 1/(1 − rate).

    Args:
        rate: the fraction.
        noise_shape: the shape of the mask; along an axis of length 1 it is the same everywhere.
        seed: of a generator for this layer alone.

    Source: Srivastava et al., 2014.
    """

    rate: float = option(fraction)
    noise_shape: Any = option(optional(Kind(_read_noise_shape)), None)
    seed: int | None = option(kinds.seed, None)

    supports_masking = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._source = None if self.seed is None else random.generator_for(self.seed)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Return the inputs after dropout."""
        if not training or self.rate == 0.0:
            return inputs
        given = self.noise_shape
        if given is None:
            return inputs * self._mask(inputs.shape, inputs.dtype)
        if len(given) != inputs.ndim:
            raise ShapeError(
                f"{self.name}: expected `noise_shape` with an entry for each axis of {inputs.shape}, got {given}."
            )
        shape = tuple(n if s is None else s for s, n in zip(given, inputs.shape, strict=True))
        with rows.of_batch(rows.current() if given and given[0] is None else None):  # otherwise one mask for all rows
            return inputs * self._mask(shape, inputs.dtype)

    def _mask(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        try:
            return random.dropout_mask(shape, self.rate, dtype, self._source)
        except MinigradError as error:
            raise with_name(error, f"{self.name}.call: the dtype of `inputs`") from error.__cause__


class Activation(Layer):
    """y = activation(x)

    Args:
        activation: a name or a function.
    """

    activation: activations.Activation = option(activations.option)

    supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return activation(x)."""
        try:
            return self.activation(inputs)
        except MinigradError as error:
            raise with_name(error, f"{self.name}: `activation`") from error.__cause__


class Masking(Layer):
    """Mark the time steps whose features all equal a value as padding.

    Args:
        mask_value: the value.

    Shapes:
        inputs (batch, time, features) → the same, masked steps set to 0, with a mask (batch, time)
    """

    mask_value: float = option(number, 0.0)

    supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs, 0 where masked."""
        return inputs * self._counts(inputs, keepdims=True).astype(inputs.dtype)

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> Tensor:
        """Return the mask, True where any feature differs from the value."""
        return self._counts(as_tensor(inputs, None, f"{self.name}.compute_mask: `inputs`"), keepdims=False)

    def _counts(self, inputs: Tensor, keepdims: bool) -> Tensor:
        return F.any(inputs != self.mask_value, -1, keepdims)
