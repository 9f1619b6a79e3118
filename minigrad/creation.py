"""Making tensors out of numbers."""

from __future__ import annotations

from typing import Any

from minigrad.backend import registry
from minigrad.errors import DTypeError
from minigrad.tensor import Tensor, TensorLike, array_from


def tensor(data: TensorLike, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Returns a new leaf on the current backend, with a copy of the data.

    Args:
        data: a Python number, nested lists of them, a NumPy array, an array of the current backend, or a Tensor.
        dtype: a name such as ``"float64"``, or a NumPy dtype. By default Python floats become float32, and arrays
            keep the dtype they have.
        requires_grad: is the gradient with respect to this tensor wanted? For floating dtypes only.

    Raises:
        ShapeError: the lists are ragged.
        DTypeError: the data are not numbers, or a gradient is wanted for integers.
        GradientError: `data` is a list of tensors, whose history would be lost.

    >>> import minigrad as mg
    >>> mg.tensor([1.0, 2.0])
    Tensor([1., 2.], dtype=float32)
    """
    backend = registry.current()
    made = Tensor(array_from(data, dtype, backend), backend)
    if requires_grad and not is_floating(made.dtype):
        raise DTypeError(
            f"tensor: requires_grad=True, but the dtype is {made.dtype}, and a gradient is defined for real numbers "
            "only. Pass dtype='float32' or 'float64'."
        )
    made.requires_grad = requires_grad
    return made


def is_floating(dtype: Any) -> bool:
    """Is it a dtype of real numbers, whatever the backend calls it?"""
    return "float" in str(dtype)


def as_tensor(x: TensorLike, dtype: Any = None) -> Tensor:
    """Returns x itself if it is a Tensor (of that dtype), else a new one."""
    if not isinstance(x, Tensor):
        return tensor(x, dtype)
    return x if dtype is None or str(x.dtype).endswith(str(dtype)) else x.astype(dtype)
