"""A weight: a tensor of a layer, with a name, `trainable`, a regularizer and a constraint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine import registry
from minigrad.engine.arguments import flag
from minigrad.engine.conversion import array_from
from minigrad.engine.errors import ShapeError
from minigrad.engine.protocol import Array
from minigrad.engine.tensor import Tensor, TensorLike


class Weight(Tensor):
    """A leaf of the tape that an optimizer updates.

    Args:
        initial_value: the first numbers.
        trainable: whether the optimizer updates the weight.
        name: e.g. ``"lstm/lstm_cell/kernel:0"``.
        dtype: as in `minigrad.engine.tensor`.
        regularizer: a penalty, added to the layer's losses.
        constraint: a function applied to the weight after each update.

    Attributes:
        born_trainable: whether it was trainable when it was made, which decides its place among a model's weights.
    """

    __slots__ = ("born_trainable", "constraint", "name", "regularizer", "trainable")

    def __init__(
        self,
        initial_value: TensorLike,
        trainable: bool = True,
        name: str = "Variable:0",
        dtype: Any = None,
        regularizer: Callable[[Tensor], Tensor] | None = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        backend, trainable = registry.current(), flag(f"{name}: `trainable`", trainable)
        super().__init__(array_from(initial_value, dtype, backend), backend)
        self.requires_grad = trainable
        self.trainable = self.born_trainable = trainable
        self.name = name
        self.regularizer = regularizer
        self.constraint = constraint

    def assign(self, value: TensorLike) -> None:
        """Replace the numbers; shape, dtype and backend stay.

        Raises:
            ShapeError: the value has another shape.
            DTypeError: the weight's dtype cannot hold it.
        """
        self.array = self.checked_array(value, f"{self.name}.assign: `value`")

    def checked_array(self, value: TensorLike, what: str) -> Array:
        """Return a value, which messages call `what`, as the array that `assign` stores.

        A caller that sets several weights reads all arrays first: where one raises, none is set.
        """
        if isinstance(value, Tensor) and value.backend is self.backend and value.dtype == self.dtype:
            array = value.array
        else:
            array = array_from(value, self.dtype, self.backend, what)
        if array.shape != self.shape:
            raise ShapeError(f"{what}: expected a value of shape {self.shape}, got {array.shape}.")
        return array

    taken = checked_array  # the earlier name

    def __repr__(self) -> str:
        return f"<Weight {self.name!r} {super().__repr__()}>"
