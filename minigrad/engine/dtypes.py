"""Dtypes by name: ``"float32"``, ``"int64"``, ``"bool"`` …, for the dtypes of every array library."""

from __future__ import annotations

from functools import cache, lru_cache
from math import inf
from typing import Any

from minigrad.engine.errors import DTypeError, MinigradError, shown, unknown_name

FLOATING = ("float16", "float32", "float64")
DTYPES = (*FLOATING, "bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
# From here on a number rounds to infinity: half a step above the largest.
INFINITE: dict[str, float] = {"float16": 65520.0, "float32": (2 - 2**-24) * 2.0**127, "float64": inf}
PYTHON = {"float": "float64", "int": "int64", "bool_": "bool"}  # as NumPy reads Python's types


def dtype_name(dtype: Any) -> str:
    """Return the name of a dtype.

    Args:
        dtype: a name, one of Python's types, or a dtype of any library: NumPy's ``np.float32`` and
            ``np.dtype("float32")``, the array API's ``xp.float32``.

    Raises:
        UnknownNameError: no such name.
        DTypeError: a dtype that is not of real numbers or bools.

    >>> dtype_name(float), dtype_name("int32")
    ('float64', 'int32')
    """
    try:
        return _known_name(dtype)
    except MinigradError:
        raise
    except Exception:  # noqa: BLE001  not hashable, or an object of the caller whose methods raise
        return _name_of(dtype)


def _name_of(dtype: Any) -> str:
    if isinstance(dtype, str):
        name = PYTHON.get(dtype, dtype)
        if name not in DTYPES:
            raise unknown_name("dtype", dtype, DTYPES)
        return name
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or shown(dtype).rpartition(".")[2]
    name = PYTHON.get(name, name) if isinstance(name, str) else ""
    if name not in DTYPES:
        raise DTypeError(
            f"expected a dtype of real numbers or bools, got {shown(dtype)}. Known are: {', '.join(DTYPES)}."
        )
    return name


# Cached: NumPy takes microseconds to name a dtype. By type: dtypes of two libraries may have one hash and refuse
# comparison.
_known_name = lru_cache(maxsize=None, typed=True)(_name_of)


def is_floating(dtype: Any) -> bool:
    """Return whether a dtype, of any backend, is one of real numbers."""
    return dtype_name(dtype) in FLOATING


def fits(number: float, name: str) -> bool:
    """Return whether a number, apart from fractions, is within the range of a dtype; NaN and infinity never are."""
    if name == "bool":
        return True
    if name in FLOATING:
        return abs(number) < INFINITE[name]
    low, high = _integers(name)
    return low <= number <= high


@cache
def _integers(name: str) -> tuple[int, int]:
    """Return the smallest and the largest integer of a dtype."""
    bits = int(name.removeprefix("u").removeprefix("int"))
    return (0, (1 << bits) - 1) if name.startswith("u") else (-(1 << bits - 1), (1 << bits - 1) - 1)


@cache
def always_fits(source: str, name: str) -> bool:
    """Return whether a dtype holds every number of another, rounded to fewer digits where needed."""
    if name in ("bool", "float64") or source == "bool" or source == name:
        return True
    if source in FLOATING:
        return name in FLOATING and INFINITE[source] <= INFINITE[name]
    return all(fits(end, name) for end in _integers(source))


@lru_cache(maxsize=None, typed=True)
def is_integer(dtype: Any) -> bool:
    """Return whether a dtype is one of whole numbers; bools are none."""
    return "int" in dtype_name(dtype)


@lru_cache(maxsize=None, typed=True)
def is_half(dtype: Any) -> bool:
    """Return whether a dtype has 16 bits: sums in it overflow at 65,520, and stop growing long before."""
    return dtype_name(dtype) == "float16"


@lru_cache(maxsize=None, typed=True)
def real_dtype(dtype: Any) -> tuple[bool, str]:
    """Return whether a dtype is floating, and the dtype of its real functions: of an integer, as NumPy adds a float32.

    >>> real_dtype("float16"), real_dtype("uint8"), real_dtype("int64")
    ((True, 'float16'), (False, 'float32'), (False, 'float64'))
    """
    name = dtype_name(dtype)
    wide = name.endswith(("32", "64"))
    return name in FLOATING, name if name in FLOATING else "float64" if wide else "float32"
