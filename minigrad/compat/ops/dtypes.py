"""TensorFlow's dtypes as objects: `tf.float32` is the text ``"float32"`` with TensorFlow's attributes."""

from __future__ import annotations

import builtins
from typing import Any

from minigrad.engine import registry
from minigrad.engine.dtypes import FLOATING, dtype_name
from minigrad.engine.errors import DTypeError

OLD_NAMES = {"float": "float32", "double": "float64", "half": "float16", "int": "int32"}
"""TensorFlow's shorter names, of which Python's "float" and "int" mean other dtypes in NumPy."""


class DType(str):
    """The name of a dtype with TensorFlow's attributes. NumPy and every function of minigrad take it as a dtype.

    >>> float32 = DType("float32")
    >>> float32, float32.is_floating, float32 == "float32"
    (tf.float32, True, True)
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """The name."""
        return str(self)

    @property
    def as_numpy_dtype(self) -> Any:
        """NumPy's class of scalars."""
        return registry.resolve("numpy").zeros((), str(self)).dtype.type

    @property
    def base_dtype(self) -> DType:
        """The dtype itself."""
        return self

    @property
    def is_floating(self) -> builtins.bool:
        """Whether it is one of real numbers."""
        return self in FLOATING

    @property
    def is_integer(self) -> builtins.bool:
        """Whether it is one of whole numbers."""
        return "int" in self

    @property
    def is_bool(self) -> builtins.bool:
        """Whether it is that of bools."""
        return self == "bool"

    @property
    def size(self) -> int:
        """The number of bytes of a number."""
        return 1 if self.is_bool else int(self.lstrip("uintfloa")) // 8

    def __str__(self) -> str:
        return str.__str__(self)

    def __repr__(self) -> str:
        return f"tf.{str.__str__(self)}"


# A line for each: the site's reference reads no tuples.
float16 = DType("float16")
float32 = DType("float32")
float64 = DType("float64")
int8 = DType("int8")
int16 = DType("int16")
int32 = DType("int32")
int64 = DType("int64")
uint8 = DType("uint8")
uint16 = DType("uint16")
uint32 = DType("uint32")
uint64 = DType("uint64")
half = float16
double = float64
bool = DType("bool")  # noqa: A001  (TensorFlow's name)


def as_dtype(type_value: Any) -> DType:
    """Return the dtype of a name, of Python's types, or of a dtype of any library.

    Raises:
        UnknownNameError: no dtype has that name.
        DTypeError: texts and complex numbers have no dtype here.
    """
    if isinstance(type_value, DType):
        return type_value
    if type_value is float:
        return float32
    if type_value is int:
        return int32
    if isinstance(type_value, str):
        if type_value in ("string", "complex64", "complex128"):
            raise DTypeError(f"expected a dtype of real numbers or bools, got {type_value!r}. Keep texts in a list.")
        return DType(OLD_NAMES.get(type_value, dtype_name(OLD_NAMES.get(type_value, type_value))))
    return DType(dtype_name(type_value))
