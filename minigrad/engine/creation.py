"""Creation of tensors from numbers."""

from __future__ import annotations

from typing import Any

from minigrad.engine import registry
from minigrad.engine.conversion import array_from, constant
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import mixed_backends_error
from minigrad.engine.tensor import Tensor, TensorLike

__all__ = ["as_tensor", "as_tensor_like", "is_floating", "tensor"]


def tensor(data: TensorLike, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a new leaf on the current backend, with a copy of the data.

    Args:
        data: a Python number, nested lists of them, a NumPy array, an array of the current backend, or a Tensor.
        dtype: a name such as ``"float64"``, or a NumPy dtype. By default Python floats become float32, and arrays
            keep the dtype they have.
        requires_grad: whether the gradient with respect to this tensor is wanted; for floating dtypes only.

    Raises:
        ShapeError: the lists are ragged.
        UnknownNameError: there is no dtype of that name.
        DTypeError: the data are not numbers; the dtype cannot hold them (300 as uint8, 0.5 as int32, 1e300 as
            float32; rounding is allowed, and any number fits a bool); they are a masked array; or a gradient is wanted
            for integers.
        OptionError: `requires_grad` is neither True nor False.
        GradientError: `data` is a list of tensors, whose history would be lost.

    >>> import minigrad as mg
    >>> mg.tensor([1.0, 2.0])
    Tensor([1., 2.], dtype=float32)
    """
    backend = registry.current()
    made = Tensor(array_from(data, dtype, backend, "tensor: `data`"), backend)
    if requires_grad is not False:
        made.requires_grad = requires_grad
    return made


def as_tensor(x: TensorLike, dtype: Any = None, what: str = "tensor") -> Tensor:
    """Return x, which messages call `what`: itself if it is a Tensor (of that dtype), else a new one."""
    if not isinstance(x, Tensor):
        backend = registry.current()
        return Tensor(array_from(x, dtype, backend, what), backend)
    return x if dtype is None or dtype_name(x.dtype) == dtype_name(dtype) else x.astype(dtype)


def as_tensor_like(x: Tensor, other: TensorLike, what: str) -> Tensor:
    """Return `other`, which messages call `what`, as a tensor on the backend of x.

    Raises:
        BackendError: it is a Tensor that lives elsewhere.
    """
    if not isinstance(other, Tensor):
        return constant(other, x.backend, what)
    if other.backend is not x.backend:
        raise mixed_backends_error(what, x.backend, other.backend)
    return other
