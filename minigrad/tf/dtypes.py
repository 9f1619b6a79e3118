"""Dtypes. `tf.dtypes`."""

# ruff: noqa: A004, I001  (TensorFlow's names; imports that would give each name a line)
from minigrad.compat.ops.arrays import cast
from minigrad.compat.ops.dtypes import (
    DType, as_dtype, bool, double, float16, float32, float64, half, int16, int32, int64, int8, uint16, uint32,
    uint64, uint8,
)  # fmt: skip
from minigrad.compat.out_of_scope import sentence
from minigrad.engine.lazy import lazy_getattr

__all__ = [
    "DType",
    "as_dtype",
    "bool",
    "cast",
    "double",
    "float16",
    "float32",
    "float64",
    "half",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]  # fmt: skip

__getattr__ = lazy_getattr(__name__, __all__, missing=sentence)

del lazy_getattr, sentence
