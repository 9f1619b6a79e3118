"""The dtype of layers that are not told one, as Keras' `floatx`."""

from __future__ import annotations

from minigrad.errors import DTypeError

ALLOWED = ("float16", "float32", "float64")
_floatx = "float32"


def floatx() -> str:
    """Returns it: ``"float32"``, unless `set_floatx` said otherwise."""
    return _floatx


def set_floatx(value: str) -> None:
    """Sets it, for layers made from now on.

    Raises:
        DTypeError: it is no floating dtype.
    """
    global _floatx
    if value not in ALLOWED:
        raise DTypeError(f"set_floatx: expected one of {', '.join(ALLOWED)}, got {value!r}.")
    _floatx = value
