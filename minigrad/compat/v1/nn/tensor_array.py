"""A list of tensors with TensorFlow's name: what `raw_rnn` reads from and writes to."""

from __future__ import annotations

from typing import Any

from minigrad.engine import functional as F
from minigrad.engine.arguments import flag
from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import IndexRangeError, ShapeError
from minigrad.engine.tensor import Tensor


class TensorArray:
    """Tensors of one shape, written and read one by one, a gradient through both.

    Args:
        dtype: of the tensors.
        size: how many there are; with `dynamic_size` how many at first.
        dynamic_size: may it grow?
        clear_after_read: without effect: a tensor may be read as often as you like.
        tensor_array_name: likewise.
        handle: likewise.
        flow: likewise.
        infer_shape: likewise.
        element_shape: of each tensor; needed to `stack` none at all.
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
        self._tensors: list[Tensor | None] = [None] * int(size or 0)

    def size(self) -> int:
        """Return how many tensors there are."""
        return len(self._tensors)

    def read(self, index: Any) -> Tensor:
        """Return the tensor at a place.

        Raises:
            IndexRangeError: there is none.
        """
        k = int(index)
        found = self._tensors[k] if 0 <= k < len(self._tensors) else None
        if found is None:
            raise IndexRangeError(f"TensorArray.read: nothing was written at {k}; it has {self.size()} places.")
        return found

    def write(self, index: Any, value: Any) -> TensorArray:
        """Write a tensor, and returns the array.

        Raises:
            IndexRangeError: there is no such place, and the array may not grow.
        """
        k = int(index)
        if k < 0 or (k >= len(self._tensors) and not self.dynamic_size):
            raise IndexRangeError(
                f"TensorArray.write: expected a place from 0 to {self.size() - 1}, got {k}. dynamic_size=True lets the "
                "array grow."
            )
        self._tensors += [None] * (k + 1 - len(self._tensors))
        self._tensors[k] = as_tensor(value, self.dtype)
        return self

    def unstack(self, value: Any) -> TensorArray:
        """Write a tensor's slices along its first axis, and returns the array."""
        for k, part in enumerate(F.unstack(as_tensor(value, self.dtype))):
            self.write(k, part)
        return self

    def stack(self) -> Tensor:
        """Return all tensors as one, along a new first axis.

        Raises:
            ShapeError: there are none, and their shape is not known.
        """
        if not self._tensors:
            if self.element_shape is None:
                raise ShapeError("TensorArray.stack: nothing was written, so the shape is not known.")
            return F.zeros((0, *self.element_shape), self.dtype)
        return F.stack([self.read(k) for k in range(self.size())])
