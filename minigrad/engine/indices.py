"""Indices: from the forms that NumPy accepts in x[…] to those that every backend accepts."""

from __future__ import annotations

from numbers import Integral
from operator import index as index_of
from typing import Any

from minigrad.engine import registry
from minigrad.engine.conversion import array_from
from minigrad.engine.dtypes import FLOATING, dtype_name
from minigrad.engine.errors import DTypeError, IndexRangeError, mixed_backends_error
from minigrad.engine.foreign import attempted
from minigrad.engine.protocol import BackendModule
from minigrad.engine.tensor import Tensor


def normalize_index(index: Any, backend: BackendModule, shape: tuple[int, ...]) -> Any:
    """Return an index for an array of this shape: integers, slices, None, Ellipsis, and arrays of the backend.

    Only the outermost tuple counts axis by axis. A list, and a tuple inside it, is an array of positions, as in NumPy.

    Raises:
        DTypeError: a part has a type that NumPy does not take.
        IndexRangeError: on a device, an index that comes from the host is out of range. Elsewhere the backend says so.
        BackendError: a Tensor in it lives on another backend.
    """
    if isinstance(index, tuple):
        plain: Any = tuple([_part(part, backend) for part in index])
    else:
        plain = _part(index, backend)
    if not getattr(backend, "on_host", False):
        check_on_host(index, backend, shape)
    return plain


def _part(part: Any, backend: BackendModule) -> Any:
    """Return one entry of the outermost tuple in its normal form."""
    if part is None or part is Ellipsis or isinstance(part, (int, slice)):
        return part
    if isinstance(part, Integral) and hasattr(part, "__index__"):  # NumPy's, but no timedelta64
        return int(part)
    if isinstance(part, Tensor):
        if part.backend is not backend:
            raise mixed_backends_error("x[index]", backend, part.backend)
        return index_array(part.array, part, backend)
    if hasattr(part, "__index__") and not hasattr(part, "dtype") and not isinstance(part, type):
        found = attempted(index_of, part)
        if found is not None:
            return found
    return index_array(array_from(part, None, backend, "x[index]"), part, backend)


def index_array(array: Any, part: Any, backend: BackendModule, what: str = "x[index]") -> Any:
    """Return an array of integers or bools. uint64 becomes int64: NumPy would let it wrap around."""
    name = dtype_name(array.dtype)
    if name in FLOATING:
        if isinstance(part, (list, tuple)) and 0 in array.shape:  # [] has no dtype
            return backend.astype(array, "int64")
        raise DTypeError(
            f"{what}: expected integers, slices, …, None, or arrays of integers or bools, got {name} of shape "
            f"{tuple(array.shape)}. Convert with x.astype('int64')."
        )
    return array_from(array, "int64", backend, what) if name == "uint64" else array


def all_in_range(indices: Any, n: int, backend: BackendModule) -> bool:
    """Return whether all integers of an array are in 0 … n − 1: as an unsigned number, a negative one is large."""
    if 0 in indices.shape:
        return True
    return int(backend.to_numpy(backend.max(backend.astype(indices, "uint64")))) < n


def check_on_host(index: Any, backend: BackendModule, shape: tuple[int, ...]) -> None:
    """Check lists and NumPy arrays in an index for a device, which would read out of range without an error.

    Arrays on the device are not checked: that would cost a transfer.
    """
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if isinstance(part, (list, tuple)) or hasattr(part, "dtype")]
    if not arrays or any(isinstance(part, Tensor) or backend.is_array(part) for part in arrays):
        return
    host = registry.resolve("numpy")
    try:
        host.getitem(host.broadcast_to(host.zeros((), "bool"), shape), normalize_index(index, host, shape))
    except (IndexError, ValueError, TypeError) as error:
        raise IndexRangeError(f"x[index]: cannot be applied to shape {shape}: {error}.") from error
