"""TensorFlow's TensorArray, a list of tensors, for the inputs and outputs of `raw_rnn`."""

from __future__ import annotations

from typing import Any

from minigrad.engine import functional as F
from minigrad.engine.arguments import at_least, flag, integer
from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import IndexRangeError, ShapeError, shown
from minigrad.engine.foreign import naming
from minigrad.engine.tensor import Tensor


class TensorArray:
    """A list of tensors of one shape, written and read one by one, with gradients through both.

    Args:
        dtype: the dtype of the tensors.
        size: the number of tensors; with `dynamic_size` the initial number.
        dynamic_size: whether the array can grow.
        clear_after_read: without effect: a tensor can be read any number of times.
        tensor_array_name: likewise.
        handle: likewise.
        flow: likewise.
        infer_shape: likewise.
        element_shape: the shape of each tensor; needed to `stack` an empty array.
        colocate_with_first_write_call: without effect.
        name: likewise.

    >>> import minigrad as tf
    >>> steps = tf.compat.v1.TensorArray("float32", size=2).unstack([[1.0, 2.0], [3.0, 4.0]])
    >>> steps.read(1)
    Tensor([3., 4.], dtype=float32)
    """

    def __init__(
        self,
        dtype: Any,
        size: int | None = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        grows = dynamic_size is not None and flag("TensorArray: `dynamic_size`", dynamic_size)
        self.dtype, self.dynamic_size, self.element_shape = dtype_name(dtype), grows, element_shape
        self._tensors: list[Tensor | None] = [None] * (0 if size is None else at_least("TensorArray: `size`", size, 0))

    def size(self) -> int:
        """Return the number of tensors."""
        return len(self._tensors)

    def read(self, index: Any) -> Tensor:
        """Return the tensor at an index.

        Raises:
            IndexRangeError: there is no tensor at the index.
        """
        k = integer("TensorArray.read: `index`", index)
        found = self._tensors[k] if 0 <= k < len(self._tensors) else None
        if found is None:
            raise IndexRangeError(
                f"TensorArray.read: expected the index of a written tensor, got {shown(k)}; the size is {self.size()}. "
                "Write it first."
            )
        return found

    def write(self, index: Any, value: Any) -> TensorArray:
        """Write a tensor, and return the array.

        Raises:
            IndexRangeError: the index is out of range, and the array cannot grow.
        """
        k = integer("TensorArray.write: `index`", index)
        if k < 0 or (k >= len(self._tensors) and not self.dynamic_size):
            raise IndexRangeError(
                f"TensorArray.write: expected `index` from 0 to {self.size() - 1}, below `size`, got {shown(k)}. "
                "dynamic_size=True lets the array grow."
            )
        self._tensors += [None] * (k + 1 - len(self._tensors))
        self._tensors[k] = as_tensor(value, self.dtype, "TensorArray: `value`")
        return self

    def unstack(self, value: Any) -> TensorArray:
        """Write a tensor's slices along its first axis, and return the array."""
        with naming("TensorArray.unstack: `value`"):
            for k, part in enumerate(F.unstack(as_tensor(value, self.dtype, "TensorArray: `value`"))):
                self.write(k, part)
        return self

    def stack(self) -> Tensor:
        """Return all tensors stacked along a new first axis.

        Raises:
            ShapeError: the array is empty, and `element_shape` is not known.
        """
        if not self._tensors:
            if self.element_shape is None:
                raise ShapeError(
                    "TensorArray.stack: the array is empty: expected an `element_shape`, got None. Pass element_shape."
                )
            return F.zeros((0, *self.element_shape), self.dtype)
        return F.stack([self.read(k) for k in range(self.size())])
