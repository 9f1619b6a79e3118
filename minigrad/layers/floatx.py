"""The default dtype of layers, as Keras' `floatx`; and the comparison of a tensor's dtype with a layer's."""

from __future__ import annotations

from typing import Any

from minigrad.engine.arguments import among
from minigrad.engine.dtypes import FLOATING as ALLOWED
from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import DTypeError, MinigradError, shown, unknown_name
from minigrad.layers.options import Kind

_floatx = "float32"


def floatx() -> str:
    """Return the default dtype: ``"float32"``, or that of `set_floatx`."""
    return _floatx


def set_floatx(value: str) -> None:
    """Set the default dtype of layers made from now on.

    Raises:
        DTypeError: it is not a floating dtype.
    """
    global _floatx
    if not among(value, ALLOWED):
        raise DTypeError(f"set_floatx: expected `value`, one of {', '.join(ALLOWED)}, got {shown(value)}.")
    _floatx = value


def _layer_dtype(where: str, value: Any) -> str:
    try:
        name = _floatx if value is None else dtype_name(value)
    except MinigradError:
        name = value
    if not among(name, ALLOWED):
        raise unknown_name(where, name, ALLOWED, "A layer computes with real numbers.")
    return name


layer_dtype = Kind(_layer_dtype)


def is_dtype(dtype: Any, name: str) -> bool:
    """Return whether a dtype has that name."""
    return dtype_name(dtype) == name
