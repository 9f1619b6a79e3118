"""Layers that merge several inputs: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot.

Inputs with fewer axes than the others get axes of length 1 after the batch, as in Keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from minigrad.engine import functional as F
from minigrad.engine.errors import DataError, ShapeError, shown
from minigrad.engine.tensor import Tensor
from minigrad.layers.layer import Layer
from minigrad.layers.options import Kind, flag, option
from minigrad.layers.reshaping import INTEGER
from minigrad.layers.states import described


class Merge(Layer):
    """The base class of layers that take a list of tensors.

    Attributes:
        least: the smallest number of inputs.
        most: the greatest number of inputs, or None.
        aligns: whether inputs with fewer axes get axes of length 1.
    """

    least = 1
    most: int | None = None
    aligns = True

    supports_masking = True

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """Return the one output, of inputs with equal numbers of axes."""
        raise NotImplementedError(f"{type(self).__name__} must define merge(inputs).")

    def call(self, inputs: Any) -> Tensor:
        """Return the one output.

        Raises:
            DataError: the inputs are not a list, or too few or too many.
            ShapeError: their shapes do not fit.
        """
        count = len(inputs) if isinstance(inputs, (list, tuple)) else 0
        if count < self.least or (self.most is not None and count > self.most):
            got = "None" if inputs is None else described(inputs)
            number = f"{self.least}" if self.most == self.least else f"at least {self.least}"
            raise DataError(f"{self.name}.call: expected `inputs`, a list of {number} tensors, got {got}.")
        for x in inputs:
            if not isinstance(x, Tensor):
                raise DataError(f"{self.name}.call: expected `inputs`, a list of tensors, got {shown(x)} in it.")
        try:
            return self.merge(self._aligned(inputs) if self.aligns else list(inputs))
        except ShapeError as error:
            shapes = ", ".join(str(tuple(x.shape)) for x in inputs)
            raise ShapeError(
                f"{self.name}.call: expected `inputs` whose shapes fit, got {shapes}. ({error})"
            ) from error

    def _aligned(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the inputs with as many axes as the one that has most."""
        ndim = max(x.ndim for x in inputs)
        return [x.reshape((x.shape[0], *[1] * (ndim - x.ndim), *x.shape[1:])) if x.ndim < ndim else x for x in inputs]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the steps that no input masks."""
        masks = [m for m in mask or () if m is not None]
        return F.all(F.stack(masks), 0) if masks else None


class Add(Merge):
    """y = x₁ + x₂ + …"""

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """Return the sum."""
        y, *others = inputs
        for x in others:
            y = y + x
        return y


class Subtract(Merge):
    """y = x₁ − x₂"""

    least = most = 2

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """Return the difference."""
        return inputs[0] - inputs[1]


class Multiply(Merge):
    """y = x₁ ⊙ x₂ ⊙ …"""

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """Return the product."""
        y, *others = inputs
        for x in others:
            y = y * x
        return y


class Average(Add):
    """y = (x₁ + x₂ + … + xₙ) / n"""

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """Return the mean."""
        return super().merge(inputs) / len(inputs)


class Maximum(Merge):
    """y = max(x₁, x₂, …)"""

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """Return the largest of the inputs, number by number."""
        y, *others = inputs
        for x in others:
            y = F.maximum(y, x)
        return y


class Minimum(Merge):
    """y = min(x₁, x₂, …)"""

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """Return the smallest of the inputs, number by number."""
        y, *others = inputs
        for x in others:
            y = F.minimum(y, x)
        return y


class Concatenate(Merge):
    """The inputs side by side along an axis.

    Args:
        axis: the axis.

    Shapes:
        inputs (batch, …, n₁), (batch, …, n₂) … → (batch, …, n₁ + n₂ + …)
    """

    axis: int = option(INTEGER, -1)

    aligns = False

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """Return the inputs side by side."""
        return F.concat(inputs, self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the masks side by side; along the features, the mask of the steps that no input masks."""
        if all(m is None for m in mask or ()):
            return None
        whole = []
        for x, m in zip(inputs, mask, strict=True):
            given = F.ones(x.shape, "bool") if m is None else m
            spread = given.reshape((*given.shape, *[1] * (x.ndim - given.ndim)))
            whole.append(F.broadcast_to(spread, x.shape))
        return F.all(F.concat(whole, self.axis), -1)


def _read_axes(where: str, value: Any) -> Any:
    if isinstance(value, (list, tuple)) and len(value) == 2:
        return tuple(INTEGER.read(where, a) for a in value)
    return INTEGER.read(where, value)


class Dot(Merge):
    """The inner products of two inputs along one axis of each, for each example of the batch.

    Args:
        axes: the axis of both, or a pair; the batch is axis 0.
        normalize: whether to divide by the norms along these axes: the cosine similarity.

    Shapes:
        (batch, n), (batch, n) → (batch, 1); (batch, n, a), (batch, n, b) with axes=1 → (batch, a, b)
    """

    axes: Any = option(Kind(_read_axes))
    normalize: bool = option(flag, False)

    least = most = 2
    aligns = False

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """Return the inner products."""
        axes = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        rows = [self._rows(x, a) for x, a in zip(inputs, axes, strict=True)]
        y = rows[0] @ F.swapaxes(rows[1], 1, 2)
        left = [n for k, n in enumerate(inputs[0].shape[1:], 1) if k != axes[0] % inputs[0].ndim]
        right = [n for k, n in enumerate(inputs[1].shape[1:], 1) if k != axes[1] % inputs[1].ndim]
        return y.reshape((y.shape[0], *left, *right)) if left or right else y.reshape((y.shape[0], 1))

    def _rows(self, x: Tensor, axis: int) -> Tensor:
        """Return (batch, rows, n), the axis of the products last."""
        if not -x.ndim <= axis < x.ndim or axis % x.ndim == 0:
            raise ShapeError(f"expected `axes` from 1 to {x.ndim - 1} or negative, got {axis}")
        order = [k for k in range(x.ndim) if k != axis % x.ndim]
        x = F.transpose(x, [*order, axis % x.ndim])
        if self.normalize:
            x = x / F.sqrt(F.maximum(F.sum(F.square(x), -1, keepdims=True), 1e-12))
        return x.reshape((x.shape[0], prod(x.shape[1:-1]), x.shape[-1]))

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return None: inner products have no steps."""
