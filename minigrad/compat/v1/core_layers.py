"""`layers.Dense`, `layers.dense`, `layers.dropout` and `layers.flatten` of the first API generation."""

from __future__ import annotations

from typing import Any

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.ops.arrays import convert
from minigrad.compat.ops.nn import dropout as nn_dropout
from minigrad.compat.v1.layer import Layer
from minigrad.engine import functional as F
from minigrad.engine.tensor import Tensor
from minigrad.layers import activations, constraints, initializers, regularizers
from minigrad.layers.options import flag, option, positive_int


class Dense(Layer):
    """y = activation(x W + b)

    Args:
        units: the number of outputs.
        activation: applied to the sum; none by default.
        use_bias: whether to add b.
        kernel_initializer: of W; the scope's by default.
        bias_initializer: of b.
        kernel_regularizer: of W.
        bias_regularizer: of b.
        kernel_constraint: of W.
        bias_constraint: of b.
    """

    units: int = option(positive_int)
    activation: activations.Activation = option(activations.option, None)
    use_bias: bool = option(flag, True)
    kernel_initializer: Any = option(initializers.option_kind, None)
    bias_initializer: Any = option(initializers.option_kind, "zeros")
    kernel_regularizer: Any = option(regularizers.option_kind, None)
    bias_regularizer: Any = option(regularizers.option_kind, None)
    kernel_constraint: Any = option(constraints.option_kind, None)
    bias_constraint: Any = option(constraints.option_kind, None)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Add kernel (features, units) and bias (units,)."""
        self.kernel = self.add_weight(
            "kernel", (input_shape[-1], self.units), initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias", (self.units,), initializer=self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )  # fmt: skip

    def call(self, inputs: Tensor) -> Tensor:
        """Return activation(x W + b)."""
        y = F.matmul(inputs, self.kernel)
        return activations.called(self.activation, y if self.bias is None else y + self.bias)


def dense(inputs: Any, units: int, activation: Any = None, *args: Any, reuse: Any = None, **kwargs: Any) -> Any:
    """Return activation(x W + b), with variables in a scope ``dense``, or of the name; `reuse` shares them."""
    name = kwargs.pop("name", None)
    shared = {"_scope": name} if name is not None and reuse else {}
    return Dense(units, activation, *args, name=name, _reuse=reuse, **shared, **kwargs)(inputs)


@recordable
def dropout(inputs: Any, rate: Any = 0.5, noise_shape: Any = None, seed: Any = None, training: Any = False) -> Any:
    """Return x with numbers dropped while `training`, else x."""
    return nn_dropout(inputs, rate, noise_shape, seed) if bool(training) else convert(inputs)


@recordable
def flatten(inputs: Any, data_format: Any = None) -> Any:
    """Return x as (batch, numbers)."""
    x = convert(inputs)
    return F.reshape(x, (x.shape[0], -1))
