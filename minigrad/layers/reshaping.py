"""Layers that rearrange, pool or normalize each example, and Lambda, a function as a layer."""

from __future__ import annotations

from inspect import Parameter, signature
from math import prod
from typing import Any

from minigrad.engine import arguments as checked
from minigrad.engine import functional as F
from minigrad.engine import kinds, tree
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import MinigradError, OptionError, ShapeError, shown
from minigrad.engine.foreign import with_name
from minigrad.engine.tensor import Tensor
from minigrad.layers import checks, constraints, initializers, regularizers
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.layer import Layer
from minigrad.layers.options import Kind, choice, flag, option, optional, positive_int
from minigrad.layers.sequence_inputs import mask_of_inputs

INTEGER = kinds.integer
BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def _read_sizes(where: str, value: Any) -> tuple[int, ...]:
    """Return sizes of one example, of which one may be −1."""
    given = checked.entries(value)
    if given is None:
        raise OptionError(f"{where}: expected the sizes of one example, such as (4, 2), got {shown(value)}.")
    sizes = tuple(INTEGER.read(where, n) for n in given)
    if any(n < -1 for n in sizes) or sizes.count(-1) > 1:
        raise OptionError(f"{where}: expected sizes of at least 0 and at most one −1, got {shown(value)}.")
    return sizes


class _Rearranging(Layer):
    """The base class of layers that change the steps of a sequence: a mask ends there, as in Keras."""

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return None."""


class Reshape(_Rearranging):
    """The numbers of each example in another shape.

    Args:
        target_shape: of one example; −1 stands for the size that remains.

    Shapes:
        (batch, …) → (batch, *target_shape)
    """

    target_shape: Any = option(Kind(_read_sizes))

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs in the new shape."""
        sizes = [*self.target_shape]
        count, known = prod(inputs.shape[1:]), prod(n for n in sizes if n != -1)
        if -1 in sizes and known and count % known == 0:
            sizes[sizes.index(-1)] = count // known
        if prod(sizes) != count or -1 in sizes:
            raise ShapeError(
                f"{self.name}.call: expected `inputs` with as many numbers as `target_shape` "
                f"{self.target_shape} has, got {tuple(inputs.shape)}."
            )
        return inputs.reshape((inputs.shape[0], *sizes))


class Flatten(_Rearranging):
    """The numbers of each example in one row.

    Shapes:
        (batch, a, b, …) → (batch, a · b · …); (batch,) → (batch, 1)
    """

    data_format: Any = option(optional(choice("channels_last")), None)

    input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        """Return one row for each example."""
        return inputs.reshape((inputs.shape[0], prod(inputs.shape[1:])))


def _read_order(where: str, value: Any) -> tuple[int, ...]:
    found = tuple(INTEGER.read(where, n) for n in checked.entries(value) or ())
    if not found or sorted(found) != list(range(1, len(found) + 1)):
        raise OptionError(f"{where}: expected the axes 1 to n in another order, such as (2, 1), got {shown(value)}.")
    return found


class Permute(_Rearranging):
    """The axes of each example in another order.

    Args:
        dims: the axes in their new order, counted from 1, after the batch.

    Shapes:
        with dims=(2, 1): (batch, time, features) → (batch, features, time)
    """

    dims: Any = option(Kind(_read_order))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs with the axes in the new order."""
        return F.transpose(inputs, [0, *self.dims])


class RepeatVector(_Rearranging):
    """Each example n times, as the steps of a sequence: what a decoder reads at each step.

    Args:
        n: the number of steps.

    Shapes:
        (batch, features) → (batch, n, features)
    """

    n: int = option(positive_int)

    input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the sequences."""
        batch, features = inputs.shape
        return F.broadcast_to(inputs.reshape((batch, 1, features)), (batch, self.n, features))


class _GlobalPooling1D(_Rearranging):
    """The base class of the layers that reduce a sequence to one step."""

    data_format: str = option(choice("channels_last"), "channels_last")
    keepdims: bool = option(flag, False)

    input_spec = InputSpec(ndim=3)


class GlobalMaxPooling1D(_GlobalPooling1D):
    """The largest number of each feature over time.

    Shapes:
        (batch, time, features) → (batch, features), or (batch, 1, features) with `keepdims`
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Return the largest numbers.

        Raises:
            ShapeError: the sequences have no steps.
        """
        if not inputs.shape[1]:
            raise ShapeError(f"{self.name}.call: expected `inputs` of at least one step, got {inputs.shape}.")
        return F.max(inputs, 1, self.keepdims)


class GlobalAveragePooling1D(_GlobalPooling1D):
    """The mean of each feature over time, over the steps that are not masked.

    Shapes:
        (batch, time, features) → (batch, features), or (batch, 1, features) with `keepdims`
    """

    supports_masking = True

    def call(self, inputs: Tensor, mask: Any = None) -> Tensor:
        """Return the means; NaN where all steps are masked, as in Keras.

        Raises:
            ShapeError: the mask does not fit the inputs.
        """
        mask = mask_of_inputs(mask, f"{self.name}.call")
        if mask is None:
            return F.mean(inputs, 1, self.keepdims)
        if mask.shape != inputs.shape[:2]:
            raise ShapeError(f"{self.name}.call: expected a `mask` of {inputs.shape[:2]}, got {mask.shape}.")
        counts = F.expand_dims(F.astype(mask, inputs.dtype), -1)
        return F.sum(inputs * counts, 1, self.keepdims) / F.sum(counts, 1, self.keepdims)


class Lambda(Layer):
    """y = function(x)

    Args:
        function: of tensors; it may take `mask` and `training`, which are filled in.
        output_shape: not needed here, because the function is called.
        mask: the mask of the outputs, or a function (inputs, mask) that returns it.
        arguments: named arguments for the function.

    A function with weights is a class derived from `Layer`.
    """

    def __init__(
        self, function: Any, output_shape: Any = None, mask: Any = None, arguments: Any = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.function = checked.function("Lambda: `function`", function)
        self.mask = mask if mask is None or callable(mask) else as_tensor(mask, None, "Lambda: `mask`")
        self.supports_masking = mask is not None
        if output_shape is not None and not callable(output_shape) and not checks.is_shape(output_shape):
            raise OptionError(f"Lambda: `output_shape`: expected a shape or a function, got {shown(output_shape)}.")
        self.named = checked.dictionary("Lambda: `arguments`", {} if arguments is None else arguments)
        try:
            taken = [p.name for p in signature(function).parameters.values() if p.kind in BY_NAME]
        except (TypeError, ValueError):  # of a function without a signature
            taken = []
        self._takes = [name for name in ("mask", "training") if name in taken]

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Return the function's result."""
        given: dict[str, Any] = {"mask": mask, "training": training}
        try:
            return self.function(inputs, **(self.named | {name: given[name] for name in self._takes}))
        except MinigradError as error:
            raise with_name(error, f"{self.name}.call: `function`") from error.__cause__

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the outputs."""
        if not callable(self.mask):
            return self.mask
        where = f"{self.name}.compute_mask: the result of `mask`"
        try:
            return tree.map(lambda m: None if m is None else as_tensor(m, None, where), self.mask(inputs, mask))
        except MinigradError as error:
            raise with_name(error, f"{self.name}.compute_mask: the function `mask`") from error.__cause__

    def get_config(self) -> dict[str, Any]:
        """Return the function and the arguments; a file cannot hold a function."""
        own = {"function": self.function, "mask": self.mask, "arguments": dict(self.named)}
        return {"name": self.name, "trainable": self.trainable, "dtype": self.dtype, **own}


def _read_axes(where: str, value: Any) -> Any:
    if isinstance(value, (list, tuple)) and value:
        return tuple(INTEGER.read(where, a) for a in value)
    return INTEGER.read(where, value)


class LayerNormalization(Layer):
    """y = γ (x − mean) / √(variance + ε) + β, mean and variance over the features of each example and step.

    Args:
        axis: the axis or axes of the features.
        epsilon: ε.
        center: whether there is a β.
        scale: whether there is a γ.

    Source: Ba, Kiros & Hinton, 2016.
    """

    axis: Any = option(Kind(_read_axes), -1)
    epsilon: float = option(kinds.at_least_0, 1e-3)
    center: bool = option(flag, True)
    scale: bool = option(flag, True)
    beta_initializer: Any = option(initializers.option_kind, "zeros")
    gamma_initializer: Any = option(initializers.option_kind, "ones")
    beta_regularizer: Any = option(regularizers.option_kind, None)
    gamma_regularizer: Any = option(regularizers.option_kind, None)
    beta_constraint: Any = option(constraints.option_kind, None)
    gamma_constraint: Any = option(constraints.option_kind, None)

    supports_masking = True
    computes_with_integers = True

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Add gamma and beta, of the sizes of the axes."""
        self._axes = self._of(len(input_shape))
        sizes = tuple(input_shape[a] for a in self._axes)
        self.input_spec = InputSpec(ndim=len(input_shape), axes=dict(zip(self._axes, sizes, strict=True)))
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self._add_weight("gamma", sizes)
        if self.center:
            self.beta = self._add_weight("beta", sizes)

    def _of(self, ndim: int) -> list[int]:
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        if any(not -ndim <= a < ndim for a in axes) or len({a % ndim for a in axes}) < len(axes):
            raise ShapeError(f"{self.name}: expected different axes of {ndim} in `axis`, got {self.axis}.")
        return sorted(a % ndim for a in axes)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the normalized inputs."""
        spread = [n if k in self._axes else 1 for k, n in enumerate(inputs.shape)]
        axes = tuple(self._axes)
        centred = inputs - F.mean(inputs, axes, True)
        y = centred / F.sqrt(F.mean(F.square(centred), axes, True) + self.epsilon)
        if self.gamma is not None:
            y = y * self.gamma.reshape(spread)
        return y if self.beta is None else y + self.beta.reshape(spread)
