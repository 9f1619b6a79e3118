"""Tensors from values: `constant`, `cast`, `zeros`, `range`, `one_hot` …"""

from __future__ import annotations

import builtins
from typing import Any

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.ops.dtypes import as_dtype, bool, float32, int32  # noqa: A004  (TensorFlow's name)
from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.creation import as_tensor, tensor
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import DTypeError, shown
from minigrad.engine.tensor import Tensor


class ConversionError(DTypeError, ValueError):
    """Raised for a tensor of another dtype than the requested one."""


# --- values -----------------------------------------------------------------------------------------------------------


def convert(value: Any, dtype: Any = None) -> Tensor:
    """Return a value as a tensor, whole numbers of Python as int32."""
    if isinstance(value, Tensor):
        return value if dtype is None else as_tensor(value, as_dtype(dtype))
    leaves = tree.leaves(value) if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(leaf, (str, bytes)) for leaf in leaves):
        raise DTypeError(f"expected numbers, got {shown(value)}. Tensors of texts do not exist here: use Python lists.")
    if any(isinstance(leaf, Tensor) for leaf in leaves):
        found = F.stack([convert(part) for part in value])
        return found if dtype is None else found.astype(as_dtype(dtype))
    if dtype is None and leaves and all(type(leaf) is int for leaf in leaves):
        dtype = int32
    return tensor(value, None if dtype is None else as_dtype(dtype))


def sizes(shape: Any) -> list[int]:
    """Return a shape, whose sizes may be tensors, as numbers."""
    if isinstance(shape, Tensor):
        shape = shape.tolist()
    return [int(n) for n in shape] if isinstance(shape, (list, tuple)) or hasattr(shape, "tolist") else [int(shape)]


@recordable
def constant(value: Any, dtype: Any = None, shape: Any = None) -> Tensor:
    """A tensor of the value: Python's whole numbers as int32, its real numbers as float32. A `shape` is filled."""
    found = convert(value, dtype)
    if shape is None:
        return found
    return F.broadcast_to(found, sizes(shape)) if found.size == 1 else F.reshape(found, sizes(shape))


@recordable
def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None) -> Tensor:
    """The value as a tensor, itself if it is one of that dtype.

    Raises:
        ConversionError: (a ValueError) the value is a tensor of another dtype.
    """
    if isinstance(value, Tensor) and dtype is not None and dtype_name(value.dtype) != as_dtype(dtype):
        raise ConversionError(
            f"convert_to_tensor: expected a tensor of {as_dtype(dtype)}, got one of {dtype_name(value.dtype)}. Use "
            "tf.cast."
        )
    return convert(value, dtype)


@recordable
def identity(input: Any) -> Tensor:  # noqa: A002  (TensorFlow's name)
    """The numbers of the input, in a new tensor."""
    return F.linear(convert(input)) if is_floating(convert(input).dtype) else F.getitem(convert(input), ...)


@recordable
def stop_gradient(input: Any) -> Tensor:  # noqa: A002
    """The input as a constant: no gradient passes through it."""
    return F.stop_gradient(convert(input))


@recordable
def cast(x: Any, dtype: Any) -> Tensor:
    """x in another dtype; real numbers lose their fraction in a dtype of whole ones."""
    return F.astype(convert(x), as_dtype(dtype))


def to_float(x: Any) -> Any:
    """x as float32."""
    return cast(x, float32)


def to_int32(x: Any) -> Any:
    """x as int32."""
    return cast(x, int32)


@recordable
def shape(input: Any, out_type: Any = int32) -> Tensor:  # noqa: A002
    """The length of each axis, a tensor."""
    return tensor(list(convert(input).shape), as_dtype(out_type))


@recordable
def size(input: Any, out_type: Any = int32) -> Tensor:  # noqa: A002
    """The number of elements, a tensor."""
    return tensor(convert(input).size, as_dtype(out_type))


@recordable
def rank(input: Any) -> Tensor:  # noqa: A002
    """The number of axes, a tensor."""
    return tensor(convert(input).ndim, int32)


# --- new tensors ------------------------------------------------------------------------------------------------------


@recordable
def zeros(shape: Any, dtype: Any = float32) -> Tensor:
    """A tensor of zeros."""
    return F.zeros(sizes(shape), as_dtype(dtype))


@recordable
def ones(shape: Any, dtype: Any = float32) -> Tensor:
    """A tensor of ones."""
    return F.ones(sizes(shape), as_dtype(dtype))


@recordable
def fill(dims: Any, value: Any) -> Tensor:
    """A tensor of one value."""
    return F.broadcast_to(convert(value), sizes(dims))


@recordable
def zeros_like(input: Any, dtype: Any = None) -> Tensor:  # noqa: A002
    """Zeros of the input's shape and dtype."""
    found = F.zeros_like(convert(input))
    return found if dtype is None else found.astype(as_dtype(dtype))


@recordable
def ones_like(input: Any, dtype: Any = None) -> Tensor:  # noqa: A002
    """Ones of the input's shape and dtype."""
    found = F.ones_like(convert(input))
    return found if dtype is None else found.astype(as_dtype(dtype))


@recordable
def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None) -> Tensor:  # noqa: A001
    """start, start + delta, … below the limit; with one number n, 0, 1, … below n. Whole numbers as int32."""
    start, limit = (0, start) if limit is None else (start, limit)
    numbers = [n.item() if hasattr(n, "item") else n for n in (start, limit, delta)]
    kinds = [dtype_name(n.dtype) for n in (start, limit, delta) if hasattr(n, "dtype")]
    whole = all(isinstance(n, int) for n in numbers)
    wide = "int64" if whole and "int64" in kinds else "int32" if whole else "float32"
    first, last, step = numbers
    return F.arange(first, last, step, as_dtype(dtype or wide))


@recordable
def linspace(start: Any, stop: Any, num: Any) -> Tensor:
    """`num` numbers at equal distances from start to stop, both included."""
    first, last, n = convert(start), convert(stop), int(num)
    steps = F.arange(n, dtype=first.dtype)
    return first + steps * ((last - first) / float(max(n - 1, 1)))


@recordable
def eye(num_rows: Any, num_columns: Any = None, dtype: Any = float32) -> Tensor:
    """1 on the diagonal, 0 elsewhere."""
    rows = int(num_rows)
    return F.one_hot(F.arange(rows), rows if num_columns is None else int(num_columns), as_dtype(dtype))


@recordable
def one_hot(
    indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: int | None = None, dtype: Any = None
) -> Tensor:
    """`on_value` at the index, `off_value` elsewhere, along a new axis; an index out of range has none."""
    at, depth = convert(indices), int(depth)
    kind = as_dtype(dtype or next((convert(v).dtype for v in (on_value, off_value) if v is not None), float32))
    found = F.one_hot(at, depth, bool)
    on, off = (convert(default if v is None else v, kind) for v, default in ((on_value, 1), (off_value, 0)))
    found = F.where(found, on, off)
    if axis in (None, -1, found.ndim - 1):
        return found
    order = list(builtins.range(found.ndim - 1))
    order.insert(axis or 0, found.ndim - 1)
    return F.transpose(found, order)


@recordable
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = bool) -> Tensor:
    """True for the steps below each length: (…) → (…, maxlen), by default up to the greatest length."""
    given = convert(lengths)
    steps = F.arange(int(given.max()) if maxlen is None else int(maxlen))
    return (steps < F.expand_dims(given, -1)).astype(as_dtype(dtype))
